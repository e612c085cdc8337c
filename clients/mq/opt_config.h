/* The configuration file of a program, for opt.c: lines `name = value`, comment lines with #. Not
 * here: which names exist. */
#ifndef MQ_OPT_CONFIG_H
#define MQ_OPT_CONFIG_H

#include "lib/err.h"
#include "lib/span.h"

enum { OPT_CONFIG_WANT = 128, OPT_CONFIG_WHY = 512, OPT_CONFIG_BYTES_MAX = 65536 };

/* value: kept, zero-terminated. Anything but ERR_NONE ends the reading; want says what is wrong
 * with it. */
typedef enum err opt_config_fn(void *ctx, struct span name, const char *value,
							   char want[OPT_CONFIG_WANT]);

/* Reads path, or the default path of the program when it is NULL (then the file may be absent).
 * *kept gets the text that the values point into (NULL: none), the caller frees it in every case.
 * why names file, line and cause. ERR_ABSENT, ERR_STORE: cannot be read; ERR_LIMIT: too large;
 * ERR_INPUT: a bad line; ERR_NOMEM. The name "token" is refused when group or others may read the
 * file. */
enum err opt_config_read(const char *program, const char *path, opt_config_fn *fn, void *ctx,
						 char **kept, char why[OPT_CONFIG_WHY]) MUST_CHECK;

#endif
