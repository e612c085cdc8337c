/* `clip get`: brings one clip from the device to a file, range by range (pull.h), resumable
 * (partfile.h). The bytes come from the device itself, through the broker, to this username alone.
 * Returns an exit code. */
#ifndef HOME_CLIP_H
#define HOME_CLIP_H

#include "clients/home/settings.h"

enum exit_code clip_run(const struct opt_common *common,
						const struct settings *settings); /* clip get CLIP --out FILE */

#endif
