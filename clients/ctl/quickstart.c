/* `vestibule-ctl quickstart`: a home, its doorbell, its first admin and its own automation in one
 * command, and what to type next. For somebody who is operator and resident in one
 * (docs/decisions/0006): the doorbell's token is drawn here anyway, so the first admin is named in
 * the doorbell's name, as an enrolment would, and the automation invited in the admin's. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
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

/* The people's names are not put by us, so the broker cannot refuse them together with the rest: they
 * are looked up first. A name that was given and has ended is found taken only later. */
static int check_names(const struct quickstart *q, struct mq *mq, const struct opt_common *common) {
	const char *const names[] = {q->member, q->automation};
	int rc = EXIT_RECORDED;
	for (size_t i = 0; i < 2 && rc == EXIT_RECORDED; i++) {
		struct ask a;
		cJSON *answers = NULL;
		ask_begin(&a);
		cJSON *look = ask_command(&a, "explain");
		ask_text(look, "username", names[i]);
		ask_text(look, "access", "read");
		ask_text(look, "topic", "vestibule");
		rc = ask_send(&a, mq, common->timeout_ms, &answers);
		const cJSON *data =
			cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(answers, 0), "data");
		const cJSON *reason = cJSON_GetObjectItemCaseSensitive(data, "reason");
		bool is_free =
			cJSON_IsString(reason) && strcmp(reason->valuestring, "unknown_credential") == 0;
		if (rc == EXIT_RECORDED && !is_free) {
			fprintf(stderr, CTL_PROGRAM ": credential %s exists already\n", names[i]);
			rc = EXIT_REFUSED;
		}
		cJSON_Delete(answers);
		ask_end(&a);
	}
	return rc;
}

static int put_home(struct quickstart *q, const struct opt_common *common) {
	const struct ctl_settings *s = q->s;
	struct ask a;
	struct mq *mq = NULL;
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
	int rc = cred_put(&a, &device);
	bool drawn = rc == EXIT_RECORDED, sent = false;
	if (rc == EXIT_RECORDED) rc = ask_connect(common, &mq);
	if (rc == EXIT_RECORDED) rc = check_names(q, mq, common);
	if (rc == EXIT_RECORDED) {
		sent = true;
		rc = ask_send(&a, mq, common->timeout_ms, NULL);
	}
	mq_free(mq);
	if (sent) cred_settle(&device, rc);
	if (drawn && !sent) cred_undo(&device); /* nothing of it left this machine */
	ask_end(&a);
	return rc;
}

/* --- in other people's names ------------------------------------------------------------------ */

static enum exit_code connect_as(const struct opt_common *common, const char *username,
								 const char *token_file, struct mq **mq) {
	char why[MQ_WHY_SIZE];
	struct opt_common as = *common;
	as.username = username;
	as.token_file = token_file;
	as.token = NULL;
	as.cert = as.key = NULL;
	*mq = mq_new(&as, &(struct mq_opts){0}, why);
	enum exit_code code = *mq ? mq_connect(*mq, why) : EXIT_INTERNAL;
	if (code != EXIT_RECORDED) fprintf(stderr, CTL_PROGRAM ": as %s: %s\n", username, why);
	return code;
}

/* Draws a token into path; its digest goes to the broker. */
static int draw(const char *path, uint8_t digest[32]) {
	char hash[TOKEN_HASH_SIZE];
	int rc = cred_token(path, hash);
	if (rc != EXIT_RECORDED) return rc;
	return hex_decode(span_str(hash), digest, 32) == ERR_NONE ? EXIT_RECORDED : EXIT_INTERNAL;
}

/* No operator adds a member: the device, whose token we hold, names the first one. */
static int claim_home(struct quickstart *q, const struct opt_common *common,
					  const uint8_t digest[32]) {
	struct cred member = {.token_out = q->member_token};
	struct mq *mq = NULL;
	enum exit_code code = connect_as(common, q->s->device, q->device_token, &mq);
	if (code == EXIT_RECORDED) {
		Vestibule__V1__FirstAdmin first = VESTIBULE__V1__FIRST_ADMIN__INIT;
		first.username = q->member;
		first.token_sha256 = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)digest};
		Vestibule__V1__DeviceClaim claim = VESTIBULE__V1__DEVICE_CLAIM__INIT;
		claim.what_case = VESTIBULE__V1__DEVICE_CLAIM__WHAT_FIRST_ADMIN;
		claim.first_admin = &first;
		struct exchange_answer answer;
		code = exchange_claim(mq, q->s->device, &claim, common->timeout_ms, &answer);
		if (code != EXIT_RECORDED)
			exchange_complain(CTL_PROGRAM ": first admin of the home", code, &answer);
		cred_settle(&member, (int)code);
	} else {
		cred_undo(&member);
	}
	mq_free(mq);
	return (int)code;
}

/* The admin's first act: invite the home's automation, role limited. */
static int invite_automation(struct quickstart *q, const struct opt_common *common) {
	uint8_t digest[32];
	int rc = draw(q->automation_token, digest);
	if (rc != EXIT_RECORDED) return rc;
	struct mq *mq = NULL;
	enum exit_code code = connect_as(common, q->member, q->member_token, &mq);
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
	printf(
		"The doorbell is claimed, but no keys are exchanged yet: it still shows a claim code. For "
		"that:\n  vestibule-home claim CODE --at HOST:PORT --port %d --username %s "
		"--token-file %s\n",
		port, q->member, q->member_token);
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
	uint8_t admin[32];
	int rc = draw(q.member_token, admin);
	if (rc != EXIT_RECORDED) return rc;
	rc = put_home(&q, common);
	if (rc == EXIT_RECORDED)
		rc = claim_home(&q, common, admin);
	else
		cred_undo(&(struct cred){.token_out = q.member_token}); /* it went nowhere */
	if (rc == EXIT_RECORDED) rc = invite_automation(&q, common);
	if (rc == EXIT_RECORDED) say_next(&q, common);
	return rc;
}
