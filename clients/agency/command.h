/* The commands that change something: each connects, sends one AgencyCommand, and succeeds only
 * when the broker said that it is recorded (exchange.h). Each returns an exit code; what went wrong
 * is on stderr. */
#ifndef AGENCY_COMMAND_H
#define AGENCY_COMMAND_H

#include "clients/agency/settings.h"

enum exit_code command_submit(const struct opt_common *common,
							  const struct settings *settings); /* prints the request's id */
enum exit_code command_approve(const struct opt_common *common, const struct settings *settings);
enum exit_code command_withdraw(const struct opt_common *common, const struct settings *settings);
enum exit_code command_resolve(const struct opt_common *common, const struct settings *settings);
enum exit_code command_alert(const struct opt_common *common, const struct settings *settings);

#endif
