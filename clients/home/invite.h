/* A new member joins by invitation: the token is drawn here, kept in a file for the person who is
 * invited, and only its SHA-256 is sent. Returns an exit code. */
#ifndef HOME_INVITE_H
#define HOME_INVITE_H

#include "clients/home/settings.h"

enum exit_code invite_run(const struct opt_common *common, const struct settings *settings);

#endif
