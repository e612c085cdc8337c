/* vestibule-home rotate: the own token is replaced. */
#ifndef HOME_ROTATE_H
#define HOME_ROTATE_H

#include "clients/home/settings.h"
#include "clients/mq/exit.h"

/* FILE.new beside the token file holds the next token from before the broker hears of its hash
 * until a login has shown that it is good; then it takes the old one's place. Wherever this stops,
 * one of the two files is good, and the next run goes on from there. EXIT_USAGE: no token file. */
enum exit_code rotate_run(const struct opt_common *common, const struct settings *set) MUST_CHECK;

#endif
