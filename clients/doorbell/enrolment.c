/* See enrolment.h. */
#include "clients/doorbell/enrolment.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>

struct enrolment {
	char dir[KEEP_PATH_SIZE];
	struct signer key;
	pthread_mutex_t lock; /* everything below */
	enum enrolment_state state;
	struct code code;
	struct offer offer; /* PENDING: what waits; CLAIMED: the recipients */
};

enum { FILE_KEY = 0, FILE_CODE, FILE_PENDING, FILE_RECIPIENTS, FILE_RESET };
static const char *const names[] = {"device.key", "claim.code", "claim.pending", "recipients",
									"reset"};

static enum err path_of(const struct enrolment *e, int file, char out[KEEP_PATH_SIZE],
						char why[KEEP_WHY_SIZE]) {
	int n = snprintf(out, KEEP_PATH_SIZE, "%s/%s", e->dir, names[file]);
	if (n > 0 && n < KEEP_PATH_SIZE) return ERR_NONE;
	(void)snprintf(why, KEEP_WHY_SIZE, "%.200s: too long a path", e->dir);
	return ERR_STORE;
}

static enum err put(const struct enrolment *e, int file, struct span bytes,
					char why[KEEP_WHY_SIZE]) {
	char path[KEEP_PATH_SIZE];
	enum err err = path_of(e, file, path, why);
	return err == ERR_NONE ? keep_write(path, bytes, KEEP_REPLACE, why) : err;
}

static enum err gone(const struct enrolment *e, int file, char why[KEEP_WHY_SIZE]) {
	char path[KEEP_PATH_SIZE];
	enum err err = path_of(e, file, path, why);
	return err == ERR_NONE ? keep_remove(path, why) : err;
}

/* ERR_ABSENT: no such file. */
static enum err get(const struct enrolment *e, int file, char text[OFFER_TEXT_MAX], size_t *len,
					char why[KEEP_WHY_SIZE]) {
	char path[KEEP_PATH_SIZE];
	enum err err = path_of(e, file, path, why);
	return err == ERR_NONE ? keep_read(path, text, OFFER_TEXT_MAX, len, why) : err;
}

static enum err damaged(const struct enrolment *e, int file, char why[KEEP_WHY_SIZE]) {
	(void)snprintf(why, KEEP_WHY_SIZE, "%.200s/%s: is damaged; reset the device", e->dir,
				   names[file]);
	return ERR_INPUT;
}

/* --- opening ---------------------------------------------------------------------------------- */

static enum err draw_key(struct enrolment *e, char why[KEEP_WHY_SIZE]) {
	char path[KEEP_PATH_SIZE];
	enum err err = path_of(e, FILE_KEY, path, why);
	if (err == ERR_NONE && (err = signer_draw(&e->key)) != ERR_NONE)
		(void)snprintf(why, KEEP_WHY_SIZE, "no random bytes for a key");
	return err == ERR_NONE ? signer_keep(path, &e->key, why) : err;
}

/* A claimed device with a new key would be another device to its home. */
static enum err load_key(struct enrolment *e, char why[KEEP_WHY_SIZE]) {
	char path[KEEP_PATH_SIZE];
	enum err err = path_of(e, FILE_KEY, path, why);
	if (err == ERR_NONE) err = signer_load(path, &e->key, why);
	if (err != ERR_ABSENT) return err;
	if (e->state != ENROLMENT_CLAIMED) return draw_key(e, why);
	(void)snprintf(why, KEEP_WHY_SIZE, "%.200s: is gone, but the device is claimed; reset it",
				   path);
	return ERR_INPUT;
}

static enum err draw_code(struct enrolment *e, char why[KEEP_WHY_SIZE]) {
	char text[CODE_TEXT_SIZE + 1];
	if (code_draw(&e->code) != ERR_NONE) {
		(void)snprintf(why, KEEP_WHY_SIZE, "no random bytes for a claim code");
		return ERR_STORE;
	}
	code_text(&e->code, text);
	text[CODE_TEXT_SIZE - 1] = '\n';
	enum err err = put(e, FILE_CODE, span_of(text, CODE_TEXT_SIZE), why);
	explicit_bzero(text, sizeof text);
	return err;
}

static enum err load_code(struct enrolment *e, char why[KEEP_WHY_SIZE]) {
	char text[OFFER_TEXT_MAX], cause[CODE_WHY_SIZE];
	struct code_place place;
	size_t len = 0;
	enum err err = get(e, FILE_CODE, text, &len, why);
	if (err == ERR_ABSENT) return draw_code(e, why);
	if (err != ERR_NONE) return err;
	if (len == 0 || text[len - 1] != '\n' ||
		code_parse(span_of(text, len - 1), &e->code, &place, cause) != ERR_NONE)
		err = damaged(e, FILE_CODE, why);
	explicit_bzero(text, sizeof text);
	return err;
}

