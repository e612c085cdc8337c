/* The little that is read of an S3 server's XML: the text of elements that hold no elements, found
 * by name, in order. No entities are resolved: what is looked for (our own keys, codes, version
 * ids, markers) has none, and anything else matches nothing. Pure; any thread; never reads past its
 * span.
 */
#ifndef RELAY_S3_TEXT_H
#define RELAY_S3_TEXT_H

#include "lib/span.h"

/* The next <name>text</name> in *rest, which is moved behind it. False: none, *rest is untouched.
 */
bool s3_text_next(struct span *rest, const char *name, struct span *text);
/* The first one, copied; false, and out empty, when there is none or it does not fit. */
bool s3_text_get(struct span xml, const char *name, char *out, size_t cap);
bool s3_text_is(struct span xml, const char *name, const char *text); /* is the first one this? */
bool s3_text_has(struct span xml, const char *name); /* an element that begins so */

struct s3_text_version {
	struct span key, id;
};
/* The next key with its version id, of a version or a delete marker. */
bool s3_text_version(struct span *rest, struct s3_text_version *out);

#endif
