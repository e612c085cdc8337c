/* `fetch`: asks for one delivery, waits for its link, brings the clip into a folder. Returns an
 * exit code. */
#ifndef AGENCY_FETCH_H
#define AGENCY_FETCH_H

#include "clients/agency/settings.h"

enum exit_code fetch_run(const struct opt_common *common,
						 const struct settings *settings); /* fetch DELIVERY --dir FOLDER */

#endif
