/* What the command line and the configuration file of vestibule-home set, for all its commands.
 * Tables of the options are in main.c; zero means "not given". */
#ifndef HOME_SETTINGS_H
#define HOME_SETTINGS_H

#include "clients/mq/opt.h"

struct settings {
	const char *home;    /* NULL: learned from the broker */
	int64_t since_ms;    /* clips, receipts: so far back; 0: all */
	const char *action;  /* word after `clip`, `rules`, `grants` */
	const char *subject; /* clip, ask, grant, integrator, username or rules file */
	const char *out;     /* clip get */
	struct opt_list yes; /* answer */
	struct opt_list no;
	bool none;
	int64_t exp_days;
	const char *kind; /* grant */
	const char *device;
	int64_t days;
	const char *role; /* invite */
	const char *token_out;
	const char *at; /* claim */
	const char *keys;
	struct opt_list recipients;
	bool confirmed;   /* retire */
	const char *exec; /* watch */
	const char *area;
};

/* The program's own description, for messages about usage. */
extern const struct opt_program settings_program;

#endif
