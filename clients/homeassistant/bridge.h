/* The one connection of vestibule-ha: learns the home's devices, tells Home Assistant of them, again
 * whenever it starts, and takes away what is gone. Runs until a signal ends it. Not here: what is
 * said (discovery.h), what is known (devices.h), pictures (pictures.h). One thread. */
#ifndef HOMEASSISTANT_BRIDGE_H
#define HOMEASSISTANT_BRIDGE_H

#include "clients/homeassistant/settings.h"

/* common and settings: borrowed for the call. Errors are told on stderr. EXIT_RECORDED: ended by a
 * signal, or, with `remove`, everything is taken away. EXIT_USAGE: no usable credential.
 * EXIT_NOT_AUTHORISED: not the credential of a member, or the operator did not list the topics.
 * EXIT_UNAVAILABLE, EXIT_TIMEOUT: no connection at the start. EXIT_INTERNAL: no memory. */
enum exit_code bridge_run(const struct opt_common *common, const struct settings *settings);

#endif
