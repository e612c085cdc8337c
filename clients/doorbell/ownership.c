/* See ownership.h. */
#include "clients/doorbell/ownership.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void complain(const char *what, const char *why) {
	(void)fprintf(stderr, "vestibule-doorbell: %s: %s\n", what, why);
}

static void close_events(struct ownership *o) {
	if (o->over >= 0) (void)close(o->over);
	if (o->wake >= 0) (void)close(o->wake);
	o->over = o->wake = -1;
}

/* The listener's thread, or the main loop, looks again. A full counter has been seen by neither. */
static void poke(int event) {
	(void)eventfd_write(event, 1);
}

bool ownership_open(struct ownership *o, const char *dir, char why[OWNERSHIP_WHY_SIZE]) {
	if (!outcome_init(&o->claimed)) goto nothing;
	if (!outcome_init(&o->reset)) goto one;
	o->over = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	o->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (o->over < 0 || o->wake < 0) goto both;
	o->enrolment = enrolment_open(dir, why);
	if (o->enrolment) return true;
	close_events(o);
	outcome_fini(&o->reset);
	outcome_fini(&o->claimed);
	return false;
both:
	close_events(o);
	outcome_fini(&o->reset);
one:
	outcome_fini(&o->claimed);
nothing:
	o->over = o->wake = -1;
	(void)snprintf(why, OWNERSHIP_WHY_SIZE, "out of memory or descriptors");
	return false;
}

/* --- reset ------------------------------------------------------------------------------------ */

/* ERR_INPUT: the SDK would not take it; why. */
static enum err ask_reset(struct ownership *o, char why[OWNERSHIP_WHY_SIZE]) {
	struct vestibule_fault fault;
	enum vestibule_error e = vestibule_device_reset(o->device, &fault);
	if (e == VESTIBULE_OK || e == VESTIBULE_BUSY) return ERR_NONE; /* BUSY: asked already */
	(void)snprintf(why, OWNERSHIP_WHY_SIZE, "%s: %s", fault.field, fault.limit);
	return ERR_INPUT;
}

enum ownership_reset ownership_reset(struct ownership *o, int64_t timeout_ms,
									 struct outcome_word *word, char why[OWNERSHIP_WHY_SIZE]) {
	enum err e = ERR_NONE;
	if (enrolment_state(o->enrolment) != ENROLMENT_RESETTING) {
		outcome_ask(&o->reset);
		e = enrolment_reset(o->enrolment, why);
		poke(o->wake);
		clips_wipe(o->clips); /* whatever the disk said: it was asked for */
		if (e == ERR_NONE) e = ask_reset(o, why);
	}
	if (e != ERR_NONE) return OWNERSHIP_RESET_FAILED;
	return outcome_wait(&o->reset, timeout_ms, word) ? OWNERSHIP_RESET_TOLD : OWNERSHIP_RESET_WAITS;
}

/* The spool's own files (clients/sdk/spool_dir.h): their names begin with the number of an event. A
 * folder in it, that of the keys, say, is not touched. */
static bool wipe_spool(const char *dir) {
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	bool ok = d != NULL;
	if (!d && fd >= 0) (void)close(fd); /* the first error counts */
	for (const struct dirent *e; d && (e = readdir(d)) != NULL;) {
		size_t digits = strspn(e->d_name, "0123456789");
		bool ours = (digits == 20 && e->d_name[digits] == '-') || strcmp(e->d_name, "new.tmp") == 0;
		if (ours && unlinkat(fd, e->d_name, 0) != 0) ok = false;
	}
	if (d && fsync(fd) != 0) ok = false;
	if (d) (void)closedir(d); /* read only */
	return ok;
}

/* --- life ------------------------------------------------------------------------------------- */

/* What the broker had not answered when the daemon ended. */
static bool ask_again(const struct ownership *o, char why[OWNERSHIP_WHY_SIZE]) {
	struct offer offer;
	struct vestibule_fault fault;
	if (!enrolment_pending(o->enrolment, &offer)) return true;
	if (vestibule_device_first_admin(o->device, offer.username, offer.token_sha256, &fault) ==
		VESTIBULE_OK)
		return true;
	(void)snprintf(why, OWNERSHIP_WHY_SIZE, "the waiting claim cannot be asked for: %s",
				   fault.limit);
	return false;
}

bool ownership_start(struct ownership *o, const struct claim_opts *opts,
					 char why[OWNERSHIP_WHY_SIZE]) {
	struct claim_opts c = *opts;
	enum enrolment_state state = enrolment_state(o->enrolment);
	if (state == ENROLMENT_RESETTING) {
		clips_wipe(o->clips);
		return ask_reset(o, why) == ERR_NONE;
	}
	if (state == ENROLMENT_PENDING && !ask_again(o, why)) return false;
	if (state == ENROLMENT_CLAIMED || !c.at.host[0]) return true;
	c.enrolment = o->enrolment;
	c.device = o->device;
	c.outcome = &o->claimed;
	c.wake = o->wake;
	o->claim = claim_start(&c, why);
	return o->claim != NULL;
}

void ownership_stop(struct ownership *o) {
	claim_stop(o->claim);
	o->claim = NULL;
}

bool ownership_close(struct ownership *o) {
	struct outcome_word word;
	char why[KEEP_WHY_SIZE];
	bool ok = true;
	if (o->over < 0) return true;
	if (enrolment_state(o->enrolment) == ENROLMENT_RESETTING && outcome_wait(&o->reset, 0, &word)) {
		clips_wipe(o->clips); /* one that was being copied when the reset began */
		ok = wipe_spool(o->spool);
		if (!ok) complain(o->spool, "the spool cannot be wiped; start again to try again");
		if (ok && enrolment_renew(o->enrolment, why) != ERR_NONE) {
			complain("reset", why);
			ok = false;
		}
		if (ok)
			complain(
				"reset",
				"done; the device can be registered under a new name (vestibule-ctl device add)");
	}
	enrolment_close(o->enrolment);
	close_events(o);
	outcome_fini(&o->reset);
	outcome_fini(&o->claimed);
	return ok;
}

static void told_first_admin(struct ownership *o, const struct vestibule_claimed *claim) {
	char why[KEEP_WHY_SIZE];
	enum err e = ERR_NONE;
	if (claim->outcome == VESTIBULE_RECORDED && enrolment_state(o->enrolment) == ENROLMENT_PENDING)
		e = enrolment_claim(o->enrolment, NULL, why);
	if (claim->outcome != VESTIBULE_RECORDED &&
		enrolment_state(o->enrolment) == ENROLMENT_PENDING) {
		(void)fprintf(stderr, "vestibule-doorbell: claim refused: %s (%s)\n", claim->sentence,
					  claim->reason);
		e = enrolment_drop(o->enrolment, why);
	}
	if (e != ERR_NONE) complain("claim", why);
	outcome_tell(&o->claimed, claim);
	poke(o->wake);
}

void ownership_told(struct ownership *o, const struct vestibule_claimed *claim) {
	if (claim->what == VESTIBULE_FIRST_ADMIN) {
		told_first_admin(o, claim);
		return;
	}
	outcome_tell(&o->reset, claim);
	poke(o->over);
}

bool ownership_uri(const struct ownership *o, struct buf *out, char text[CODE_TEXT_SIZE]) {
	struct code code;
	struct claim_state state;
	if (!o->claim || !enrolment_code(o->enrolment, &code)) return false;
	claim_look(o->claim, &state);
	if (state.at.port != 0) {
		code_text(&code, text);
		code_uri(&code, &state.at, out);
	}
	explicit_bzero(&code, sizeof code);
	return state.at.port != 0;
}
