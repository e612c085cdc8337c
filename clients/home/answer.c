/* Words to decisions. Whether the ask is still open, and who may answer, the broker knows. */
#include "clients/home/answer.h"

#include "proto/uuid.h"

static enum answer_fault fault(char *why, enum answer_fault f, const char *before, const char *clip,
							   const char *after) {
	(void)snprintf(why, ANSWER_WHY_SIZE, "%s%.40s%s", before, clip,
				   after); /* a cut sentence still tells */
	return f;
}

static const Vestibule__V1__AskClip *find(const Vestibule__V1__Ask *ask, struct span id) {
	for (size_t i = 0; i < ask->n_clips; i++) {
		const ProtobufCBinaryData *have = &ask->clips[i]->clip_id;
		if (span_eq(span_of(have->data, have->len), id)) return ask->clips[i];
	}
	return NULL;
}

static bool is_decided(const struct answer *a, struct span id) {
	for (size_t i = 0; i < a->msg.n_decisions; i++) {
		const ProtobufCBinaryData *have = &a->decision[i].clip_id;
		if (span_eq(span_of(have->data, have->len), id)) return true;
	}
	return false;
}

static enum answer_fault decide(const Vestibule__V1__Ask *ask, const char *text, bool yes,
								struct answer *out, char *why) {
	uint8_t id[UUID_BYTES];
	struct span key = span_of(id, sizeof(id));
	if (uuid_parse(span_str(text), id) != ERR_NONE) {
		return fault(why, ANSWER_USAGE, "", text,
					 " is not the id of a clip (36 lower-case characters)");
	}
	const Vestibule__V1__AskClip *clip = find(ask, key);
	if (!clip) return fault(why, ANSWER_NOT_OFFERED, "clip ", text, " is not in this ask");
	if (is_decided(out, key)) return fault(why, ANSWER_USAGE, "clip ", text, " is named twice");
	if (yes && clip->sealed.len) {
		return fault(why, ANSWER_SEALED, "clip ", text,
					 " is sealed: to share it needs sealing support, which this program lacks");
	}
	size_t n = out->msg.n_decisions;
	if (n >= CODEC_DECISIONS_MAX)
		return fault(why, ANSWER_USAGE, "more clips than an ask can hold", "", "");
	Vestibule__V1__Decision *d = &out->decision[n];
	vestibule__v1__decision__init(d);
	d->clip_id = clip->clip_id;
	d->yes = yes;
	out->list[n] = d;
	out->msg.n_decisions = n + 1;
	return ANSWER_OK;
}

enum answer_fault answer_build(const Vestibule__V1__Ask *ask, const struct answer_words *words,
							   struct answer *out, char why[ANSWER_WHY_SIZE]) {
	*out = (struct answer){0};
	vestibule__v1__answer__init(&out->msg);
	out->msg.ask_id = ask->ask_id;
	out->msg.revision = ask->revision;
	out->msg.decisions = out->list;
	size_t named = words->yes->count + words->no->count;
	if (words->none == (named > 0)) {
		return fault(why, ANSWER_USAGE,
					 "give --yes CLIP and --no CLIP for each clip, or --none alone", "", "");
	}
	out->msg.none = words->none;
	enum answer_fault f = ANSWER_OK;
	for (size_t i = 0; i < words->no->count && f == ANSWER_OK; i++) {
		f = decide(ask, words->no->items[i], false, out, why);
	}
	for (size_t i = 0; i < words->yes->count && f == ANSWER_OK; i++) {
		f = decide(ask, words->yes->items[i], true, out, why);
		if (f == ANSWER_OK) out->decision[out->msg.n_decisions - 1].exp_ms = words->exp_ms;
	}
	if (words->yes->count) out->msg.key_id = ask->key_id;
	return f;
}
