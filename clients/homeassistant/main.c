/* vestibule-ha: what Home Assistant sees of a home. */
#include "clients/homeassistant/bridge.h"

int main(int argc, char **argv) {
	struct opt_common common;
	struct settings settings;
	struct opt_choice choice;
	settings_init(&settings);
	int rc = opt_parse(&settings_program, argc, argv, &common, &settings, &choice);
	if (rc < 0) rc = settings_check(&settings);
	if (rc < 0) rc = (int)bridge_run(&common, &settings);
	opt_fini(&choice);
	return rc;
}
