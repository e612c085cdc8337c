/* The n-th allocation, or the n-th operation on a file, fails; once. Allocations are those of our own
 * code (the linker wraps malloc and its kin), of cJSON and of SQLite; file operations are SQLite's,
 * through a VFS that stands before the real one. */
#ifndef TESTS_TORTURE_FAULTS_H
#define TESTS_TORTURE_FAULTS_H

#include <cjson/cJSON.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum fault_kind { FAULT_NONE, FAULT_ALLOCATION, FAULT_IO };

static struct {
	enum fault_kind kind;
	atomic_long left; /* counts down; the one that makes it 0 fails */
	atomic_bool happened;
} fault;

static inline void fault_arm(enum fault_kind kind, long n) {
	atomic_store(&fault.left, n);
	atomic_store(&fault.happened, false);
	fault.kind = kind;
}

static inline void fault_disarm(void) {
	fault.kind = FAULT_NONE;
}

static inline bool fault_now(enum fault_kind kind) {
	if (fault.kind != kind || atomic_fetch_sub(&fault.left, 1) != 1) return false;
	atomic_store(&fault.happened, true);
	return true;
}

/* --- allocations ------------------------------------------------------------------------------ */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *s);

void *__wrap_malloc(size_t size) {
	return fault_now(FAULT_ALLOCATION) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
	return fault_now(FAULT_ALLOCATION) ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size) {
	return fault_now(FAULT_ALLOCATION) ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *s) {
	return fault_now(FAULT_ALLOCATION) ? NULL : __real_strdup(s);
}

static sqlite3_mem_methods sqlite_memory;

static void *sqlite_malloc(int size) {
	return fault_now(FAULT_ALLOCATION) ? NULL : sqlite_memory.xMalloc(size);
}

static void *sqlite_realloc(void *p, int size) {
	return fault_now(FAULT_ALLOCATION) ? NULL : sqlite_memory.xRealloc(p, size);
}

/* --- file operations -------------------------------------------------------------------------- */

struct torn_file {
	sqlite3_file base;
	sqlite3_file *real; /* behind this struct */
};

#define TORN(f) (((struct torn_file *)(f))->real)

static int torn_close(sqlite3_file *f) {
	return TORN(f)->pMethods ? TORN(f)->pMethods->xClose(TORN(f)) : SQLITE_OK;
}

static int torn_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at) {
	return fault_now(FAULT_IO) ? SQLITE_IOERR_READ : TORN(f)->pMethods->xRead(TORN(f), to, n, at);
}

static int torn_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at) {
	return fault_now(FAULT_IO) ? SQLITE_FULL : TORN(f)->pMethods->xWrite(TORN(f), from, n, at);
}

static int torn_truncate(sqlite3_file *f, sqlite3_int64 size) {
	return fault_now(FAULT_IO) ? SQLITE_IOERR_TRUNCATE
							   : TORN(f)->pMethods->xTruncate(TORN(f), size);
}

static int torn_sync(sqlite3_file *f, int flags) {
	return fault_now(FAULT_IO) ? SQLITE_IOERR_FSYNC : TORN(f)->pMethods->xSync(TORN(f), flags);
}

static int torn_size(sqlite3_file *f, sqlite3_int64 *size) {
	return fault_now(FAULT_IO) ? SQLITE_IOERR_FSTAT : TORN(f)->pMethods->xFileSize(TORN(f), size);
}

static int torn_lock(sqlite3_file *f, int level) {
	return fault_now(FAULT_IO) ? SQLITE_IOERR_LOCK : TORN(f)->pMethods->xLock(TORN(f), level);
}

static int torn_unlock(sqlite3_file *f, int level) {
	return TORN(f)->pMethods->xUnlock(TORN(f), level);
}

static int torn_reserved(sqlite3_file *f, int *out) {
	return TORN(f)->pMethods->xCheckReservedLock(TORN(f), out);
}

static int torn_control(sqlite3_file *f, int op, void *arg) {
	return TORN(f)->pMethods->xFileControl(TORN(f), op, arg);
}

static int torn_sector(sqlite3_file *f) {
	return TORN(f)->pMethods->xSectorSize(TORN(f));
}

static int torn_traits(sqlite3_file *f) {
	return TORN(f)->pMethods->xDeviceCharacteristics(TORN(f));
}

static int torn_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out) {
	return fault_now(FAULT_IO) ? SQLITE_IOERR_SHMMAP
							   : TORN(f)->pMethods->xShmMap(TORN(f), page, size, extend, out);
}

static int torn_shm_lock(sqlite3_file *f, int at, int n, int flags) {
	return TORN(f)->pMethods->xShmLock(TORN(f), at, n, flags);
}

static void torn_shm_barrier(sqlite3_file *f) {
	TORN(f)->pMethods->xShmBarrier(TORN(f));
}

static int torn_shm_unmap(sqlite3_file *f, int drop) {
	return TORN(f)->pMethods->xShmUnmap(TORN(f), drop);
}

static const sqlite3_io_methods torn_methods = {
	2,           torn_close,   torn_read,     torn_write,       torn_truncate,  torn_sync,
	torn_size,   torn_lock,    torn_unlock,   torn_reserved,    torn_control,   torn_sector,
	torn_traits, torn_shm_map, torn_shm_lock, torn_shm_barrier, torn_shm_unmap, NULL,
	NULL};

static sqlite3_vfs *real_vfs;

static int torn_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *f, int flags,
					 int *out) {
	struct torn_file *t = (struct torn_file *)f;
	(void)vfs;
	t->base.pMethods = NULL;
	t->real = (sqlite3_file *)(t + 1);
	if (fault_now(FAULT_IO)) return SQLITE_CANTOPEN;
	int rc = real_vfs->xOpen(real_vfs, name, t->real, flags, out);
	if (rc == SQLITE_OK) t->base.pMethods = &torn_methods;
	return rc;
}

/* Before the first use of SQLite. */
static inline void fault_install(void) {
	static sqlite3_vfs torn;
	cJSON_Hooks hooks = {.malloc_fn = __wrap_malloc, .free_fn = free};
	cJSON_InitHooks(&hooks);
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory) != SQLITE_OK) abort();
	sqlite3_mem_methods ours = sqlite_memory;
	ours.xMalloc = sqlite_malloc;
	ours.xRealloc = sqlite_realloc;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) != SQLITE_OK) abort();
	real_vfs = sqlite3_vfs_find(NULL);
	if (!real_vfs) abort();
	torn = *real_vfs;
	torn.zName = "torn";
	torn.szOsFile = (int)sizeof(struct torn_file) + real_vfs->szOsFile;
	torn.xOpen = torn_open;
	if (sqlite3_vfs_register(&torn, 1) != SQLITE_OK) abort();
}

#endif
