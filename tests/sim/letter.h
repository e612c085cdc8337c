/* A command as it went over the network: kept, and sent again later. */
#ifndef SIM_LETTER_H
#define SIM_LETTER_H

#include "tests/sim/model.h"
#include "tests/unit/consent/script.h"

struct letter {
	enum command_kind kind;
	char who[ROW_ID_SIZE];
	uint8_t event_id[UUID_BYTES];
	char digest[65];
	uint8_t *bytes;
	size_t len;
	const ProtobufCMessageDescriptor *form;
};

static void letter_clear(struct letter *l) {
	free(l->bytes);
	*l = (struct letter){.bytes = NULL};
}

static void letter_write(struct letter *l, const struct command *cmd) {
	letter_clear(l);
	l->kind = cmd->kind;
	MODEL_TEXT(l->who, cmd->who->username);
	memcpy(l->event_id, cmd->event_id.ptr, UUID_BYTES);
	memcpy(l->digest, cmd->digest, sizeof(l->digest));
	l->form = cmd->msg->descriptor;
	l->len = protobuf_c_message_get_packed_size(cmd->msg);
	l->bytes = malloc(l->len ? l->len : 1);
	if (!l->bytes) abort();
	(void)protobuf_c_message_pack(cmd->msg, l->bytes); /* as many as were asked for */
}

/* Once more, or with other bytes under the same event id. */
static void letter_send(struct world *w, const struct letter *l, bool other_bytes) {
	if (!l->bytes) return;
	ProtobufCMessage *msg = protobuf_c_message_unpack(l->form, NULL, l->len, l->bytes);
	if (!msg) abort();
	struct command cmd = {.kind = l->kind, .who = world_who(w, l->who), .msg = msg};
	cmd.event_id = span_of(l->event_id, UUID_BYTES);
	memcpy(cmd.digest, l->digest, sizeof(cmd.digest));
	if (other_bytes) cmd.digest[0] = cmd.digest[0] == '0' ? '1' : '0';
	if (cmd.who) (void)world_step(w, &cmd);
	protobuf_c_message_free_unpacked(msg, NULL);
}

#endif
