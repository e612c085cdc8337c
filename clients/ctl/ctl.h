/* The settings of vestibule-ctl and its commands, one function each; main.c has the tables. */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include "clients/mq/opt.h"

struct ctl_settings {
	const char *action; /* first argument of registry commands: add, allow, rotate, ... */
	const char *id;     /* second */
	const char *third;
	const char *store;
	const char *owner;
	const char *operator_name;
	const char *token_out;
	const char *out_dir;
	const char *home;
	const char *device;
	const char *member;
	const char *name;
	const char *cell;
	const char *agency;
	const char *kind;
	const char *role;
	const char *jurisdiction;
	const char *recipient;
	const char *policy_url;
	const char *access;
	const char *public_id; /* of an integrator or relay whose username differs */
	int64_t key_days;
	int64_t slot;
	bool unsealed_ok;
};

int init_run(const struct opt_common *common, void *settings);       /* init.c */
int restored_run(const struct opt_common *common, void *settings);   /* restored.c */
int quickstart_run(const struct opt_common *common, void *settings); /* quickstart.c */

int registry_home(const struct opt_common *common, void *settings); /* registry.c */
int registry_device(const struct opt_common *common, void *settings);
int registry_agency(const struct opt_common *common, void *settings);
int registry_officer(const struct opt_common *common, void *settings);
int registry_integrator(const struct opt_common *common, void *settings);
int registry_relay(const struct opt_common *common, void *settings);
int registry_app(const struct opt_common *common, void *settings);
int registry_token(const struct opt_common *common, void *settings);

int inspect_change(const struct opt_common *common,
				   void *settings); /* inspect.c: suspend, resume, remove */
int inspect_request(const struct opt_common *common, void *settings);
int inspect_list(const struct opt_common *common, void *settings);
int inspect_explain(const struct opt_common *common, void *settings);
int inspect_denials(const struct opt_common *common, void *settings);
int inspect_status(const struct opt_common *common, void *settings);
int inspect_trust_clock(const struct opt_common *common, void *settings);

#endif
