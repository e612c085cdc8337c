/* See checks.h. The table is the list of claims of vestibule-conform; tests/broker/24-... holds each
 * `text` against proto/README.md. */
#include "clients/conform/checks.h"

#include <stdarg.h>

#include "clients/mq/show.h"

static const char contract[] = "proto/README.md";
static const char evening[] = "A device in an evening";
static const char manners[] = "Manners";

struct claim {
	const char *name;
	const char *claim;
	const char *section; /* heading */
	const char *text;    /* how the paragraph, step or row begins */
};

#define STEP_CONNECT evening, "2. **Connect.** MQTT 5, TLS where the broker has it."
#define STEP_CONNACK evening, "3. **After each CONNACK** subscribe at QoS 0"
#define STEP_ORDER   evening, "5. **Send in order of `seq`**, each after the PUBACK of the one before"
#define STEP_PULLS   evening, "7. **Answer pulls.** Clip and asker are in the topic"
#define STEP_CLIPS   evening, "8. **Clips** stay on the device"
#define ROW_RING     evening, "| ring | 1, with message expiry: what is left of 60 s |"
#define ROW_CLIP     evening, "| clip-ready | 1 | a DeviceAck whose `seq` is as high or higher |"
#define WORD_CONNECT manners, "**Connect** with MQTT 5 (3.1.1 works, but tells no reasons)."

static const struct claim claims[CHECKS_COUNT] = {
	[CHECK_LOGIN] = {"login", "the broker takes the credential", WORD_CONNECT},
	[CHECK_WRONG_TOKEN] = {"wrong-token", "the broker refuses another token", WORD_CONNECT},
	[CHECK_FOREIGN_ID] = {"foreign-id", "the broker refuses somebody else's client id",
						  WORD_CONNECT},
	[CHECK_PACKETS] = {"packets", "well-formed MQTT 3.1.1 or 5", WORD_CONNECT},
	[CHECK_USERNAME] = {"username", "connects with username and token", evening,
						"1. **Credential.** The operator registers the device"},
	[CHECK_CLIENT_ID] = {"client-id", "the client id is not somebody else's", WORD_CONNECT},
	[CHECK_ADMITTED] = {"admitted", "the broker lets the device in", "What answers mean",
						"| CONNACK 0x87 (3.1.1: 5) |"},
	[CHECK_CLEAN_START] = {"clean-start", "clean start, session expiry 0", STEP_CONNECT},
	[CHECK_KEEP_ALIVE] = {"keep-alive", "keep-alive is on", STEP_CONNECT},
	[CHECK_WILL] = {"will", "the last will says offline", STEP_CONNECT},
	[CHECK_SUBSCRIPTIONS] = {"subscriptions", "subscribes to ack, pulls and denials", STEP_CONNACK},
	[CHECK_STATUS] = {"status", "says online after each CONNACK", STEP_CONNACK},
	[CHECK_STATUS_WORD] = {"status-word", "a status is one of three words", "Topics",
						   "| `device/{device}/status` | the text `online`, `sleeping` or "
						   "`offline`; retained; last will `offline` |"},
	[CHECK_TOPICS] = {"topics", "publishes to its own topics alone", "Topics",
					  "All start with `vestibule/v1/`. One message type a topic."},
	[CHECK_QOS] = {"qos", "no QoS above the topic's", "Topics",
				   "All start with `vestibule/v1/`. One message type a topic."},
	[CHECK_RETAIN] = {"retain", "status is retained, nothing else", "Topics",
					  "| `device/{device}/status` | the text `online`, `sleeping` or `offline`; "
					  "retained; last will `offline` |"},
	[CHECK_PROPERTIES] = {"properties", "no property but a message expiry", manners,
						  "**Nothing rides along.** No MQTT 5 property but a message expiry."},
	[CHECK_SIZE] = {"size", "no message larger than its kind", manners,
					"**Nothing rides along.** No MQTT 5 property but a message expiry."},
	[CHECK_PAYLOAD] = {"payload", "every field keeps its limit", "Fields",
					   "Made from the rules that the codec checks"},
	[CHECK_EVENT_ID] = {"event-id", "an event_id keeps its bytes", evening,
						"4. **Number the events.** One counter for all kinds"},
	[CHECK_SEQ] = {"seq", "seq rises with each event", evening,
				   "4. **Number the events.** One counter for all kinds"},
	[CHECK_ORDER] = {"order", "events go in order of seq, one at a time", STEP_ORDER},
	[CHECK_ACCEPTED] = {"accepted", "the broker refuses nothing", "What answers mean",
						"| PUBACK 0x87 |"},
	[CHECK_RING_EXPIRY] = {"ring-expiry", "a ring expires within 60 s", ROW_RING},
	[CHECK_RING_AGAIN] = {"ring-again", "a ring without PUBACK comes with the next connection",
						  ROW_RING},
	[CHECK_RING_DONE] = {"ring-done", "a ring with PUBACK is not sent again", ROW_RING},
	[CHECK_CLIP_AGAIN] = {"clip-again", "clip-ready comes again while there is no DeviceAck",
						  ROW_CLIP},
	[CHECK_CLIP_KEPT] = {"clip-kept", "clip-ready without DeviceAck comes with the next connection",
						 ROW_CLIP},
	[CHECK_CLIP_DONE] = {"clip-done", "clip-ready is not sent again after its DeviceAck", ROW_CLIP},
	[CHECK_REFUSED] = {"refused", "what is refused is dropped", evening,
					   "6. **When the PUBACK says 0x87**, or a Denial names the `event_id`"},
	[CHECK_PULL] = {"pull", "chunks are what was pulled", STEP_PULLS},
	[CHECK_PULL_HASH] = {"pull-hash", "the payload has the announced length and SHA-256",
						 STEP_CLIPS},
	[CHECK_PULL_RANGE] = {"pull-range", "an offset at the end is answered by range", STEP_PULLS},
	[CHECK_PULL_GONE] = {"pull-gone", "a clip that is not there is answered by gone", STEP_PULLS},
	[CHECK_POSTER] = {"poster", "the poster is there when it is announced, and only then",
					  STEP_CLIPS},
	[CHECK_CHUNK_ASKED] = {"chunk-asked", "chunks go only to those who pull", STEP_PULLS},
	[CHECK_RECONNECT] = {"reconnect", "comes back when the connection is cut", STEP_CONNECT},
	[CHECK_GOODBYE] = {"goodbye", "says offline before a DISCONNECT", STEP_CONNACK},
};

