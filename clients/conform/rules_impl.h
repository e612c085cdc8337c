/* What the files of rules.h share. */
#ifndef CONFORM_RULES_IMPL_H
#define CONFORM_RULES_IMPL_H

#include "clients/conform/rules.h"

enum { RULES_REFUSED = 0x87 };

/* rules_connect.c */
void rules_connect(struct rules *r, struct rules_conn *c, const struct packet *p);
void rules_subscribe(struct rules *r, struct rules_conn *c, const struct packet *p);
void rules_suback(struct rules *r, struct rules_conn *c, const struct packet *p);
bool rules_status(struct rules *r, struct rules_conn *c, struct span word); /* false: blamed */
void rules_disconnect(struct rules *r, struct rules_conn *c, const struct packet *p);

/* One message of the device while it is judged. */
struct rules_said {
	struct packet_publish m;
	struct topic t;
	int64_t now_ms;
	bool fine; /* no check has failed on it */
	enum rules_fate fate;
	struct buf *answer; /* to the device in the broker's place */
};

/* rules_event.c. False: blamed. */
bool rules_event(struct rules *r, struct rules_conn *c, struct rules_said *p);

#endif
