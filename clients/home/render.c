/* Lines for people. What is printed when, and JSON, are list.c's and watch.c's. */
#include "clients/home/render.h"

#include "clients/mq/show.h"

static void seconds(struct buf *b, uint64_t ms) {
	buf_printf(b, "  %llu.%llu s", (unsigned long long)(ms / 1000),
			   (unsigned long long)(ms % 1000 / 100));
}

static void word(struct buf *b, const ProtobufCEnumDescriptor *e, int value) {
	buf_str(b, "  ");
	show_word(b, e, value, true);
}

void render_device(struct buf *b, const Vestibule__V1__DeviceInfo *d) {
	show_text(b, d->device);
	show_field(b, d->unclaimed ? "waiting for your claim" : d->online ? "online" : "offline");
	show_field(b, d->name);
}

void render_member(struct buf *b, const Vestibule__V1__MemberInfo *m) {
	show_text(b, m->username);
	word(b, &vestibule__v1__member_role__descriptor, (int)m->role);
}

void render_clip(struct buf *b, const Vestibule__V1__ClipInfo *c) {
	const Vestibule__V1__ClipReady *clip = c->clip;
	if (!clip) return;
	show_id(b, &clip->clip_id);
	show_field(b, c->device);
	buf_str(b, "  ");
	show_time(b, clip->start_ms);
	seconds(b, clip->duration_ms);
	word(b, &vestibule__v1__trigger__descriptor, (int)clip->trigger);
	show_field(b, clip->media_type);
	buf_printf(b, "  %llu bytes", (unsigned long long)clip->payload_length);
	if (clip->sealed.len) buf_str(b, "  sealed");
}

static void degrees(struct buf *b, int32_t e7) {
	int64_t v = e7;
	if (v < 0) {
		buf_char(b, '-');
		v = -v;
	}
	buf_printf(b, "%lld.%05lld", (long long)(v / 10000000), (long long)(v % 10000000 / 100));
}

static void ask_clip(struct buf *b, const Vestibule__V1__AskClip *c) {
	buf_str(b, "\n  clip ");
	show_id(b, &c->clip_id);
	show_field(b, c->device);
	buf_str(b, "  ");
	show_time(b, c->start_ms);
	seconds(b, c->duration_ms);
	word(b, &vestibule__v1__trigger__descriptor, (int)c->trigger);
	buf_str(b, c->sealed.len ? "  sealed" : "  not sealed");
}

void render_ask(struct buf *b, const Vestibule__V1__Ask *a) {
	buf_str(b, "ask ");
	show_id(b, &a->ask_id);
	show_field(b, a->agency_name && a->agency_name[0] ? a->agency_name : a->agency);
	buf_str(b, " (");
	show_word(b, &vestibule__v1__agency_kind__descriptor, (int)a->agency_kind, true);
	buf_str(b, ")  ");
	show_word(b, &vestibule__v1__incident_type__descriptor, (int)a->incident_type, true);
	if (a->emergency) buf_str(b, ", emergency");
	word(b, &vestibule__v1__purpose__descriptor, (int)a->purpose);
	buf_str(b, "  open until ");
	show_time(b, a->expires_ms);
	buf_str(b, "\n  recorded between ");
	show_time(b, a->from_ms);
	buf_str(b, " and ");
	show_time(b, a->to_ms);
	if (a->circle) {
		buf_printf(b, ", within %u m of ", (unsigned)a->circle->radius_m);
		degrees(b, a->circle->lat_e7);
		buf_char(b, ',');
		degrees(b, a->circle->lon_e7);
	}
	for (size_t i = 0; i < a->n_clips; i++) ask_clip(b, a->clips[i]);
}

void render_grant(struct buf *b, const Vestibule__V1__GrantInfo *g) {
	show_id(b, &g->grant_id);
	show_field(b, g->state);
	if (g->standing) {
		buf_str(b, "  integrator ");
		show_text(b, g->integrator);
		word(b, &vestibule__v1__grant_kind__descriptor, (int)g->kind);
		show_field(b, g->device && g->device[0] ? g->device : "every device");
	} else {
		buf_str(b, "  agency ");
		show_text(b, g->agency);
		buf_str(b, "  clip ");
		show_id(b, &g->clip_id);
	}
	buf_str(b, "  until ");
	show_time(b, g->exp_ms);
}

static void part_id(struct buf *b, const char *label, const ProtobufCBinaryData *id) {
	if (id->len == 0) return;
	buf_printf(b, "  %s ", label);
	show_id(b, id);
}

static void part_text(struct buf *b, const char *label, const char *text) {
	if (!text || !text[0]) return;
	buf_printf(b, "  %s ", label);
	show_text(b, text);
}

void render_receipt(struct buf *b, const Vestibule__V1__Receipt *r) {
	show_time(b, r->at_ms);
	word(b, &vestibule__v1__receipt_kind__descriptor, (int)r->kind);
	part_id(b, "clip", &r->clip_id);
	part_text(b, "device", r->device);
	part_text(b, "agency", r->agency);
	part_text(b, "integrator", r->integrator);
	part_text(b, "member", r->member);
	if (r->grant_kind) word(b, &vestibule__v1__grant_kind__descriptor, (int)r->grant_kind);
	part_id(b, "ask", &r->ask_id);
	part_id(b, "grant", &r->grant_id);
	if (r->exp_ms) {
		buf_str(b, "  until ");
		show_time(b, r->exp_ms);
	}
	part_text(b, "by", r->actor);
	part_text(b, "reason", r->reason);
	if (r->detail && r->detail[0]) {
		buf_str(b, ": ");
		show_text(b, r->detail);
	}
}

void render_alert(struct buf *b, const Vestibule__V1__Alert *a) {
	show_time(b, a->at_ms);
	buf_str(b, "  alert");
	word(b, &vestibule__v1__alert_kind__descriptor, (int)a->kind);
	part_text(b, "from", a->agency);
	buf_str(b, "  until ");
	show_time(b, a->until_ms);
	buf_str(b, ": ");
	show_text(b, a->text);
}

/* --- the JSON mirror --- */

static const char *json_text(const cJSON *json, const char *member) {
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, member));
}

/* A count: 0 when it is missing or cannot be one. */
static uint64_t json_count(const cJSON *json, const char *member) {
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, member);
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble < 1e15)) return 0;
	return (uint64_t)item->valuedouble;
}

static void event_words(struct buf *b, const char *text) {
	buf_str(b, "  ");
	show_text(b, text);
}

void render_event(struct buf *b, const char *device, const char *name, const cJSON *json) {
	show_time(b, json_count(json, "at_ms"));
	show_field(b, device);
	show_field(b, name);
	const char *text =
		cJSON_IsString(json) ? cJSON_GetStringValue(json) : json_text(json, "status");
	if (text) event_words(b, text);
	if ((text = json_text(json, "kind"))) event_words(b, text);
	uint64_t permille = json_count(json, "confidence_permille");
	if (permille) buf_printf(b, "  %u %%", (unsigned)(permille / 10 % 101));
	if ((text = json_text(json, "clip_id"))) event_words(b, text);
	uint64_t duration_ms = json_count(json, "duration_ms");
	if (duration_ms) seconds(b, duration_ms);
	if ((text = json_text(json, "trigger"))) event_words(b, text);
	if ((text = json_text(json, "media_type"))) event_words(b, text);
}
