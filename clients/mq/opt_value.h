/* From text to the value of one option, for opt.c. Pure but for the settings it writes. */
#ifndef MQ_OPT_VALUE_H
#define MQ_OPT_VALUE_H

#include "clients/mq/opt.h"

/* Writes text's value to o's place in settings. text: kept (OPT_TEXT, OPT_LIST). ERR_INPUT: not of
 * that type; ERR_LIMIT: outside min..max, or a list is full. want: what the value must be, half a
 * sentence. */
enum err opt_value_set(const struct opt *o, const char *text, void *settings,
					   char want[96]) MUST_CHECK;

#endif
