/* What the relay is told: one table gives parsing, --help and the configuration file
 * (clients/mq/opt.h). */
#ifndef RELAY_OPTIONS_H
#define RELAY_OPTIONS_H

#include "clients/mq/opt.h"

enum { OPTIONS_WHY_SIZE = 256, OPTIONS_PATH_SIZE = 4096 };

struct relay_options {
	const char *relay;
	const char *state;
	const char *storage; /* dir:PATH */
	const char *listen;
	const char *public_url;
	const char *link_key_file; /* NULL: STATE/link.key, see options_key_file */
	bool check;
};

extern const struct opt_program options_program;

/* False: why is a sentence that names the option. Touches nothing: directories are only looked at.
 */
bool options_are_good(const struct relay_options *o, char why[OPTIONS_WHY_SIZE]);

const char *options_storage_path(
	const struct relay_options *o); /* the PATH of dir:PATH; borrowed; options are good */
bool options_key_file(const struct relay_options *o,
					  char out[OPTIONS_PATH_SIZE]); /* false: too long */

#endif
