/* The commands that ask for one kind of state and print it: one line an item, or one JSON object a
 * line. All the work is exchange.h's and listing.h's; here is which kind, and how an item looks.
 * Each returns an exit code. */
#ifndef AGENCY_LIST_H
#define AGENCY_LIST_H

#include "clients/agency/settings.h"

enum exit_code list_requests(const struct opt_common *common, const struct settings *settings);
enum exit_code list_deliveries(const struct opt_common *common, const struct settings *settings);
enum exit_code list_notices(const struct opt_common *common, const struct settings *settings);

#endif
