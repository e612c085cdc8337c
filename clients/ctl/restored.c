/* `vestibule-ctl restored`: the operator says that the database was restored, offline. The broker notices
 * most restores by itself when it starts; this is for those that cannot be seen, as when a whole
 * machine is set back, and for who wants to see the result before the broker runs. Both end all
 * grants through plugin/store/settle.h. Not here: which grants, and why. */
#include <stdio.h>

#include "clients/ctl/ctl.h"
#include "lib/buf.h"
#include "plugin/store/settle.h"

#define PROGRAM "vestibule-ctl restored"

static int refused(const char *why) {
	fprintf(stderr, PROGRAM ": %s\n", why);
	return EXIT_REFUSED;
}

static int tell(const struct opt_common *common, const char *path, const struct settle_sum *sum) {
	if (!common->json) {
		printf(
			"%s: ended %zu clip grants and %zu standing grants; homes read it in their receipts\n",
			path, sum->clip_grants, sum->standing_grants);
		return EXIT_RECORDED;
	}
	struct buf line;
	buf_init(&line, 8192);
	buf_str(&line, "{\"store\":");
	buf_json(&line, span_str(path));
	printf("%s,\"clip_grants\":%zu,\"standing_grants\":%zu}\n", buf_cstr(&line), sum->clip_grants,
		   sum->standing_grants);
	buf_fini(&line);
	return EXIT_RECORDED;
}

/* Offline there is no clock to judge: what ends now may be dated by a clock that is wrong. */
static enum err settle(struct store *store, struct settle_sum *sum, char why[STORE_WHY_SIZE]) {
	struct clock_judge judge;
	uint64_t seq = 0;
	struct state *st = state_new(0, 0); /* keys of our own file */
	(void)snprintf(why, STORE_WHY_SIZE, "out of memory");
	if (!st) return ERR_NOMEM;
	enum err e = settle_load(store, st, &seq, why);
	clock_judge_init(&judge, 0);
	struct moment now = clock_judge_look(&judge, clock_read());
	if (e == ERR_NONE) e = settle_restored(store, st, now, &seq, sum, why);
	state_free(st);
	return e;
}

int restored_run(const struct opt_common *common, void *settings) {
	const struct ctl_settings *s = settings;
	char why[STORE_WHY_SIZE] = "";
	struct store *store = NULL;
	struct settle_sum sum = {0};
	if (!s->store) {
		fputs(PROGRAM ": --store FILE is missing\n", stderr);
		return EXIT_USAGE;
	}
	if (store_sqlite_open_restored(s->store, &store, why) != ERR_NONE) return refused(why);
	enum err e = settle(store, &sum, why);
	store->ops->close(store);
	return e == ERR_NONE ? tell(common, s->store, &sum) : refused(why);
}
