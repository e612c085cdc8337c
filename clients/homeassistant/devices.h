/* Which devices the home has, and which of them Home Assistant was told of: a small table, no
 * connection and no clock. A device is told of when the broker lists it and its message is not out;
 * it is taken away when its message is out and a whole list of the broker is without it. Nothing is
 * ever taken away for want of a list. One thread; no allocation but the posters'. */
#ifndef HOMEASSISTANT_DEVICES_H
#define HOMEASSISTANT_DEVICES_H

#include "clients/homeassistant/discovery.h"
#include "clients/homeassistant/poster.h"

enum { DEVICES_MAX = 48 }; /* three times what a home may have: removed ones wait here, too */

struct device {
	char id[DISCOVERY_DEVICE_SIZE];
	char name[CODEC_NAME_MAX + 1];
	bool live;    /* the last whole list had it */
	bool listed;  /* the list that is coming in has it */
	bool out;     /* a message about it may be retained at the broker */
	bool current; /* that message is the right one */
	bool judged;  /* a whole list came since the device was first known */
	int mid;      /* of the message whose PUBACK is awaited; 0: none */
	struct poster poster;
};

struct devices {
	struct device all[DEVICES_MAX];
	size_t count;
	bool synced; /* a whole list came at least once */
};

void devices_fini(struct devices *d); /* from all zeroes or any later state */

struct device *devices_find(struct devices *d, struct span id); /* NULL: none */

/* A list: begin, then list each device (again is fine), then end when it was whole. A list that
 * broke off is begun anew. ERR_LIMIT: the table is full; ERR_INPUT: not an id. */
void devices_begin(struct devices *d);
enum err devices_list(struct devices *d, const char *id, const char *name) MUST_CHECK;
void devices_end(struct devices *d);

/* The broker has a retained message of ours about id; another program like this one may have told
 * of a device that no list of ours has yet. Errors as devices_list. */
enum err devices_seen(struct devices *d, struct span id) MUST_CHECK;

void devices_retell(struct devices *d);       /* all must be told again */
void devices_disconnected(struct devices *d); /* awaited PUBACKs do not come any more */
/* Nothing is live any more: everything is to be taken away. */
void devices_drop_all(struct devices *d);

bool devices_must_tell(const struct device *one);
bool devices_must_remove(const struct devices *d, const struct device *one);

/* After the PUBACK of a removal there is nothing to remember; moves the entries behind it. */
void devices_sweep(struct devices *d);
bool devices_is_settled(const struct devices *d); /* nothing to tell, to remove, or to await */

#endif
