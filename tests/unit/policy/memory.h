/* Memory that is refused: a test program that includes this replaces malloc and its like by counting ones
 * in front of glibc's own. Not where a sanitizer has its own allocator: MEMORY_COUNTED is then 0. */
#ifndef TESTS_POLICY_MEMORY_H
#define TESTS_POLICY_MEMORY_H

#include <stdbool.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_COUNTED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MEMORY_COUNTED 0
#endif
#endif
#ifndef MEMORY_COUNTED
#define MEMORY_COUNTED 1
#endif

static long memory_calls;        /* since it was last set to 0 */
static long memory_fail_at = -1; /* the call, counted from 0, that gets no memory; -1: none */

static inline void memory_refuse(long n) {
	memory_calls = 0;
	memory_fail_at = n;
}

static inline void memory_give(void) {
	memory_fail_at = -1;
}

#if MEMORY_COUNTED
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);

static bool memory_is_refused(void) {
	return memory_calls++ == memory_fail_at;
}

void *malloc(size_t n) {
	return memory_is_refused() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size) {
	return memory_is_refused() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n) {
	return memory_is_refused() ? NULL : __libc_realloc(p, n);
}
#endif

#endif
