/* See pictures.h. */
#include "clients/homeassistant/pictures.h"

#include <cjson/cJSON.h>

#include "lib/clock.h"

static int64_t now_ms(void) {
	return clock_read().boot_ms;
}

void pictures_announced(const struct pictures *p, struct span device, struct span json) {
	struct device *one = devices_find(p->devices, device);
	if (!one || !one->live) return;
	cJSON *root = cJSON_ParseWithLength((const char *)json.ptr, json.len);
	const char *clip = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "clip_id"));
	double n = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(root, "poster_length"));
	if (clip && n >= 1 && n <= POSTER_BYTES_MAX &&
		poster_begin(&one->poster, span_str(clip), (uint64_t)n, now_ms()))
		pictures_pull(p);
	cJSON_Delete(root);
}

/* A lost pull is made good by the next try. */
static void pull(const struct pictures *p, const struct device *one, uint64_t offset,
				 uint32_t length) {
	struct topic t = {.kind = TOPIC_DEVICE_PULL,
					  .device = span_str(one->id),
					  .clip = span_str(one->poster.clip),
					  .username = span_str(mq_username(p->mq))};
	Vestibule__V1__ClipPull msg = VESTIBULE__V1__CLIP_PULL__INIT;
	msg.part = VESTIBULE__V1__PART__PART_POSTER;
	msg.offset = offset;
	msg.length = length;
	struct buf b;
	buf_init(&b, TOPIC_BYTES_MAX);
	topic_build(&t, &b);
	if (buf_error(&b) == ERR_NONE) {
		enum err e = mq_publish_msg(p->mq, buf_cstr(&b), &msg.base, 0, NULL);
		(void)e; /* the next try */
	}
	buf_fini(&b);
}

void pictures_pull(const struct pictures *p) {
	uint64_t offset;
	uint32_t length;
	if (!mq_is_connected(p->mq)) return;
	for (size_t i = 0; i < p->devices->count; i++) {
		struct device *one = &p->devices->all[i];
		if (poster_next(&one->poster, now_ms(), &offset, &length)) pull(p, one, offset, length);
	}
}

void pictures_chunk(const struct pictures *p, const struct topic *t, struct span payload) {
	char topic[MQ_TOPIC_SIZE];
	ProtobufCMessage *msg = NULL;
	struct codec_fault why;
	struct device *one = devices_find(p->devices, t->device);
	if (!one || !one->live) return;
	if (codec_decode_routed(p->codec, CODEC_CHUNK, payload, &msg, &why) != ERR_NONE) return;
	if (!poster_take(&one->poster, now_ms(), t->clip, (const Vestibule__V1__ClipChunk *)msg))
		return;
	struct span jpeg = poster_jpeg(&one->poster);
	if (!jpeg.len || discovery_picture_topic(p->home, one->id, topic) != ERR_NONE) return;
	enum err e = mq_publish(p->mq, topic, jpeg, 0, NULL);
	(void)e; /* lost with the connection: the next clip brings another */
}

enum err pictures_filter(const struct pictures *p, const char *device, char out[MQ_TOPIC_SIZE]) {
	char leaf[MQ_TOPIC_SIZE];
	int n = snprintf(leaf, sizeof(leaf), "chunk/+/%s", mq_username(p->mq));
	if (n < 0 || n >= MQ_TOPIC_SIZE) return ERR_LIMIT;
	return mq_topic("device", device, leaf, out);
}
