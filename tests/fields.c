/* Prints the field table of proto/README.md; docs-check compares the two. */
#include "proto/codec.h"

int main(void) {
	struct buf b;
	buf_init(&b, 1 << 20);
	codec_print_fields(&b);
	bool good = buf_error(&b) == ERR_NONE && fwrite(b.ptr, 1, b.len, stdout) == b.len;
	good = fflush(stdout) == 0 && good;
	buf_fini(&b);
	return good ? 0 : 1;
}
