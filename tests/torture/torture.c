/* Every allocation fails once, then every operation on the store's file: torture FOLDER [STRIDE [FIRST]].
 * One story (start, load, logins, commands of the operator and of a home, events in both forms,
 * reads, a sync, a retraction, the end) is played again and again, and the n-th allocation or
 * operation fails, for n = 1, 2, ... until nothing is left to fail. Whatever fails: no crash and no
 * leak (run it with sanitizers), a neighbour reads nothing, an integrator nothing before the grant
 * and nothing after the retraction, and what was told to be recorded is in the file afterwards.
 *
 * Closing line: `torture: A allocations, I file operations, F failures`. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/hex.h"
#include "plugin/store/store.h"
#include "proto/codec.h"
#include "proto/uuid.h"
#include "tests/torture/broker.h"
#include "tests/unit/policy/rows.h"

#include <openssl/sha.h>

#define TOKEN "0123456789abcdef0123456789abcdef"
#define RING  "vestibule/v1/device/front/ring"
#define JSON  "vestibule/v1/home/maple/json/front/ring"

static char folder[512], template_path[600], path[600];
static unsigned failures;
static const char *playing = "";
static long playing_n;

static void must(bool truth, const char *what) {
	if (truth) return;
	failures++;
	(void)fprintf(stderr, "%s %ld: %s\n", playing, playing_n, what);
}

/* --- the file it starts from ------------------------------------------------------------------ */

static void add_user(struct change *c, struct row_credential *cred, struct row_token *token,
					 const char *name, enum cred_kind kind, const char *subject,
					 enum cred_role role) {
	uint8_t digest[SHA256_DIGEST_LENGTH];
	*cred = (struct row_credential){.row.kind = ROW_CREDENTIAL, .kind = kind, .role = role};
	*token = (struct row_token){.row.kind = ROW_TOKEN, .created_ms = 1};
	(void)SHA256((const uint8_t *)TOKEN, strlen(TOKEN), digest);
	hex_encode(span_of(digest, sizeof(digest)), token->sha256);
	(void)span_copy(span_str(name), cred->username, sizeof(cred->username));
	(void)span_copy(span_str(subject), cred->subject, sizeof(cred->subject));
	(void)span_copy(span_str(name), token->username, sizeof(token->username));
	(void)snprintf(token->id, sizeof(token->id), "%.60s/0", name); /* made to fit */
	c->ops[c->count++].row = &cred->row;
	c->ops[c->count++].row = &token->row;
}

static void make_template(void) {
	static const struct {
		const char *name;
		enum cred_kind kind;
		const char *subject;
		enum cred_role role;
	} users[] = {{"alice", CRED_MEMBER, "maple", ROLE_ADMIN},
				 {"bob", CRED_MEMBER, "oak", ROLE_ADMIN},
				 {"front-1", CRED_DEVICE, "front", ROLE_NONE},
				 {"alarm-1", CRED_INTEGRATOR, "alarm", ROLE_NONE},
				 {"root-op", CRED_OPERATOR, "", ROLE_NONE}};
	enum { USERS = sizeof(users) / sizeof(users[0]) };
	struct row_credential creds[USERS];
	struct row_token tokens[USERS];
	char why[STORE_WHY_SIZE] = "";
	struct store *s = NULL;
	struct change c = {.seq = 1, .at_ms = 1, .count = 4};
	c.ops[0].row = HOME("maple");
	c.ops[1].row = HOME("oak");
	c.ops[2].row = DEVICE("front", "maple", "");
	c.ops[3].row = ROW(ROW_INTEGRATOR, integrator, .id = "alarm", .name = "Alarm");
	for (size_t i = 0; i < USERS; i++)
		add_user(&c, &creds[i], &tokens[i], users[i].name, users[i].kind, users[i].subject,
				 users[i].role);
	const struct change *list[] = {&c};
	if (store_sqlite_create(template_path, &s, why) != ERR_NONE ||
		s->ops->commit(s, list, 1, why) != ERR_NONE) {
		(void)fprintf(stderr, "torture: %s\n", why);
		exit(1);
	}
	s->ops->close(s);
}

