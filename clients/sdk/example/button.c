/* A doorbell in forty lines: every line on standard input is a press of the button. It needs
 * nothing but the header:
 *
 *     cc -o button button.c $(pkg-config --cflags --libs vestibule-device)
 *     VESTIBULE_TOKEN_FILE=token ./button broker.example door-1 spool */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vestibule_device.h>

static void on_link(void *ctx, enum vestibule_link link, const char *why) {
	(void)ctx;
	printf("%s %s\n", link == VESTIBULE_ONLINE ? "online" : "not online", why);
}

static void on_settled(void *ctx, const struct vestibule_settled *event) {
	(void)ctx;
	printf("ring %" PRIu64 " %s\n", event->seq,
		   event->outcome == VESTIBULE_ARRIVED ? "arrived" : event->reason);
}

int main(int argc, char **argv) {
	char token[130] = "", line[80];
	const char *path = getenv("VESTIBULE_TOKEN_FILE");
	FILE *file = path ? fopen(path, "r") : NULL;
	if (argc != 4 || !file || !fgets(token, sizeof token, file)) {
		fprintf(stderr, "usage: VESTIBULE_TOKEN_FILE=FILE button HOST USERNAME SPOOL\n");
		return 64;
	}
	fclose(file);
	token[strcspn(token, "\n")] = '\0';
	struct vestibule_config config = {.host = argv[1],
									  .tls = true,
									  .username = argv[2],
									  .token = token,
									  .spool_dir = argv[3],
									  .link = on_link,
									  .settled = on_settled};
	struct vestibule_fault why;
	struct vestibule_device *door = vestibule_device_new(&config, &why);
	if (!door || vestibule_device_connect(door, &why) != VESTIBULE_OK) {
		fprintf(stderr, "%s: %s\n", why.field, why.limit);
		return 1;
	}
	while (fgets(line, sizeof line, stdin))
		if (vestibule_device_ring(door, NULL, &why) != VESTIBULE_OK)
			fprintf(stderr, "%s\n", why.limit);
	vestibule_device_free(door);
	return 0;
}
