/* What the command line and the configuration file of vestibule-ha set. The table of the options is
 * in settings.c; zero means "not given". */
#ifndef HOMEASSISTANT_SETTINGS_H
#define HOMEASSISTANT_SETTINGS_H

#include "clients/mq/opt.h"

struct settings {
	const char *prefix;        /* of Home Assistant's discovery; "homeassistant" */
	const char *birth;         /* topic; NULL: PREFIX/status */
	int64_t motion_off_ms;     /* 30 s */
	bool posters;              /* bring posters from the devices */
	const char *poster_url;    /* NULL: none */
	const char *battery_topic; /* NULL: none */
	bool remove;               /* take everything away, and end */
};

/* The program's own description, for messages about usage. */
extern const struct opt_program settings_program;

/* The defaults. */
void settings_init(struct settings *s);

/* What the table cannot say of values. Returns -1: fine; else EXIT_USAGE, told on stderr. */
int settings_check(const struct settings *s) __attribute__((warn_unused_result));

#endif
