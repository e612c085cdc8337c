/* Posters of clips, from the devices to the topic that Home Assistant's image entity reads: an event
 * announces one, it is pulled (poster.h), and published once, not retained: no picture of a doorstep
 * stays at the broker. One thread. */
#ifndef HOMEASSISTANT_PICTURES_H
#define HOMEASSISTANT_PICTURES_H

#include "clients/homeassistant/devices.h"

/* Borrowed for each call. */
struct pictures {
	struct mq *mq;
	struct codec *codec;
	struct devices *devices;
	const char *home;
};

/* A clip-ready of the JSON mirror; device as in its topic. */
void pictures_announced(const struct pictures *p, struct span device, struct span json);
/* A message on device/DEVICE/chunk/CLIP/us; t: its topic. */
void pictures_chunk(const struct pictures *p, const struct topic *t, struct span payload);
/* Asks for what is due; call it after each event and at least once a second. */
void pictures_pull(const struct pictures *p);

/* The filter of the device's answers. ERR_LIMIT: too long. */
enum err pictures_filter(const struct pictures *p, const char *device,
						 char out[MQ_TOPIC_SIZE]) MUST_CHECK;

#endif