static enum err load_offer(struct enrolment *e, int file, bool pending, char why[KEEP_WHY_SIZE]) {
	char text[OFFER_TEXT_MAX];
	size_t len = 0;
	enum err err = get(e, file, text, &len, why);
	if (err == ERR_NONE && offer_parse(span_of(text, len), pending, &e->offer) != ERR_NONE)
		err = damaged(e, file, why);
	return err;
}

static enum err forget_claim(const struct enrolment *e, char why[KEEP_WHY_SIZE]) {
	enum err err = gone(e, FILE_PENDING, why);
	return err == ERR_NONE ? gone(e, FILE_CODE, why) : err;
}

static enum err load_state(struct enrolment *e, char why[KEEP_WHY_SIZE]) {
	char text[OFFER_TEXT_MAX];
	size_t len = 0;
	enum err err = get(e, FILE_RESET, text, &len, why);
	if (err == ERR_NONE) {
		e->state = ENROLMENT_RESETTING;
		if ((err = gone(e, FILE_RECIPIENTS, why)) == ERR_NONE) err = forget_claim(e, why);
		return err;
	}
	if (err != ERR_ABSENT) return err;
	err = load_offer(e, FILE_RECIPIENTS, false, why);
	if (err == ERR_NONE) {
		e->state = ENROLMENT_CLAIMED;
		return forget_claim(e, why);
	}
	if (err != ERR_ABSENT) return err;
	if ((err = load_code(e, why)) != ERR_NONE) return err;
	err = load_offer(e, FILE_PENDING, true, why);
	e->state = err == ERR_NONE ? ENROLMENT_PENDING : ENROLMENT_UNCLAIMED;
	return err == ERR_ABSENT ? ERR_NONE : err;
}

static enum err open_folder(const struct enrolment *e, char why[KEEP_WHY_SIZE]) {
	struct stat st;
	enum err err = keep_folder(e->dir, why);
	if (err != ERR_NONE) return err;
	if (stat(e->dir, &st) != 0 || (st.st_mode & (S_IWGRP | S_IWOTH))) {
		(void)snprintf(why, KEEP_WHY_SIZE, "%.200s: mode 0700 needed, others may write", e->dir);
		return ERR_INPUT;
	}
	return ERR_NONE;
}

struct enrolment *enrolment_open(const char *dir, char why[KEEP_WHY_SIZE]) {
	struct enrolment *e = calloc(1, sizeof *e);
	if (!e || pthread_mutex_init(&e->lock, NULL) != 0) {
		(void)snprintf(why, KEEP_WHY_SIZE, "out of memory");
		free(e);
		return NULL;
	}
	enum err err = ERR_NONE;
	if (!span_copy(span_str(dir), e->dir, sizeof e->dir)) {
		(void)snprintf(why, KEEP_WHY_SIZE, "%.200s: too long a path", dir);
		err = ERR_STORE;
	}
	if (err == ERR_NONE) err = open_folder(e, why);
	if (err == ERR_NONE) err = load_state(e, why);
	if (err == ERR_NONE) err = load_key(e, why);
	if (err == ERR_NONE) return e;
	enrolment_close(e);
	return NULL;
}

void enrolment_close(struct enrolment *e) {
	if (!e) return;
	(void)pthread_mutex_destroy(&e->lock); /* nobody holds it any more */
	signer_wipe(&e->key);
	explicit_bzero(e, sizeof *e);
	free(e);
}

/* --- looking ---------------------------------------------------------------------------------- */

enum enrolment_state enrolment_state(struct enrolment *e) {
	(void)pthread_mutex_lock(&e->lock);
	enum enrolment_state s = e->state;
	(void)pthread_mutex_unlock(&e->lock);
	return s;
}

const uint8_t *enrolment_key(const struct enrolment *e) {
	return e->key.public_key;
}

size_t enrolment_recipients(struct enrolment *e) {
	(void)pthread_mutex_lock(&e->lock);
	size_t n = e->state == ENROLMENT_CLAIMED ? e->offer.count : 0;
	(void)pthread_mutex_unlock(&e->lock);
	return n;
}

bool enrolment_code(struct enrolment *e, struct code *out) {
	(void)pthread_mutex_lock(&e->lock);
	bool has = e->state == ENROLMENT_UNCLAIMED || e->state == ENROLMENT_PENDING;
	if (has) *out = e->code;
	(void)pthread_mutex_unlock(&e->lock);
	return has;
}

bool enrolment_pending(struct enrolment *e, struct offer *out) {
	(void)pthread_mutex_lock(&e->lock);
	bool has = e->state == ENROLMENT_PENDING;
	if (has) *out = e->offer;
	(void)pthread_mutex_unlock(&e->lock);
	return has;
}

