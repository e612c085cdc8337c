/* The spool's index and its policy when full; see spool.h. */
#include "clients/sdk/spool.h"

#include <errno.h>

#include "clients/sdk/spool_dir.h"

struct spool {
	struct spool_dir dir;
	struct spool_entry *entries; /* in the order of seq; room for files_max */
	size_t count;
	uint32_t files_max;
	uint64_t bytes_max;
	uint64_t bytes;
	uint64_t next_seq;
	struct codec *codec;
	struct buf scratch; /* for reading at start */
	struct spool_counts counts;
};

static enum err keep_name(void *ctx, enum vestibule_kind kind, uint64_t seq) {
	struct spool *s = (struct spool *)ctx;
	if (s->count == s->files_max) return ERR_LIMIT;
	s->entries[s->count++] = (struct spool_entry){.seq = seq, .kind = kind, .made_boot_ms = -1};
	return ERR_NONE;
}

static int by_seq(const void *a, const void *b) {
	uint64_t x = ((const struct spool_entry *)a)->seq, y = ((const struct spool_entry *)b)->seq;
	return x < y ? -1 : x > y;
}

/* At start: each event is read once, for its size and time, and to find damage before it is relied
 * on. */
static enum err take_up(struct spool *s) {
	for (size_t i = 0; i < s->count;) {
		struct message_head head;
		enum err e = spool_read(s, i, &s->scratch, &head);
		if (e == ERR_INPUT) {
			spool_set_aside(s, i);
			continue;
		}
		if (e != ERR_NONE) return e;
		s->entries[i].bytes = (uint32_t)s->scratch.len;
		s->entries[i].at_ms = head.synced && head.at_ms <= INT64_MAX ? (int64_t)head.at_ms : 0;
		s->bytes += s->scratch.len;
		i++;
	}
	return ERR_NONE;
}

static enum err load(struct spool *s, uint64_t first_seq) {
	enum err e = spool_dir_scan(&s->dir, keep_name, s);
	if (e != ERR_NONE) return e;
	if (s->count > 1) qsort(s->entries, s->count, sizeof *s->entries, by_seq);
	s->next_seq = s->count ? s->entries[s->count - 1].seq + 1 : 0;
	if (s->dir.last >= s->next_seq) s->next_seq = s->dir.last + 1;
	if (s->count == 0 && s->dir.last == 0) s->next_seq = first_seq;
	return take_up(s);
}

enum err spool_open(const struct spool_opts *opts, struct spool **out, bool *busy) {
	enum err e = ERR_NOMEM;
	*busy = false;
	struct spool *s = (struct spool *)calloc(1, sizeof *s);
	if (!s) return ERR_NOMEM;
	s->dir.fd = s->dir.lock_fd = -1;
	s->files_max = opts->files_max;
	s->bytes_max = opts->bytes_max;
	buf_init(&s->scratch, message_bytes_max());
	s->entries = (struct spool_entry *)calloc(opts->files_max, sizeof *s->entries);
	s->codec = codec_new();
	if (!s->entries || !s->codec) goto fail;
	if ((e = spool_dir_open(&s->dir, opts->dir)) != ERR_NONE) {
		*busy = errno == EWOULDBLOCK;
		goto fail;
	}
	if ((e = load(s, opts->first_seq)) != ERR_NONE) goto fail;
	*out = s;
	return ERR_NONE;
fail:;
	int cause = errno;
	spool_close(s);
	errno = cause;
	return e;
}

void spool_close(struct spool *s) {
	if (!s) return;
	spool_dir_close(&s->dir);
	buf_fini(&s->scratch);
	codec_free(s->codec);
	free(s->entries);
	free(s);
}

uint64_t spool_next_seq(const struct spool *s) {
	return s->next_seq;
}

static bool has_room(const struct spool *s, size_t bytes) {
	return s->count < s->files_max && bytes <= s->bytes_max && s->bytes <= s->bytes_max - bytes;
}

static bool may_go(const struct spool_entry *e, struct moment now) {
	return !e->held && (e->kind == VESTIBULE_MOTION || spool_is_stale(e, now));
}

/* Would there be room without all that may go? Asked first, so that nothing is dropped in vain. */
static bool could_have_room(const struct spool *s, size_t bytes, struct moment now) {
	size_t stay = 0;
	uint64_t stay_bytes = 0;
	for (size_t i = 0; i < s->count; i++) {
		if (may_go(&s->entries[i], now)) continue;
		stay++;
		stay_bytes += s->entries[i].bytes;
	}
	return stay < s->files_max && bytes <= s->bytes_max && stay_bytes <= s->bytes_max - bytes;
}

