/* A database that was restored does not know what was retracted since the backup: whatever still
 * allows may have been. So every standing grant and every live clip grant ends, by the system, and
 * with the latter the stored copies (delivery_end). Homes read it in their receipts and may grant
 * again. Not here: how one knows (plugin/store/mark.h), and what no grant is: members, tokens and
 * rules are again what they were at the backup (docs/operations.md). */
#include "plugin/consent/restored.h"

#include "plugin/consent/grant.h"
#include "plugin/consent/standing.h"

bool restored_end_all(const struct step *s) {
	if (!standing_end_all(s) || !grant_end_all(s) || !effects_room(s->fx, 1, 0)) return false;
	struct row_meta *m = effects_new(s, ROW_META);
	EFFECTS_TEXT(m->name, RESTORED_META);
	m->value = s->now.utc_ms;
	return true;
}
