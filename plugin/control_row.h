/* JSON of a registry row -> row, by the row's own description. Only kinds an operator may put: what
 * a home or an agency says is never made here. Pure but for cJSON. */
#ifndef PLUGIN_CONTROL_ROW_H
#define PLUGIN_CONTROL_ROW_H

#include <cjson/cJSON.h>

#include "plugin/policy/row.h"

enum { CONTROL_WHY_SIZE = 192 };

bool control_row_is_registry(enum row_kind kind);

/* Fills *out from the members of json. rings is the caller's buffer for a jurisdiction and must
 * live as long as *out. ERR_INPUT: why names the member and what is wrong with it (unknown, type,
 * value; the row's own validator included). ERR_ABSENT: not a kind an operator may put. */
enum err control_row_parse(enum row_kind kind, const cJSON *json, int64_t now_ms, struct buf *rings,
						   union row_any *out, char why[CONTROL_WHY_SIZE]) MUST_CHECK;

#endif
