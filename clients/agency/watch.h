/* `watch`: the agency's notices as they come, until a signal ends it. Survives lost connections:
 * after each it asks the broker what was missed. Returns an exit code. */
#ifndef AGENCY_WATCH_H
#define AGENCY_WATCH_H

#include "clients/agency/settings.h"

enum exit_code watch_run(const struct opt_common *common, const struct settings *settings);

#endif
