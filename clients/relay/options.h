/* What the relay is told: one table gives parsing, --help and the configuration file
 * (clients/mq/opt.h). */
#ifndef RELAY_OPTIONS_H
#define RELAY_OPTIONS_H

#include "clients/mq/opt.h"
#include "clients/relay/backend_s3.h"

enum { OPTIONS_WHY_SIZE = 256, OPTIONS_PATH_SIZE = 4096 };

struct relay_options {
	const char *relay;
	const char *state;
	const char *storage; /* dir:PATH or s3:BUCKET[/PREFIX] */
	const char *listen;
	const char *public_url;
	const char *link_key_file; /* NULL: STATE/link.key, see options_key_file */
	const char *s3_endpoint;   /* the rest: backend_s3.h */
	const char *s3_region;
	const char *s3_style;
	const char *s3_credentials;
	const char *s3_cafile;
	const char *s3_sse;
	bool s3_allow_versioned;
	int64_t s3_second_delete_ms;
	bool check;
};

extern const struct opt_program options_program;

/* False: why is a sentence that names the option. Touches nothing: directories are only looked at.
 */
bool options_are_good(const struct relay_options *o, char why[OPTIONS_WHY_SIZE]);

bool options_is_s3(const struct relay_options *o); /* options are good */
/* What the s3 options say; the fields of the running relay (staging and what follows) are empty. */
struct backend_s3_opts options_s3(const struct relay_options *o);
const char *options_storage_path(
	const struct relay_options *o); /* the PATH of dir:PATH; borrowed; options are good */
bool options_key_file(const struct relay_options *o,
					  char out[OPTIONS_PATH_SIZE]); /* false: too long */

#endif
