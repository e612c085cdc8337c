/* `vestibule-ctl quickstart`: a home, its doorbell, its first admin and its own automation in one
 * command, and what to type next. For somebody who is operator and resident in one
 * (docs/decisions/0005): the admin's token is drawn here and left in a file; the automation is
 * invited in the admin's name, as every later member is. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "clients/ctl/cred.h"
#include "clients/ctl/ctl.h"
#include "clients/mq/exchange.h"
#include "clients/mq/token.h"
#include "lib/hex.h"

enum { PATH_SIZE = 512, NAME_SIZE = 80 };

struct quickstart {
	const struct ctl_settings *s;
	char member[NAME_SIZE];
	char automation[NAME_SIZE];
	char device_token[PATH_SIZE];
	char member_token[PATH_SIZE];
	char automation_token[PATH_SIZE];
};

static bool name_files(struct quickstart *q, const struct ctl_settings *s) {
	const char *dir = s->out_dir ? s->out_dir : ".";
	int longest = 0;
	q->s = s;
	longest |= snprintf(q->member, NAME_SIZE, "%s", s->member) >= NAME_SIZE;
	longest |= snprintf(q->automation, NAME_SIZE, "%s-auto", s->home) >= NAME_SIZE;
	longest |= snprintf(q->device_token, PATH_SIZE, "%s/%s.token", dir, s->device) >= PATH_SIZE;
	longest |= snprintf(q->member_token, PATH_SIZE, "%s/%s.token", dir, s->member) >= PATH_SIZE;
	longest |=
		snprintf(q->automation_token, PATH_SIZE, "%s/%s.token", dir, q->automation) >= PATH_SIZE;
	if (longest) fputs(CTL_PROGRAM ": --out or a name is too long\n", stderr);
	return !longest;
}

static int put_home(struct quickstart *q, const struct opt_common *common) {
	const struct ctl_settings *s = q->s;
	struct ask a;
	ask_begin(&a);
	cJSON *row = ask_put(&a, "home", true);
	ask_text(row, "id", s->home);
	ask_text(row, "name", s->name);
	ask_int(row, "unsealed_ok", s->unsealed_ok ? 1 : 0);
	row = ask_put(&a, "device", true);
	ask_text(row, "id", s->device);
	ask_text(row, "home", s->home);
	ask_text(row, "cell", s->cell);
	struct cred device = {s->device, "device", s->device, NULL, q->device_token};
	struct cred member = {q->member, "member", s->home, "admin", q->member_token};
	int rc = cred_put(&a, &device);
	if (rc == EXIT_RECORDED) {
		rc = cred_put(&a, &member);
		if (rc != EXIT_RECORDED) cred_undo(&device);
	}
	if (rc == EXIT_RECORDED) {
		struct mq *mq = NULL;
		rc = ask_connect(common, &mq);
		bool sent = rc == EXIT_RECORDED;
		if (sent) rc = ask_send(&a, mq, common->timeout_ms, NULL);
		mq_free(mq);
		if (!sent) { /* nothing of it left this machine */
			cred_undo(&device);
			cred_undo(&member);
		} else {
			cred_settle(&device, rc);
			cred_settle(&member, rc);
		}
	}
	ask_end(&a);
	return rc;
}

/* The admin's first act: invite the home's automation, role limited. */
static int invite_automation(struct quickstart *q, const struct opt_common *common) {
	char hash[TOKEN_HASH_SIZE], why[MQ_WHY_SIZE];
	uint8_t digest[32];
	int rc = cred_token(q->automation_token, hash);
	if (rc != EXIT_RECORDED) return rc;
	if (hex_decode(span_str(hash), digest, sizeof digest) != ERR_NONE) return EXIT_INTERNAL;
	struct opt_common admin = *common;
	admin.username = q->member;
	admin.token_file = q->member_token;
	admin.token = NULL;
	admin.cert = admin.key = NULL;
	struct mq *mq = mq_new(&admin, &(struct mq_opts){0}, why);
	enum exit_code code = mq ? mq_connect(mq, why) : EXIT_INTERNAL;
	if (code == EXIT_RECORDED) {
		Vestibule__V1__Invite invite = VESTIBULE__V1__INVITE__INIT;
		invite.username = q->automation;
		invite.role = VESTIBULE__V1__MEMBER_ROLE__MEMBER_ROLE_LIMITED;
		invite.token_sha256 = (ProtobufCBinaryData){sizeof digest, digest};
		Vestibule__V1__HomeCommand cmd = VESTIBULE__V1__HOME_COMMAND__INIT;
		cmd.what_case = VESTIBULE__V1__HOME_COMMAND__WHAT_INVITE;
		cmd.invite = &invite;
		struct exchange_answer answer;
		code = exchange_home(mq, q->s->home, &cmd, common->timeout_ms, &answer);
		if (code != EXIT_RECORDED)
			exchange_complain(CTL_PROGRAM ": invite of the automation", code, &answer);
	} else {
		fprintf(stderr, CTL_PROGRAM ": as %s: %s\n", q->member, why);
	}
	mq_free(mq);
	return (int)code;
}

static void say_next(const struct quickstart *q, const struct opt_common *common) {
	const struct ctl_settings *s = q->s;
	if (common->json) {
		printf("{\"home\":\"%s\",\"device\":\"%s\",\"member\":\"%s\",\"automation\":\"%s\"}\n",
			   s->home, s->device, q->member, q->automation);
		return;
	}
	const char *dir = s->out_dir ? s->out_dir : ".";
	int port = (int)common->port;
	printf("home %s: doorbell %s, admin %s, automation %s (tokens in %s)\n\n"
		   "Next, each in a terminal of its own:\n",
		   s->home, s->device, q->member, q->automation, dir);
	printf("  vestibule-doorbell run --port %d --username %s --token-file %s --spool %s/%s-spool "
		   "--clips %s/%s-clips --socket %s/%s.sock\n",
		   port, s->device, q->device_token, dir, s->device, dir, s->device, dir, s->device);
	printf("  vestibule-home watch --port %d --username %s --token-file %s\n", port, q->member,
		   q->member_token);
	printf("  vestibule-doorbell ring --socket %s/%s.sock\nor with stock tools:\n", dir, s->device);
	printf("  mosquitto_sub -V mqttv5 -h %s -p %d -u %s -P \"$(cat %s)\" -t "
		   "'vestibule/v1/home/%s/json/#' -v\n",
		   common->host, port, q->automation, q->automation_token, s->home);
}

int quickstart_run(const struct opt_common *common, void *settings) {
	struct ctl_settings *s = settings;
	struct quickstart q = {0};
	if (!s->home) s->home = "home";
	if (!name_files(&q, s)) return EXIT_USAGE;
	if (s->out_dir && mkdir(s->out_dir, 0700) != 0 && errno != EEXIST) {
		fprintf(stderr, CTL_PROGRAM ": --out %s: cannot be made\n", s->out_dir);
		return EXIT_USAGE;
	}
	int rc = put_home(&q, common);
	if (rc == EXIT_RECORDED) rc = invite_automation(&q, common);
	if (rc == EXIT_RECORDED) say_next(&q, common);
	return rc;
}
