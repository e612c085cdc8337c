/* vestibule-home: what a member of a home sees and says. The tables of commands are in settings.c.
 */
#include "clients/home/settings.h"

int main(int argc, char **argv) {
	struct opt_common common;
	struct settings settings = {0};
	struct opt_choice choice;
	int rc = opt_parse(&settings_program, argc, argv, &common, &settings, &choice);
	if (rc < 0) rc = choice.command->run(&common, &settings);
	opt_fini(&choice);
	return rc;
}
