/* The device's thread: connects and connects again, sends events and chunks, takes
 * acknowledgements, tells the program. It owns the link; the spool and the courier it shares under
 * the device's lock. */
#ifndef SDK_WORKER_H
#define SDK_WORKER_H

#include "clients/sdk/device.h"

/* Starts the thread with all signals blocked. ERR_NOMEM: no thread. */
enum err worker_start(struct vestibule_device *d) MUST_CHECK;
void worker_stop(struct vestibule_device *d); /* says goodbye and joins; only after worker_start */
void worker_log(void *device, enum log_level level, const char *line); /* a log_sink_fn */

#endif
