/* See claim.h. */
#include "clients/sdk/claim.h"

enum { REFUSED = 0x87 };

void claim_init(struct claim *c) {
	*c = (struct claim){.what = VESTIBULE_NO_CLAIM};
	buf_init(&c->bytes, 1);
}

void claim_fini(struct claim *c) {
	buf_fini(&c->bytes);
}

void claim_set(struct claim *c, enum vestibule_claim what, const uint8_t event_id[UUID_BYTES],
			   struct buf *bytes) {
	bool is_out = c->is_out; /* of the one before: the slot is taken until it has left */
	buf_fini(&c->bytes);
	*c = (struct claim){.what = what, .bytes = *bytes, .is_out = is_out};
	memcpy(c->event_id, event_id, UUID_BYTES);
	buf_init(bytes, 1); /* it is ours */
}

bool claim_next(struct claim *c, struct moment now) {
	if (c->what == VESTIBULE_NO_CLAIM || c->is_out || c->is_over) return false;
	if (c->denial_until_boot_ms != 0 || now.boot_ms < c->due_boot_ms) return false;
	c->is_out = c->was_sent = true;
	return true;
}

void claim_sent(struct claim *c, int code, struct moment now) {
	c->is_out = false;
	if (c->what == VESTIBULE_NO_CLAIM || !c->was_sent) return; /* of one that was replaced */
	c->due_boot_ms = now.boot_ms + CLAIM_AGAIN_MS;
	if (code == REFUSED && !c->is_over) c->denial_until_boot_ms = now.boot_ms + CLAIM_DENIAL_MS;
}

void claim_offline(struct claim *c) {
	c->is_out = false;
	c->due_boot_ms = 0;
}

static void copy_cut(struct span s, char *out, size_t size) {
	size_t n = s.len < size ? s.len : size - 1;
	if (n) memcpy(out, s.ptr, n);
	out[n] = '\0';
}

static void end(struct claim *c, enum vestibule_outcome outcome, struct span reason,
				struct span sentence) {
	c->is_over = true;
	c->outcome = outcome;
	copy_cut(reason, c->reason, sizeof c->reason);
	copy_cut(sentence, c->sentence, sizeof c->sentence);
}

void claim_not_let_in(struct claim *c) {
	if (c->what == VESTIBULE_NO_CLAIM || c->is_over) return;
	if (c->what == VESTIBULE_RESET && c->was_sent)
		end(c, VESTIBULE_RECORDED, SPAN_LIT(""), SPAN_LIT(""));
	else
		end(c, VESTIBULE_REFUSED, SPAN_LIT("not_let_in"),
			SPAN_LIT("The broker lets this device in no more, or never did."));
}

static bool is_ours(const struct claim *c, struct span event_id) {
	return c->what != VESTIBULE_NO_CLAIM && !c->is_over &&
		   span_eq(event_id, span_of(c->event_id, sizeof c->event_id));
}

static bool is_passing(struct span reason) {
	return span_eq(reason, SPAN_LIT("not_ready")) || span_eq(reason, SPAN_LIT("not_durable")) ||
		   span_eq(reason, SPAN_LIT("busy")) || span_eq(reason, SPAN_LIT("rate"));
}

bool claim_denied(struct claim *c, struct span event_id, struct span reason, struct span sentence,
				  struct moment now) {
	if (!is_ours(c, event_id)) return false;
	if (is_passing(reason)) {
		c->denial_until_boot_ms = 0;
		c->due_boot_ms = now.boot_ms + CLAIM_AGAIN_MS;
	} else {
		end(c, VESTIBULE_REFUSED, reason, sentence);
	}
	return true;
}

bool claim_recorded(struct claim *c, struct span event_id) {
	if (!is_ours(c, event_id)) return false;
	end(c, VESTIBULE_RECORDED, SPAN_LIT(""), SPAN_LIT(""));
	return true;
}

bool claim_settle(struct claim *c, struct moment now, struct vestibule_claimed *out) {
	if (c->what == VESTIBULE_NO_CLAIM) return false;
	bool unexplained = c->denial_until_boot_ms != 0 && now.boot_ms >= c->denial_until_boot_ms;
	if (!c->is_over && unexplained)
		end(c, VESTIBULE_REFUSED, SPAN_LIT("not_given"), SPAN_LIT("the broker gave no reason"));
	if (!c->is_over) return false;
	*out = (struct vestibule_claimed){
		.what = c->what, .outcome = c->outcome, .reason = c->reason, .sentence = c->sentence};
	c->what = VESTIBULE_NO_CLAIM;
	return true;
}

int64_t claim_due_ms(const struct claim *c, bool online) {
	if (c->what == VESTIBULE_NO_CLAIM) return INT64_MAX;
	if (c->is_over) return 0;
	if (c->denial_until_boot_ms != 0) return c->denial_until_boot_ms;
	return online && !c->is_out ? c->due_boot_ms : INT64_MAX;
}
