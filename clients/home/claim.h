/* Claims a device: with its code, over a connection to the device itself, keys are exchanged and
 * pinned (clients/enrol/channel.h); by its name alone, only the broker is told. Retires a lost one.
 * Each returns an exit code; what went wrong is on stderr. */
#ifndef HOME_CLAIM_H
#define HOME_CLAIM_H

#include "clients/home/settings.h"

enum exit_code claim_run(const struct opt_common *common, const struct settings *settings);
enum exit_code claim_retire(const struct opt_common *common, const struct settings *settings);

#endif
