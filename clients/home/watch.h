/* `watch`: what happens at the home, as it happens, until a signal ends it. Survives lost
 * connections: after each it asks the broker what was missed. Returns an exit code. */
#ifndef HOME_WATCH_H
#define HOME_WATCH_H

#include "clients/home/settings.h"

enum exit_code watch_run(const struct opt_common *common, const struct settings *settings);

#endif
