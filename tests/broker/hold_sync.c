/* Loaded before a broker (LD_PRELOAD): as long as the file that HOLD_SYNC names is there, nothing that is written becomes
 * durable: fsync and fdatasync do not return. See disk.py. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int fsync(int fd);
int fdatasync(int fd);

static void wait_while_held(void) {
	const char *held = getenv("HOLD_SYNC");
	while (held && access(held, F_OK) == 0) (void)usleep(2000);
}

int fsync(int fd) {
	wait_while_held();
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
	wait_while_held();
	return (int)syscall(SYS_fdatasync, fd);
}