/* One event that may go for a newer one: the oldest stale ring, else the oldest motion. */
static bool drop_one(struct spool *s, struct moment now) {
	size_t motion = s->count;
	for (size_t i = 0; i < s->count; i++) {
		const struct spool_entry *e = &s->entries[i];
		if (!may_go(e, now)) continue;
		if (e->kind == VESTIBULE_RING) {
			s->counts.stale_rings++;
			spool_remove(s, i);
			return true;
		}
		if (motion == s->count) motion = i;
	}
	if (motion == s->count) return false;
	s->counts.dropped_motion++;
	spool_remove(s, motion);
	return true;
}

enum err spool_add(struct spool *s, enum vestibule_kind kind, const struct message_head *head,
				   struct span bytes, struct moment now) {
	if (!ENSURE(head->seq == s->next_seq)) return ERR_INPUT;
	if (!could_have_room(s, bytes.len, now)) return ERR_LIMIT;
	while (!has_room(s, bytes.len))
		if (!drop_one(s, now)) return ERR_LIMIT;
	enum err e = spool_dir_write(&s->dir, kind, head->seq, bytes);
	if (e != ERR_NONE) {
		s->counts.disk_errors++;
		return e;
	}
	s->entries[s->count++] = (struct spool_entry){.seq = head->seq,
												  .at_ms = (int64_t)head->at_ms,
												  .made_boot_ms = now.boot_ms,
												  .bytes = (uint32_t)bytes.len,
												  .kind = kind};
	s->bytes += bytes.len;
	s->next_seq++;
	return ERR_NONE;
}

size_t spool_count(const struct spool *s) {
	return s->count;
}

uint64_t spool_bytes(const struct spool *s) {
	return s->bytes;
}

struct spool_entry *spool_at(struct spool *s, size_t i) {
	return ENSURE(i < s->count) ? &s->entries[i] : NULL;
}

size_t spool_find(const struct spool *s, uint64_t seq) {
	for (size_t i = 0; i < s->count; i++)
		if (s->entries[i].seq == seq) return i;
	return s->count;
}

int64_t spool_age_ms(const struct spool_entry *e, struct moment now) {
	if (e->made_boot_ms >= 0) return now.boot_ms - e->made_boot_ms;
	/* Made before this start: UTC is all there is, and a time to come proves that one of the two is
	 * wrong. */
	if (e->at_ms == 0 || now.utc_ms < e->at_ms) return INT64_MAX;
	return now.utc_ms - e->at_ms;
}

bool spool_is_stale(const struct spool_entry *e, struct moment now) {
	return e->kind == VESTIBULE_RING && spool_age_ms(e, now) >= VESTIBULE_RING_LIFE_MS;
}

enum err spool_read(struct spool *s, size_t i, struct buf *out, struct message_head *head) {
	struct spool_entry *entry = spool_at(s, i);
	if (!entry) return ERR_INPUT;
	buf_reset(out);
	enum err e = spool_dir_read(&s->dir, entry->kind, entry->seq, out);
	if (e == ERR_STORE) s->counts.disk_errors++;
	if (e == ERR_LIMIT) e = ERR_INPUT; /* larger than any event */
	if (e != ERR_NONE) return e;
	struct message_head found;
	e = message_read(s->codec, entry->kind, buf_view(out), &found);
	if (e == ERR_NOMEM) return e;
	if (e != ERR_NONE || found.seq != entry->seq) return ERR_INPUT;
	*head = found;
	return ERR_NONE;
}

static void forget(struct spool *s, size_t i) {
	s->bytes -= s->entries[i].bytes;
	memmove(&s->entries[i], &s->entries[i + 1], (s->count - i - 1) * sizeof *s->entries);
	s->count--;
}

void spool_remove(struct spool *s, size_t i) {
	const struct spool_entry *e = spool_at(s, i);
	if (!e) return;
	if (spool_dir_remove(&s->dir, e->kind, e->seq) != ERR_NONE) s->counts.disk_errors++;
	forget(s, i);
}

void spool_set_aside(struct spool *s, size_t i) {
	const struct spool_entry *e = spool_at(s, i);
	if (!e) return;
	s->counts.corrupt++;
	if (spool_dir_set_aside(&s->dir, e->kind, e->seq) != ERR_NONE) s->counts.disk_errors++;
	forget(s, i);
}

const struct spool_counts *spool_counts(const struct spool *s) {
	return &s->counts;
}
