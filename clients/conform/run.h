/* A whole run: the logins, the wire, the steps, the report. One thread. */
#ifndef CONFORM_RUN_H
#define CONFORM_RUN_H

#include "clients/conform/settings.h"

/* EXIT_RECORDED: every check is ok. EXIT_REFUSED: at least one failed. EXIT_TIMEOUT: none failed, but
 * not every one was seen. EXIT_USAGE, EXIT_UNAVAILABLE, EXIT_NOT_AUTHORISED, EXIT_INTERNAL as the
 * manual says; a sentence is on stderr, and no report is printed. */
enum exit_code run_conform(const struct opt_common *common, const struct settings *settings);

#endif
