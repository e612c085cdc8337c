/* The client's side: one command to the daemon, its answer printed. */
#ifndef DOORBELL_ASK_H
#define DOORBELL_ASK_H

#include "clients/doorbell/settings.h"

/* Each returns an exit code; what went wrong is a sentence on stderr. settings: struct settings. */
int ask_ring(const struct opt_common *common, void *settings);
int ask_motion(const struct opt_common *common, void *settings);
int ask_clip(const struct opt_common *common, void *settings);
int ask_status(const struct opt_common *common, void *settings);
int ask_claim(const struct opt_common *common, void *settings);
int ask_reset(const struct opt_common *common, void *settings);

#endif
