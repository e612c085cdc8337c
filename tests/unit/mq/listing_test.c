/* Each item is printed once, in its latest form, oldest first. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "clients/mq/listing.h"

/* What listing_print writes to standard output. */
static const char *printed(struct listing *l) {
	static char text[256];
	char path[] = "/tmp/listing-XXXXXX";
	int file = mkstemp(path);
	int kept = dup(STDOUT_FILENO);
	assert_true(file >= 0 && kept >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(fflush(stdout), 0);
	assert_true(dup2(file, STDOUT_FILENO) >= 0);
	bool ok = listing_print(l);
	assert_true(dup2(kept, STDOUT_FILENO) >= 0);
	assert_true(ok);
	ssize_t n = pread(file, text, sizeof(text) - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	assert_int_equal(close(file), 0);
	assert_int_equal(close(kept), 0);
	return text;
}

static void items_come_oldest_first(void **state) {
	(void)state;
	struct listing l;
	listing_init(&l);
	listing_add(&l, 30, SPAN_LIT("c"), SPAN_LIT("third"));
	listing_add(&l, 10, SPAN_LIT("b"), SPAN_LIT("first"));
	listing_add(&l, 10, SPAN_LIT("c2"), SPAN_LIT("second"));
	assert_string_equal(printed(&l), "first\nsecond\nthird\n");
	listing_fini(&l);
}

static void a_repeated_item_is_printed_once_in_its_latest_form(void **state) {
	(void)state;
	struct listing l;
	listing_init(&l);
	listing_add(&l, 10, SPAN_LIT("a"), SPAN_LIT("offline"));
	listing_add(&l, 20, SPAN_LIT("ab"), SPAN_LIT("other"));
	listing_add(&l, 10, SPAN_LIT("a"), SPAN_LIT("online"));
	assert_string_equal(printed(&l), "online\nother\n");
	listing_fini(&l);
}

static void nothing_is_printed_for_nothing(void **state) {
	(void)state;
	struct listing l;
	listing_init(&l);
	assert_string_equal(printed(&l), "");
	listing_fini(&l);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_oldest_first),
		cmocka_unit_test(a_repeated_item_is_printed_once_in_its_latest_form),
		cmocka_unit_test(nothing_is_printed_for_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
