/* vestibule-agency: what officers file and fetch. The tables of commands are in settings.c. */
#include "clients/agency/settings.h"

int main(int argc, char **argv) {
	struct opt_common common;
	struct settings settings = {0};
	struct opt_choice choice;
	int rc = opt_parse(&settings_program, argc, argv, &common, &settings, &choice);
	if (rc < 0) rc = choice.command->run(&common, &settings);
	opt_fini(&choice);
	return rc;
}
