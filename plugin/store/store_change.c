/* Deep copies of changes: what crosses from the broker's thread to the store's shares no memory
 * with it. */
#include "plugin/store/store.h"

void store_change_free(struct change *c) {
	if (!c) return;
	for (size_t i = 0; i < c->count; i++) row_free((struct row *)c->ops[i].row);
	free(c);
}

struct change *store_change_clone(const struct change *c) {
	if (!ENSURE(c->count <= CHANGE_OPS_MAX)) return NULL;
	struct change *copy = malloc(sizeof(*copy));
	if (!copy) return NULL;

	copy->seq = c->seq;
	copy->at_ms = c->at_ms;
	copy->count = 0;
	for (size_t i = 0; i < c->count; i++) {
		struct row *row = row_clone(c->ops[i].row);
		if (!row) {
			store_change_free(copy);
			return NULL;
		}
		copy->ops[copy->count++] = (struct row_op){.del = c->ops[i].del, .row = row};
	}
	return copy;
}
