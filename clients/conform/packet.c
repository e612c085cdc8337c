/* See packet.h. Each reader checks before it reads and wants to come out at the exact end. */
#include "clients/conform/packet.h"

enum {
	PROPERTY_EXPIRY = 0x02,
	PROPERTY_SESSION_EXPIRY = 0x11,
	LENGTH_BYTES_MAX = 4, /* 1.5.5 */
	FLAG_USERNAME = 0x80,
	FLAG_PASSWORD = 0x40,
	FLAG_WILL_RETAIN = 0x20,
	FLAG_WILL = 0x04,
	FLAG_CLEAN = 0x02
};

/* --- parts ------------------------------------------------------------------------------------ */

static bool take_byte(struct span *rest, uint8_t *out) {
	if (rest->len < 1) return false;
	*out = rest->ptr[0];
	*rest = span_drop(*rest, 1);
	return true;
}

static bool take_u16(struct span *rest, uint16_t *out) {
	if (rest->len < 2) return false;
	*out = (uint16_t)(rest->ptr[0] << 8 | rest->ptr[1]);
	*rest = span_drop(*rest, 2);
	return true;
}

static bool take_u32(struct span *rest, uint32_t *out) {
	uint16_t high, low;
	if (!take_u16(rest, &high) || !take_u16(rest, &low)) return false;
	*out = (uint32_t)high << 16 | low;
	return true;
}

static bool take_bytes(struct span *rest, size_t len, struct span *out) {
	if (rest->len < len) return false;
	*out = span_of(rest->ptr, len);
	*rest = span_drop(*rest, len);
	return true;
}

static bool take_binary(struct span *rest, struct span *out) {
	uint16_t len;
	return take_u16(rest, &len) && take_bytes(rest, len, out);
}

/* ERR_ABSENT: the bytes end inside it. */
static enum err take_length(struct span *rest, uint32_t *out) {
	uint32_t n = 0;
	for (unsigned i = 0; i < LENGTH_BYTES_MAX; i++) {
		uint8_t byte;
		if (!take_byte(rest, &byte)) return ERR_ABSENT;
		n |= (uint32_t)(byte & 127) << (7 * i);
		if (byte < 128) {
			*out = n;
			return ERR_NONE;
		}
	}
	return ERR_INPUT;
}

/* --- properties (2.2.2) ----------------------------------------------------------------------- */

struct property {
	uint8_t id;
	uint32_t number; /* of those that are numbers */
};

enum shape {
	SHAPE_NONE = 0,
	SHAPE_BYTE,
	SHAPE_U16,
	SHAPE_U32,
	SHAPE_LENGTH,
	SHAPE_TEXT,
	SHAPE_PAIR
};

static enum shape shape_of(uint8_t id) {
	static const uint8_t shapes[] = {
		[0x01] = SHAPE_BYTE, [0x02] = SHAPE_U32,    [0x03] = SHAPE_TEXT, [0x08] = SHAPE_TEXT,
		[0x09] = SHAPE_TEXT, [0x0b] = SHAPE_LENGTH, [0x11] = SHAPE_U32,  [0x12] = SHAPE_TEXT,
		[0x13] = SHAPE_U16,  [0x15] = SHAPE_TEXT,   [0x16] = SHAPE_TEXT, [0x17] = SHAPE_BYTE,
		[0x18] = SHAPE_U32,  [0x19] = SHAPE_BYTE,   [0x1a] = SHAPE_TEXT, [0x1c] = SHAPE_TEXT,
		[0x1f] = SHAPE_TEXT, [0x21] = SHAPE_U16,    [0x22] = SHAPE_U16,  [0x23] = SHAPE_U16,
		[0x24] = SHAPE_BYTE, [0x25] = SHAPE_BYTE,   [0x26] = SHAPE_PAIR, [0x27] = SHAPE_U32,
		[0x28] = SHAPE_BYTE, [0x29] = SHAPE_BYTE,   [0x2a] = SHAPE_BYTE,
	};
	return id < sizeof(shapes) ? (enum shape)shapes[id] : SHAPE_NONE;
}

