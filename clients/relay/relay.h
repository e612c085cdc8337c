/* The relay as one thing: joins connection, outbox, storage, transfers, deletion and reports, and
 * decides what each job means. It is driven by a loop (loop.h) and ends when that is freed. One
 * thread.
 *
 *     struct relay *r = relay_new(&opts, why);
 *     loop source: relay_source(r)
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "clients/relay/core.h"
#include "clients/relay/loop.h"
#include "clients/relay/options.h"

enum { RELAY_WHY_SIZE = 256 };

struct relay;

/* common and options: kept; both are good already. Opens outbox, storage and listener, connects to
 * nothing yet. EXIT_RECORDED: *out is the caller's. EXIT_USAGE: token, certificate or key file;
 * EXIT_UNAVAILABLE: outbox, storage or listener; EXIT_INTERNAL: no memory. why is a sentence. */
enum exit_code relay_new(const struct opt_common *common, const struct relay_options *options,
						 struct log *log, struct relay **out, char why[RELAY_WHY_SIZE]) MUST_CHECK;
void relay_free(struct relay *r); /* parks what runs, says goodbye; NULL is fine */

enum err relay_turn(struct relay *r)
	MUST_CHECK;                           /* one turn of the loop; ERR_NET: the loop is broken */
struct loop *relay_loop(struct relay *r); /* for the program's own sources */

#endif
