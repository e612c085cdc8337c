/* vestibule-conform: does a device that was not built on our library keep the contract? */
#include "clients/conform/run.h"

int main(int argc, char **argv) {
	struct opt_common common;
	struct settings settings;
	struct opt_choice choice;
	settings_init(&settings);
	int rc = opt_parse(&settings_program, argc, argv, &common, &settings, &choice);
	if (rc < 0) rc = settings_check(&common, &settings);
	if (rc < 0) rc = (int)run_conform(&common, &settings);
	opt_fini(&choice);
	return rc;
}