static bool take_property(struct span *rest, struct property *out) {
	struct span key, text;
	uint8_t byte;
	uint16_t half;
	*out = (struct property){0};
	if (!take_byte(rest, &out->id)) return false;
	switch (shape_of(out->id)) {
	case SHAPE_BYTE:
		if (!take_byte(rest, &byte)) return false;
		out->number = byte;
		return true;
	case SHAPE_U16:
		if (!take_u16(rest, &half)) return false;
		out->number = half;
		return true;
	case SHAPE_U32: return take_u32(rest, &out->number);
	case SHAPE_LENGTH: return take_length(rest, &out->number) == ERR_NONE;
	case SHAPE_TEXT: return take_binary(rest, &text);
	case SHAPE_PAIR: return take_binary(rest, &key) && take_binary(rest, &text);
	case SHAPE_NONE: break;
	}
	return false;
}

/* What we look for in a list of properties. */
struct found {
	bool has_expiry;
	uint32_t expiry_s, session_expiry_s;
	uint8_t other; /* the first but a message expiry */
};

static bool take_properties(struct span *rest, struct found *out) {
	uint32_t len;
	struct span list;
	*out = (struct found){0};
	if (take_length(rest, &len) != ERR_NONE || !take_bytes(rest, len, &list)) return false;
	while (list.len) {
		struct property p;
		if (!take_property(&list, &p)) return false;
		if (p.id == PROPERTY_EXPIRY && !out->has_expiry) {
			out->has_expiry = true;
			out->expiry_s = p.number;
		} else if (out->other == 0) {
			out->other = p.id;
		}
		if (p.id == PROPERTY_SESSION_EXPIRY) out->session_expiry_s = p.number;
	}
	return true;
}

/* --- readers ---------------------------------------------------------------------------------- */

enum err packet_cut(struct span bytes, struct packet *out) {
	struct span rest = bytes;
	uint8_t head;
	uint32_t len;
	if (!take_byte(&rest, &head)) return ERR_ABSENT;
	if (head >> 4 == 0) return ERR_INPUT;
	enum err e = take_length(&rest, &len);
	if (e != ERR_NONE) return e;
	size_t before = bytes.len - rest.len;
	if (len > PACKET_BYTES_MAX - before) return ERR_LIMIT;
	*out = (struct packet){.type = head >> 4, .flags = head & 15};
	if (!take_bytes(&rest, len, &out->body)) return ERR_ABSENT;
	out->whole = span_of(bytes.ptr, before + len);
	return ERR_NONE;
}

static bool take_will(struct span *rest, uint8_t flags, struct packet_connect *out) {
	struct found ignored;
	out->has_will = true;
	out->will_qos = flags >> 3 & 3;
	out->will_retain = (flags & FLAG_WILL_RETAIN) != 0;
	if (out->level == 5 && !take_properties(rest, &ignored)) return false;
	return out->will_qos < 3 && take_binary(rest, &out->will_topic) &&
		   take_binary(rest, &out->will_payload);
}

enum err packet_connect(const struct packet *p, struct packet_connect *out) {
	struct span rest = p->body, name;
	struct found found = {0};
	uint8_t flags;
	*out = (struct packet_connect){0};
	if (!take_binary(&rest, &name) || !take_byte(&rest, &out->level)) return ERR_INPUT;
	if (out->level != 4 && out->level != 5) return ERR_VERSION;
	if (!span_eq(name, SPAN_LIT("MQTT")) || !take_byte(&rest, &flags)) return ERR_INPUT;
	if (!take_u16(&rest, &out->keepalive_s)) return ERR_INPUT;
	if (out->level == 5 && !take_properties(&rest, &found)) return ERR_INPUT;
	out->session_expiry_s = found.session_expiry_s;
	out->clean_start = (flags & FLAG_CLEAN) != 0;
	out->has_username = (flags & FLAG_USERNAME) != 0;
	out->has_password = (flags & FLAG_PASSWORD) != 0;
	if (!take_binary(&rest, &out->client_id)) return ERR_INPUT;
	if (flags & FLAG_WILL && !take_will(&rest, flags, out)) return ERR_INPUT;
	if (out->has_username && !take_binary(&rest, &out->username)) return ERR_INPUT;
	if (out->has_password && !take_binary(&rest, &out->password)) return ERR_INPUT;
	return rest.len == 0 ? ERR_NONE : ERR_INPUT;
}