static void copy_template(void) {
	static char bytes[1 << 22];
	char side[640];
	static const char *const sides[] = {"-wal", "-shm", ".mark"};
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(side, sizeof(side), "%s%s", path, sides[i]); /* made to fit */
		(void)unlink(side);                                         /* mostly absent */
	}
	int in = open(template_path, O_RDONLY), out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n = in >= 0 ? read(in, bytes, sizeof(bytes)) : -1;
	if (n <= 0 || out < 0 || write(out, bytes, (size_t)n) != n) abort();
	(void)close(in);
	(void)close(out);
}

/* --- what was told ---------------------------------------------------------------------------- */

static const uint8_t retract_id[UUID_BYTES] = {1,    2, 3, 4, 5, 6, 0x70, 7,
											   0x80, 9, 9, 9, 9, 9, 9,    9};
static atomic_bool retraction_told;
static char granted[ROW_UUID_SIZE]; /* the grant, as alice learns its id */

static void on_published(const char *client_id, const char *topic, const void *payload,
						 size_t len) {
	(void)client_id;
	enum fault_kind kind = fault.kind;
	fault.kind = FAULT_NONE; /* the test's own memory */
	if (strcmp(topic, "vestibule/v1/user/alice/reply") == 0) {
		Vestibule__V1__Reply *r = vestibule__v1__reply__unpack(NULL, len, payload);
		for (size_t i = 0; r && i < r->n_receipts; i++) {
			const Vestibule__V1__Receipt *m = r->receipts[i];
			bool ours = m->in_reply_to.len == UUID_BYTES &&
						memcmp(m->in_reply_to.data, retract_id, UUID_BYTES) == 0;
			if (ours && m->kind == VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_RECORDED)
				atomic_store(&retraction_told, true);
		}
		for (size_t i = 0; r && i < r->n_grants; i++) {
			if (r->grants[i]->standing && r->grants[i]->grant_id.len == UUID_BYTES)
				uuid_text(r->grants[i]->grant_id.data, granted);
		}
		if (r) vestibule__v1__reply__free_unpacked(r, NULL);
	} else if (strcmp(topic, "vestibule/v1/home/maple/receipt") == 0) {
		Vestibule__V1__Receipt *m = vestibule__v1__receipt__unpack(NULL, len, payload);
		if (m && m->kind == VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_GRANT_GIVEN &&
			m->grant_id.len == UUID_BYTES)
			uuid_text(m->grant_id.data, granted);
		if (m) vestibule__v1__receipt__free_unpacked(m, NULL);
	}
	fault.kind = kind;
}

/* --- the story -------------------------------------------------------------------------------- */

static struct mosquitto alice = {"alice", "alice"}, bob = {"bob", "bob"},
						front = {"front-1", "front-1"}, alarm_1 = {"alarm-1", "alarm-1"},
						operator_1 = {"root-op", "root-op"};
static uint8_t ids;

static void new_id(uint8_t id[UUID_BYTES]) {
	uint8_t random[10] = {0, 0, 0, ++ids};
	uuid_v7(clock_read().utc_ms, random, id);
}

static size_t pack(const ProtobufCMessage *m, uint8_t *out, size_t cap) {
	if (protobuf_c_message_get_packed_size(m) > cap) abort();
	return protobuf_c_message_pack(m, out);
}

/* A ring as it would be routed; 0: refused. */
static size_t ring(uint8_t *routed, size_t cap) {
	uint8_t id[UUID_BYTES], bytes[256];
	Vestibule__V1__RingEvent m = VESTIBULE__V1__RING_EVENT__INIT;
	new_id(id);
	m.event_id = (ProtobufCBinaryData){.len = UUID_BYTES, .data = id};
	m.at_ms = (uint64_t)clock_read().utc_ms;
	m.synced = true;
	m.seq = ids;
	return broker_publish(&front, RING, bytes, pack(&m.base, bytes, sizeof(bytes)), routed, cap);
}

static void home_command(Vestibule__V1__HomeCommand *m, const uint8_t id[UUID_BYTES]) {
	uint8_t bytes[512];
	m->event_id = (ProtobufCBinaryData){.len = UUID_BYTES, .data = (uint8_t *)(uintptr_t)id};
	m->at_ms = (uint64_t)clock_read().utc_ms;
	m->synced = true;
	m->seq = ids;
	(void)broker_publish(&alice, "vestibule/v1/home/maple/command", bytes,
						 pack(&m->base, bytes, sizeof(bytes)), NULL, 0);
}

