/* Where in a message a walk stands, for faults: a chain of frames on the stack. Inside proto/ only.
 */
#ifndef PROTO_CODEC_PATH_H
#define PROTO_CODEC_PATH_H

#include "proto/codec.h"

struct codec_path {
	const struct codec_path *up; /* NULL: the message itself */
	const char *name;
	long index; /* in a list; -1: not in one */
};

/* Writes the fault; field NULL blames the place of p itself. Too long a path or limit is cut.
 * Returns e. */
enum err codec_path_fault(const struct codec_path *p, const char *field, const char *limit,
						  enum err e, struct codec_fault *why);

#endif
