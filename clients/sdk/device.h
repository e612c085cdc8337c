/* What the public functions (vestibule_device.c) and the thread behind them (worker.c) share.
 * Private to the sdk. */
#ifndef SDK_DEVICE_H
#define SDK_DEVICE_H

#include <pthread.h>

#include "clients/sdk/claim.h"
#include "clients/sdk/courier.h"
#include "clients/sdk/link.h"
#include "clients/sdk/pulls.h"
#include "lib/log.h"

enum { DEVICE_TOPIC_SIZE = 192, DEVICE_STRINGS = 8 };

struct vestibule_device {
	/* set by vestibule_device_new, constant afterwards */
	struct vestibule_config config; /* its strings are ours */
	char *strings[DEVICE_STRINGS];  /* owned */
	struct link *link;
	char topic_event[3][DEVICE_TOPIC_SIZE]; /* by enum vestibule_kind */
	char topic_status[DEVICE_TOPIC_SIZE];
	char topic_claim[DEVICE_TOPIC_SIZE];
	char filter_pull[DEVICE_TOPIC_SIZE];
	char filter_ack[DEVICE_TOPIC_SIZE];
	char filter_denied[DEVICE_TOPIC_SIZE];
	char filter_reply[DEVICE_TOPIC_SIZE];

	/* under lock; held over fsync, so Paho's callbacks never take it */
	pthread_mutex_t lock;
	struct spool *spool;
	struct courier courier;
	struct claim claim;
	struct vestibule_status status; /* the counters that spool and courier do not keep */
	bool started;
	bool stop;
	bool sleeping;
	bool status_due; /* online or sleeping is to be published */

	/* the worker's alone, once it runs */
	pthread_t thread;
	struct log log;
	struct codec *codec;
	struct pulls pulls;
	struct buf bytes; /* of the event that is sent */
	uint64_t sending; /* seq in LINK_EVENT; 0: none */
	enum link_state state;
	uint32_t tries; /* attempts since the last connection that lasted */
	int64_t next_try_boot_ms;
	int64_t up_since_boot_ms;
	uint64_t told_dropped; /* motion, as last logged */
	uint64_t over_pulls;   /* malformed, or more than the table holds */
	struct log_gate pull_gate;
};

#endif
