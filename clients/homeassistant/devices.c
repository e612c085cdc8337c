/* See devices.h. */
#include "clients/homeassistant/devices.h"

void devices_fini(struct devices *d) {
	for (size_t i = 0; i < d->count; i++) poster_fini(&d->all[i].poster);
	d->count = 0;
}

struct device *devices_find(struct devices *d, struct span id) {
	for (size_t i = 0; i < d->count; i++) {
		if (span_eq(span_str(d->all[i].id), id)) return &d->all[i];
	}
	return NULL;
}

static enum err add(struct devices *d, struct span id, struct device **out) {
	*out = devices_find(d, id);
	if (*out) return ERR_NONE;
	if (!topic_id_is_valid(id)) return ERR_INPUT;
	if (d->count == DEVICES_MAX) return ERR_LIMIT;
	struct device *one = &d->all[d->count];
	*one = (struct device){0};
	if (!span_copy(id, one->id, sizeof(one->id))) return ERR_INPUT;
	poster_init(&one->poster);
	d->count++;
	*out = one;
	return ERR_NONE;
}

void devices_begin(struct devices *d) {
	for (size_t i = 0; i < d->count; i++) d->all[i].listed = false;
}

enum err devices_list(struct devices *d, const char *id, const char *name) {
	struct device *one;
	enum err e = add(d, span_str(id), &one);
	if (e != ERR_NONE) return e;
	one->listed = true;
	if (span_eq(span_str(one->name), span_str(name))) return ERR_NONE;
	one->current = false;
	/* too long a name, which the codec does not let through: the id serves */
	if (!span_copy(span_str(name), one->name, sizeof(one->name))) one->name[0] = '\0';
	return ERR_NONE;
}

void devices_end(struct devices *d) {
	for (size_t i = 0; i < d->count; i++) {
		d->all[i].live = d->all[i].listed;
		d->all[i].judged = true;
		if (!d->all[i].live) d->all[i].current = false;
	}
	d->synced = true;
}

enum err devices_seen(struct devices *d, struct span id) {
	struct device *one;
	enum err e = add(d, id, &one);
	if (e == ERR_NONE) one->out = true;
	return e;
}

void devices_retell(struct devices *d) {
	for (size_t i = 0; i < d->count; i++) d->all[i].current = false;
}

void devices_disconnected(struct devices *d) {
	for (size_t i = 0; i < d->count; i++) d->all[i].mid = 0;
}

void devices_drop_all(struct devices *d) {
	for (size_t i = 0; i < d->count; i++) {
		if (d->all[i].live) d->all[i].out = true;
		d->all[i].live = false;
	}
}

bool devices_must_tell(const struct device *one) {
	return one->live && !one->current;
}

bool devices_must_remove(const struct devices *d, const struct device *one) {
	return d->synced && one->judged && !one->live && one->out;
}

void devices_sweep(struct devices *d) {
	size_t kept = 0;
	for (size_t i = 0; i < d->count; i++) {
		struct device *one = &d->all[i];
		if (d->synced && !one->live && !one->listed && !one->out && one->mid == 0) {
			poster_fini(&one->poster);
			continue;
		}
		if (kept != i) d->all[kept] = *one;
		kept++;
	}
	d->count = kept;
}

bool devices_is_settled(const struct devices *d) {
	for (size_t i = 0; i < d->count; i++) {
		const struct device *one = &d->all[i];
		if (one->mid || !one->judged) return false;
		if (devices_must_tell(one) || devices_must_remove(d, one)) return false;
	}
	return d->synced;
}
