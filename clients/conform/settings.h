/* What the command line and the configuration file of vestibule-conform set. The table of the
 * options is in settings.c. */
#ifndef CONFORM_SETTINGS_H
#define CONFORM_SETTINGS_H

#include "clients/mq/opt.h"

struct settings {
	const char *listen; /* address; "127.0.0.1" */
	int64_t listen_port;
	const char *other; /* another credential's name; NULL: none */
	const char *ring_cmd, *motion_cmd, *clip_cmd, *stop_cmd; /* NULL: a person is asked */
	int64_t patience_ms;
	bool list;
};

extern const struct opt_program settings_program;

void settings_init(struct settings *s);

/* What the table cannot say of values. Returns -1: fine; else EXIT_USAGE, told on stderr. */
int settings_check(const struct opt_common *common, const struct settings *s)
	__attribute__((warn_unused_result));

#endif
