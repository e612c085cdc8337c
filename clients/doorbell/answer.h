/* One command of a client, answered: what the words on the socket mean. Any thread. */
#ifndef DOORBELL_ANSWER_H
#define DOORBELL_ANSWER_H

#include "clients/doorbell/clips.h"
#include "clients/doorbell/ownership.h"
#include "clients/doorbell/wire.h"
#include "clients/sdk/vestibule_device.h"

struct answer_to { /* borrowed */
	struct vestibule_device *device;
	struct clips *clips;
	const char *name; /* the device's */
	struct ownership *own;
};

/* Does what the line (bytes, without line feed) says and appends the answer, without line feed, to
 * out. fd: the file that came along, or -1; the caller closes it. Every answer begins with an exit
 * code. */
void answer_line(const struct answer_to *to, struct span bytes, int fd, struct buf *out);

#endif
