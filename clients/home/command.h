/* The commands that change something: each connects, sends one HomeCommand, and succeeds only when
 * the broker said that it is recorded (exchange.h). Each returns an exit code; what went wrong is
 * on stderr. */
#ifndef HOME_COMMAND_H
#define HOME_COMMAND_H

#include "clients/home/settings.h"
#include "proto/codec.h"

enum exit_code command_answer(const struct opt_common *common, const struct settings *settings);
enum exit_code command_retract(const struct opt_common *common, const struct settings *settings);
enum exit_code command_grant(const struct opt_common *common, const struct settings *settings);
enum exit_code command_remove(const struct opt_common *common, const struct settings *settings);
enum exit_code command_leave(const struct opt_common *common, const struct settings *settings);

/* Connects, sends cmd, waits until it is recorded, says so. For rules.c and invite.c, too. */
enum exit_code command_send(const struct opt_common *common, const struct settings *set,
							Vestibule__V1__HomeCommand *cmd) MUST_CHECK;

#endif