static void grant(void) {
	uint8_t id[UUID_BYTES];
	static char alarm_name[] = "alarm", every[] = "";
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__GrantStanding g = VESTIBULE__V1__GRANT_STANDING__INIT;
	g.integrator = alarm_name;
	g.device = every;
	g.kind = VESTIBULE__V1__GRANT_KIND__GRANT_KIND_RING;
	g.exp_ms = (uint64_t)clock_read().utc_ms + 86400000;
	m.what_case = VESTIBULE__V1__HOME_COMMAND__WHAT_GRANT;
	m.grant = &g;
	new_id(id);
	home_command(&m, id);
}

static void retract(void) {
	uint8_t id[UUID_BYTES], command[UUID_BYTES];
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__Retract r = VESTIBULE__V1__RETRACT__INIT;
	if (!granted[0] || uuid_parse(span_str(granted), id) != ERR_NONE) return;
	memcpy(command, retract_id, UUID_BYTES);
	r.grant_id = (ProtobufCBinaryData){.len = UUID_BYTES, .data = id};
	m.what_case = VESTIBULE__V1__HOME_COMMAND__WHAT_RETRACT;
	m.retract = &r;
	home_command(&m, command);
}

static void sync_as(struct mosquitto *c) {
	uint8_t id[UUID_BYTES], bytes[128];
	char topic[96];
	Vestibule__V1__Sync m = VESTIBULE__V1__SYNC__INIT;
	new_id(id);
	m.event_id = (ProtobufCBinaryData){.len = UUID_BYTES, .data = id};
	m.at_ms = (uint64_t)clock_read().utc_ms;
	m.synced = true;
	m.seq = ids;
	(void)snprintf(topic, sizeof(topic), "vestibule/v1/user/%s/sync", c->username); /* fits */
	(void)broker_publish(c, topic, bytes, pack(&m.base, bytes, sizeof(bytes)), NULL, 0);
}

/* Lets the store thread work. */
static void wait_a_little(const atomic_bool *until, const char *text) {
	for (int i = 0; i < 200 && !(until && atomic_load(until)) && !(text && text[0]); i++) {
		broker_tick();
		(void)usleep(i < 20 ? 300 : 3000);
	}
}

/* As a client does: it asks again when it hears nothing. What fails, fails once. */
static void grant_and_learn(void) {
	for (int i = 0; i < 3 && !granted[0]; i++) {
		if (i != 1) grant();
		if (i != 0) sync_as(&alice);
		wait_a_little(NULL, granted);
	}
	must(granted[0] != 0, "a grant is not to be had");
}

static void read_as_all(bool granted_now, const uint8_t *routed, size_t len) {
	must(!broker_may(&bob, MOSQ_ACL_READ, RING, routed, len), "a neighbour reads a ring");
	must(!broker_may(&bob, MOSQ_ACL_SUBSCRIBE, JSON, NULL, 0), "a neighbour subscribes");
	bool may = broker_may(&alarm_1, MOSQ_ACL_READ, RING, routed, len);
	must(!may || granted_now, "an integrator reads without a grant");
}

