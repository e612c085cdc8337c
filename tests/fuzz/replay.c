/* Runs a fuzzer's function over files, so that every compiler can replay corpora and old crashes:
 * X_fuzz.replay FILE... prints `replayed N inputs`. An input that breaks a property aborts. */
#include "lib/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 20 };

/* The whole file in memory of exactly its size, so that sanitizers see a read past the end. */
static uint8_t *read_file(const char *path, size_t *size) {
	FILE *f = fopen(path, "rb");
	if (!f) return NULL;
	struct buf b;
	buf_init(&b, INPUT_MAX);
	uint8_t part[4096];
	size_t n;
	while ((n = fread(part, 1, sizeof(part), f)) > 0) buf_put(&b, part, n);
	bool good = ferror(f) == 0 && buf_error(&b) == ERR_NONE;
	(void)fclose(f); /* only read from */
	uint8_t *bytes = good ? malloc(b.len ? b.len : 1) : NULL;
	if (bytes && b.len) memcpy(bytes, b.ptr, b.len);
	*size = b.len;
	buf_fini(&b);
	return bytes;
}

int main(int argc, char **argv) {
	for (int i = 1; i < argc; i++) {
		size_t size = 0;
		uint8_t *bytes = read_file(argv[i], &size);
		if (!bytes) {
			(void)fprintf(stderr, "%s: cannot be read\n", argv[i]); /* the exit status tells too */
			return 1;
		}
		(void)LLVMFuzzerTestOneInput(bytes, size); /* always 0 */
		free(bytes);
	}
	(void)printf("replayed %d inputs\n", argc - 1); /* the exit status tells too */
	return 0;
}
