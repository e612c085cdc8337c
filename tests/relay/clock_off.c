/* A shared object for LD_PRELOAD: the relay's wall clock is as many seconds off as the file
 * CLOCK_OFF_FILE says, now. Only CLOCK_REALTIME is moved, as on a machine whose clock is wrong. For
 * tests alone; nothing is built with it. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long seconds_off(void) {
	const char *path = getenv("CLOCK_OFF_FILE");
	char text[32] = "0";
	FILE *f = path ? fopen(path, "r") : NULL;
	if (f) {
		if (!fgets(text, sizeof(text), f)) text[0] = '0';
		(void)fclose(f);
	}
	return strtol(text, NULL, 10);
}

int clock_gettime(clockid_t id, struct timespec *out) {
	int rc = (int)syscall(SYS_clock_gettime, id, out);
	if (rc == 0 && id == CLOCK_REALTIME) out->tv_sec += seconds_off();
	return rc;
}
