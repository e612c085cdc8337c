/* All our objects in a bucket, page by page: names of 32 hex digits directly under the prefix. In a
 * versioned bucket every version and delete marker counts. One thread. */
#ifndef RELAY_S3_LIST_H
#define RELAY_S3_LIST_H

#include "clients/relay/backend.h"
#include "clients/relay/s3_gate.h"

enum { S3_LIST_PAGE = 60 /* no more than one round of the sweep takes (purger.c) */ };

struct s3_list;

struct s3_list *s3_list_new(struct s3_http *http, struct s3_gate *gate); /* kept. NULL: no memory */
void s3_list_free(struct s3_list *l);                                    /* NULL is fine */

bool s3_list_is_running(const struct s3_list *l); /* between its first and its last page */

/* AGAIN: there is more; names that came so far were handed to fn. DONE: that was all, the next call
 * begins anew. FAILED: why is a sentence, the next call begins anew. */
enum backend_result s3_list_step(struct s3_list *l, backend_name_fn *fn, void *ctx,
								 char why[BACKEND_WHY_SIZE]);

#endif
