/* A member's own rules: who may ever ask, for what, when. Their text is read and written whole;
 * what it means is the broker's to parse. Returns an exit code. */
#ifndef HOME_RULES_H
#define HOME_RULES_H

#include "clients/home/settings.h"

enum exit_code rules_run(const struct opt_common *common,
						 const struct settings *settings); /* rules show | rules set FILE */

#endif