static void play_story(void) {
	uint8_t routed[512];
	static const char json_ring[] =
		"{\"event_id\":\"01890a5d-0000-7000-8000-00000000002a\",\"at_ms\":"
		"1795000000000,\"synced\":true,\"seq\":99}";
	struct mosquitto *const all[] = {&alice, &bob, &front, &alarm_1, &operator_1};
	broker_tick();
	for (size_t i = 0; i < 5; i++)
		must(broker_login(all[i], TOKEN) || broker_login(all[i], TOKEN), "no login is to be had");
	must(!broker_login(&(struct mosquitto){"bob.x", "bob"}, "wrong token, as long as it must be"),
		 "a wrong token is let in");
	(void)broker_may(&alice, MOSQ_ACL_SUBSCRIBE, "vestibule/v1/home/maple/json/#", NULL, 0);
	size_t n = ring(routed, sizeof(routed));
	read_as_all(false, routed, n);
	(void)broker_publish(&front, RING, json_ring, strlen(json_ring), NULL, 0);
	grant_and_learn();
	n = ring(routed, sizeof(routed));
	read_as_all(true, routed, n);
	broker_control(
		&operator_1,
		"{\"commands\":[{\"command\":\"put\",\"kind\":\"device\",\"row\":{\"id\":\"d2\","
		"\"home\":\"oak\",\"name\":\"D2\"}},{\"command\":\"list\",\"kind\":\"device\"},"
		"{\"command\":\"explain\",\"username\":\"bob\",\"access\":\"read\",\"topic\":\"" RING
		"\"},{\"command\":\"status\"}]}");
	sync_as(&alice);
	sync_as(&alarm_1);
	retract();
	retract(); /* as a client does that got no receipt: whatever failed, it failed once */
	n = ring(routed, sizeof(routed));
	read_as_all(false, routed, n);
	wait_a_little(granted[0] ? &retraction_told : NULL, granted[0] ? NULL : "x");
	read_as_all(false, routed, n);
	for (size_t i = 0; i < 5; i++) broker_gone(all[i]);
}

/* Is the retraction in the file? */
static enum err look(void *ctx, const struct row *r) {
	const struct row_standing *g = (const struct row_standing *)r;
	if (r->kind == ROW_STANDING && g->state == GSTATE_ACTIVE) *(bool *)ctx = true;
	return ERR_NONE;
}

static void check_file(void) {
	char why[STORE_WHY_SIZE] = "";
	struct store *s = NULL;
	uint64_t seq = 0;
	bool active = false;
	enum err e = store_sqlite_open(path, &s, why);
	if (e == ERR_NONE) e = s->ops->load(s, look, &active, &seq, why);
	must(e == ERR_NONE, why);
	must(!active || !atomic_load(&retraction_told), "a recorded retraction is not in the file");
	if (s) s->ops->close(s);
}

/* True: something failed. */
static bool play(enum fault_kind kind, long n) {
	static char store_key[] = "store", agencies_key[] = "agencies", on[] = "on";
	struct mosquitto_opt opts[] = {{store_key, path}, {agencies_key, on}};
	void *userdata = NULL;
	playing = kind == FAULT_IO ? "file operation" : "allocation";
	playing_n = n;
	granted[0] = 0;
	ids = 0;
	atomic_store(&retraction_told, false);
	memset(broker.fn, 0, sizeof(broker.fn));
	copy_template();
	fault_arm(kind, n);
	if (mosquitto_plugin_init(NULL, &userdata, opts, 2) == MOSQ_ERR_SUCCESS) {
		play_story();
		(void)mosquitto_plugin_cleanup(userdata, opts, 2);
	} else {
		must(atomic_load(&fault.happened), "the start is refused and nothing failed");
	}
	fault_disarm();
	check_file();
	return atomic_load(&fault.happened);
}

int main(int argc, char **argv) {
	long stride = argc > 2 ? strtol(argv[2], NULL, 10) : 1, counts[2] = {0, 0};
	long first = argc > 3 ? strtol(argv[3], NULL, 10) : 1;
	static const enum fault_kind kinds[] = {FAULT_ALLOCATION, FAULT_IO};
	if (argc < 2 || stride < 1 || strlen(argv[1]) > 400) {
		(void)fprintf(stderr, "usage: torture FOLDER [STRIDE [FIRST]]\n");
		return 64;
	}
	(void)snprintf(folder, sizeof(folder), "%s", argv[1]); /* its length was looked at */
	(void)snprintf(template_path, sizeof(template_path), "%s/template.db", folder);
	(void)snprintf(path, sizeof(path), "%s/story.db", folder);
	(void)unlink(template_path); /* mostly absent */
	fault_install();
	make_template();
	broker.published = on_published;
	for (int k = 0; k < 2; k++) {
		for (long n = first; play(kinds[k], n); n += stride) counts[k] = n;
	}
	printf("torture: %ld allocations, %ld file operations, %u failures\n", counts[0], counts[1],
		   failures);
	return failures ? 1 : 0;
}