/* --- steps, each under the lock ---------------------------------------------------------------- */

static enum err refuse(char why[KEEP_WHY_SIZE], const char *what) {
	(void)snprintf(why, KEEP_WHY_SIZE, "%s", what);
	return ERR_INPUT;
}

static bool is_same(const struct offer *a, const struct offer *b) {
	return span_eq(span_str(a->username), span_str(b->username)) &&
		   span_eq(span_of(a->token_sha256, sizeof a->token_sha256),
				   span_of(b->token_sha256, sizeof b->token_sha256));
}

static enum err hold(struct enrolment *e, const struct offer *offer, char why[KEEP_WHY_SIZE]) {
	char text[OFFER_TEXT_MAX];
	if (e->state == ENROLMENT_PENDING)
		return is_same(&e->offer, offer) ? ERR_NONE
										 : refuse(why, "another claim waits for the broker");
	if (e->state != ENROLMENT_UNCLAIMED) return refuse(why, "the device is not to be claimed");
	enum err err = put(e, FILE_PENDING, offer_text(offer, true, text), why);
	if (err != ERR_NONE) return err;
	e->offer = *offer;
	e->state = ENROLMENT_PENDING;
	return ERR_NONE;
}

static enum err claim(struct enrolment *e, const struct offer *offer, char why[KEEP_WHY_SIZE]) {
	char text[OFFER_TEXT_MAX];
	if (!offer && e->state == ENROLMENT_PENDING) offer = &e->offer;
	if (!offer || (e->state != ENROLMENT_UNCLAIMED && e->state != ENROLMENT_PENDING))
		return refuse(why, "the device is not to be claimed");
	enum err err = put(e, FILE_RECIPIENTS, offer_text(offer, false, text), why);
	if (err != ERR_NONE) return err;
	if (offer != &e->offer) e->offer = *offer;
	e->state = ENROLMENT_CLAIMED;
	explicit_bzero(&e->code, sizeof e->code);
	return forget_claim(e, why); /* what stays goes at the next start */
}

static enum err reset(struct enrolment *e, char why[KEEP_WHY_SIZE]) {
	enum err err = put(e, FILE_RESET, SPAN_LIT("reset\n"), why);
	if (err != ERR_NONE) return err;
	e->state = ENROLMENT_RESETTING;
	explicit_bzero(&e->code, sizeof e->code);
	explicit_bzero(&e->offer, sizeof e->offer);
	if ((err = gone(e, FILE_RECIPIENTS, why)) == ERR_NONE) err = forget_claim(e, why);
	return err;
}

static enum err renew(struct enrolment *e, char why[KEEP_WHY_SIZE]) {
	if (e->state != ENROLMENT_RESETTING) return refuse(why, "the device is not being reset");
	enum err err = gone(e, FILE_KEY, why);
	if (err == ERR_NONE) err = draw_key(e, why);
	if (err == ERR_NONE) err = draw_code(e, why);
	if (err == ERR_NONE) err = gone(e, FILE_RESET, why);
	if (err == ERR_NONE) e->state = ENROLMENT_UNCLAIMED;
	return err;
}

enum err enrolment_hold(struct enrolment *e, const struct offer *offer, char why[KEEP_WHY_SIZE]) {
	(void)pthread_mutex_lock(&e->lock);
	enum err err = hold(e, offer, why);
	(void)pthread_mutex_unlock(&e->lock);
	return err;
}

enum err enrolment_drop(struct enrolment *e, char why[KEEP_WHY_SIZE]) {
	(void)pthread_mutex_lock(&e->lock);
	enum err err = e->state == ENROLMENT_PENDING ? gone(e, FILE_PENDING, why)
												 : refuse(why, "nothing waits for the broker");
	if (err == ERR_NONE) e->state = ENROLMENT_UNCLAIMED;
	(void)pthread_mutex_unlock(&e->lock);
	return err;
}

enum err enrolment_claim(struct enrolment *e, const struct offer *offer, char why[KEEP_WHY_SIZE]) {
	(void)pthread_mutex_lock(&e->lock);
	enum err err = claim(e, offer, why);
	(void)pthread_mutex_unlock(&e->lock);
	return err;
}

enum err enrolment_reset(struct enrolment *e, char why[KEEP_WHY_SIZE]) {
	(void)pthread_mutex_lock(&e->lock);
	enum err err = reset(e, why);
	(void)pthread_mutex_unlock(&e->lock);
	return err;
}

enum err enrolment_renew(struct enrolment *e, char why[KEEP_WHY_SIZE]) {
	(void)pthread_mutex_lock(&e->lock);
	enum err err = renew(e, why);
	(void)pthread_mutex_unlock(&e->lock);
	return err;
}
