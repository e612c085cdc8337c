/* The commands that ask for one kind of state and print it: one line an item, or one JSON object a
 * line. All the work is exchange.h's and listing.h's; here is which kind, and how an item looks.
 * Each returns an exit code. */
#ifndef HOME_LIST_H
#define HOME_LIST_H

#include "clients/home/settings.h"

enum exit_code list_devices(const struct opt_common *common, const struct settings *settings);
enum exit_code list_members(const struct opt_common *common, const struct settings *settings);
enum exit_code list_clips(const struct opt_common *common, const struct settings *settings);
enum exit_code list_asks(const struct opt_common *common, const struct settings *settings);
enum exit_code list_grants(const struct opt_common *common, const struct settings *settings);
enum exit_code list_receipts(const struct opt_common *common, const struct settings *settings);

#endif