enum err packet_publish(const struct packet *p, bool v5, struct packet_publish *out) {
	struct span rest = p->body;
	struct found found = {0};
	*out = (struct packet_publish){.qos = p->flags >> 1 & 3, .retain = p->flags & 1};
	if (out->qos == 3 || !take_binary(&rest, &out->topic)) return ERR_INPUT;
	if (out->qos && (!take_u16(&rest, &out->mid) || out->mid == 0)) return ERR_INPUT;
	if (v5 && !take_properties(&rest, &found)) return ERR_INPUT;
	out->has_expiry = found.has_expiry;
	out->expiry_s = found.expiry_s;
	out->other_property = found.other;
	out->payload = rest;
	return ERR_NONE;
}

enum err packet_subscribe(const struct packet *p, bool v5, struct packet_subscribe *out) {
	struct span rest = p->body, filter;
	struct found ignored;
	uint8_t options;
	if (!take_u16(&rest, &out->mid)) return ERR_INPUT;
	if (v5 && !take_properties(&rest, &ignored)) return ERR_INPUT;
	out->filters = rest;
	if (rest.len == 0) return ERR_INPUT; /* 3.8.3: at least one */
	while (packet_filter(&rest, &filter, &options)) continue;
	return rest.len == 0 ? ERR_NONE : ERR_INPUT;
}

bool packet_filter(struct span *rest, struct span *filter, uint8_t *options) {
	struct span at = *rest;
	if (!take_binary(&at, filter) || !take_byte(&at, options)) return false;
	*rest = at;
	return true;
}

enum err packet_ack(const struct packet *p, bool v5, struct packet_ack *out) {
	struct span rest = p->body;
	uint8_t flags;
	*out = (struct packet_ack){0};
	if (p->type == PACKET_CONNACK) /* 3.2.2: flags and code are always there */
		return take_byte(&rest, &flags) && take_byte(&rest, &out->code) ? ERR_NONE : ERR_INPUT;
	if (p->type != PACKET_DISCONNECT && !take_u16(&rest, &out->mid)) return ERR_INPUT;
	if (rest.len == 0) return ERR_NONE;
	return v5 && take_byte(&rest, &out->code) ? ERR_NONE : ERR_INPUT;
}

enum err packet_suback(const struct packet *p, bool v5, struct packet_suback *out) {
	struct span rest = p->body;
	struct found ignored;
	if (!take_u16(&rest, &out->mid)) return ERR_INPUT;
	if (v5 && !take_properties(&rest, &ignored)) return ERR_INPUT;
	out->codes = rest;
	return ERR_NONE;
}

/* --- ours ------------------------------------------------------------------------------------- */

static void put_u16(struct buf *b, size_t n) {
	buf_char(b, (char)(n >> 8));
	buf_char(b, (char)(n & 255));
}

static void put_binary(struct buf *b, struct span s) {
	put_u16(b, s.len);
	buf_span(b, s);
}

static void put_head(struct buf *b, uint8_t head, size_t len) {
	buf_char(b, (char)head);
	for (; len > 127; len >>= 7) buf_char(b, (char)((len & 127) | 128));
	buf_char(b, (char)len);
}

void packet_put_connect(struct buf *b, struct span client_id, struct span username,
						struct span password) {
	size_t fixed = 2 + 4 + 1 + 1 + 2 + 1;
	put_head(b, PACKET_CONNECT << 4, fixed + 6 + client_id.len + username.len + password.len);
	put_binary(b, SPAN_LIT("MQTT"));
	buf_char(b, 5);
	buf_char(b, (char)(FLAG_USERNAME | FLAG_PASSWORD | FLAG_CLEAN));
	put_u16(b, 30);
	buf_char(b, 0); /* no properties */
	put_binary(b, client_id);
	put_binary(b, username);
	put_binary(b, password);
}

void packet_put_publish(struct buf *b, bool v5, struct span topic, struct span payload) {
	put_head(b, PACKET_PUBLISH << 4, 2 + topic.len + (v5 ? 1 : 0) + payload.len);
	put_binary(b, topic);
	if (v5) buf_char(b, 0);
	buf_span(b, payload);
}

void packet_put_ack(struct buf *b, enum packet_type type, bool v5, uint16_t mid, uint8_t code) {
	bool tells = v5 && code != 0;
	put_head(b, (uint8_t)(type << 4), tells ? 3 : 2);
	put_u16(b, mid);
	if (tells) buf_char(b, (char)code);
}

void packet_put_disconnect(struct buf *b) {
	put_head(b, PACKET_DISCONNECT << 4, 0);
}
