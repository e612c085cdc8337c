/* What the command line and the configuration file of vestibule-agency set, for all its commands.
 * Tables of the options are in settings.c; zero means "not given". */
#ifndef AGENCY_SETTINGS_H
#define AGENCY_SETTINGS_H

#include "clients/mq/opt.h"

struct settings {
	const char *agency;
	const char *subject; /* request, delivery or cell */
	int64_t since_ms;    /* notices: so far back; 0: all */
	const char *type;    /* submit */
	const char *case_number;
	const char *reason;
	const char *lat;
	const char *lon;
	int64_t radius_m;
	const char *from;
	const char *to;
	const char *purpose;
	bool emergency;
	int64_t open_hours;
	const char *folder; /* fetch */
	int64_t wait_ms;
	const char *link_cafile;
	const char *kind; /* alert */
	const char *text;
	const char *until;
	const char *exec; /* watch */
};

/* The program's own description, for messages about usage. */
extern const struct opt_program settings_program;

#endif