void checks_ok(struct checks *c, enum check which) {
	c->all[which].seen = true;
}

void checks_fail(struct checks *c, enum check which, const char *limit, const char *fmt, ...) {
	va_list args;
	if (c->all[which].failed) return;
	c->all[which].failed = true;
	(void)snprintf(c->all[which].limit, CHECKS_TEXT_SIZE, "%s", limit); /* cut is fine */
	va_start(args, fmt);
	(void)vsnprintf(c->all[which].saw, CHECKS_TEXT_SIZE, fmt, args); /* cut is fine */
	va_end(args);
}

bool checks_has_failed(const struct checks *c, enum check which) {
	return c->all[which].failed;
}

/* --- printing --------------------------------------------------------------------------------- */

static void put_member(struct buf *b, const char *name, const char *value) {
	buf_printf(b, ",\"%s\":", name);
	buf_json(b, span_str(value));
}

static void put_where_json(struct buf *b, const struct claim *is) {
	put_member(b, "claim", is->claim);
	put_member(b, "page", contract);
	put_member(b, "section", is->section);
	put_member(b, "text", is->text);
}

static void put_where(struct buf *b, const struct claim *is) {
	buf_printf(b, "\n          %s, \"%s\": ", contract, is->section);
	show_text(b, is->text);
}

static void put_json(struct buf *b, const struct checks *c, enum check i, const char *result) {
	buf_str(b, "{\"check\":");
	buf_json(b, span_str(claims[i].name));
	put_member(b, "result", result);
	if (c->all[i].failed) {
		put_member(b, "saw", c->all[i].saw);
		put_member(b, "limit", c->all[i].limit);
	}
	put_where_json(b, &claims[i]);
	buf_char(b, '}');
}

static void put_text(struct buf *b, const struct checks *c, enum check i, const char *result) {
	buf_printf(b, "%-9s %s: ", result, claims[i].name);
	show_text(b, claims[i].claim);
	if (!c->all[i].failed) return;
	buf_str(b, "\n          saw: ");
	show_text(b, c->all[i].saw);
	buf_str(b, "\n          limit: ");
	show_text(b, c->all[i].limit);
	put_where(b, &claims[i]);
}

static const char *count_in(const struct checks *c, enum check i, struct checks_sum *sum) {
	if (c->all[i].failed) {
		sum->failed++;
		return "FAIL";
	}
	if (c->all[i].seen) {
		sum->ok++;
		return "ok";
	}
	sum->not_seen++;
	return "not seen";
}

bool checks_print(const struct checks *c, bool json, struct checks_sum *sum) {
	struct buf b;
	bool fine = true;
	buf_init(&b, SHOW_LINE_MAX);
	*sum = (struct checks_sum){0};
	for (int i = 0; i < CHECKS_COUNT && fine; i++) {
		const char *result = count_in(c, (enum check)i, sum);
		if (json)
			put_json(&b, c, (enum check)i, result);
		else
			put_text(&b, c, (enum check)i, result);
		fine = show_line(&b);
	}
	buf_printf(&b,
			   json ? "{\"ok\":%u,\"failed\":%u,\"not_seen\":%u}"
					: "conform: %u checks ok, %u failed, %u not seen",
			   sum->ok, sum->failed, sum->not_seen);
	fine = fine && show_line(&b);
	buf_fini(&b);
	return fine;
}

bool checks_list(bool json) {
	struct buf b;
	bool fine = true;
	buf_init(&b, SHOW_LINE_MAX);
	for (int i = 0; i < CHECKS_COUNT && fine; i++) {
		if (json) {
			buf_str(&b, "{\"check\":");
			buf_json(&b, span_str(claims[i].name));
			put_where_json(&b, &claims[i]);
			buf_char(&b, '}');
		} else {
			buf_printf(&b, "%s: %s", claims[i].name, claims[i].claim);
			put_where(&b, &claims[i]);
		}
		fine = show_line(&b);
	}
	buf_fini(&b);
	return fine;
}
