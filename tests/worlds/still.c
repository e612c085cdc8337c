/* A shared object for LD_PRELOAD: a broker whose wall clock and boot clock stand where the file
 * STILL_CLOCK says (a little-endian int64 of milliseconds, mapped), and whose random bytes follow
 * from STILL_SEED. Each buffer that asks for random bytes has a stream of its own, numbered in the
 * order of first asking: what one pool draws shifts no other. For tests alone; nothing is built
 * with it. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { STREAMS = 64 };

static const volatile int64_t *still_ms(void) {
	static const volatile int64_t *at;
	const char *path = getenv("STILL_CLOCK");
	if (at || !path) return at;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*at), PROT_READ, MAP_SHARED, fd, 0);
	if (fd >= 0) (void)close(fd); /* the map stays */
	if (map != MAP_FAILED) at = map;
	return at;
}

int clock_gettime(clockid_t id, struct timespec *out) {
	const volatile int64_t *ms = still_ms();
	if (!ms || (id != CLOCK_REALTIME && id != CLOCK_BOOTTIME))
		return (int)syscall(SYS_clock_gettime, id, out);
	int64_t now = *ms - (id == CLOCK_BOOTTIME ? INT64_C(1700000000000) : 0);
	out->tv_sec = now / 1000;
	out->tv_nsec = now % 1000 * 1000000;
	return 0;
}

static uint64_t next(uint64_t *x) { /* splitmix64 */
	uint64_t z = (*x += UINT64_C(0x9E3779B97F4A7C15));
	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

ssize_t getrandom(void *buf, size_t len, unsigned flags) {
	static struct {
		const void *buf;
		uint64_t state;
	} streams[STREAMS];
	const char *seed = getenv("STILL_SEED");
	uint8_t *out = buf;
	size_t i = 0;
	if (!seed) return syscall(SYS_getrandom, buf, len, flags);
	while (i < STREAMS - 1 && streams[i].buf && streams[i].buf != buf) i++;
	if (streams[i].buf != buf) {
		streams[i].buf = buf;
		streams[i].state = strtoull(seed, NULL, 10) * 1000 + i;
	}
	for (size_t n = 0; n < len; n++) out[n] = (uint8_t)next(&streams[i].state);
	return (ssize_t)len;
}
