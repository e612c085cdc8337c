/* Who is told of, who is taken away, and that neither happens on a guess. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clients/homeassistant/devices.h"

static struct devices d;

static int set_up(void **state) {
	(void)state;
	d = (struct devices){0};
	return 0;
}

static int tear_down(void **state) {
	(void)state;
	devices_fini(&d);
	return 0;
}

static struct device *one(const char *id) {
	struct device *found = devices_find(&d, span_str(id));
	assert_non_null(found);
	return found;
}

static void list(const char *id, const char *name) {
	assert_int_equal(devices_list(&d, id, name), ERR_NONE);
}

/* Tells and removes all that must be, as after their PUBACKs. */
static void settle(void) {
	for (size_t i = 0; i < d.count; i++) {
		if (devices_must_tell(&d.all[i])) d.all[i].out = d.all[i].current = true;
		if (devices_must_remove(&d, &d.all[i])) d.all[i].out = false;
	}
	devices_sweep(&d);
}

static void device_is_told_of_once_its_list_is_whole(void **state) {
	(void)state;
	devices_begin(&d);
	list("front", "Front");
	assert_false(devices_must_tell(one("front")));
	devices_end(&d);
	assert_true(devices_must_tell(one("front")));
	settle();
	assert_false(devices_must_tell(one("front")));
	devices_begin(&d);
	list("front", "Front");
	devices_end(&d);
	assert_false(devices_must_tell(one("front")));
}

static void new_name_is_told(void **state) {
	(void)state;
	devices_begin(&d);
	list("front", "Front");
	devices_end(&d);
	settle();
	list("front", "Street side");
	assert_true(devices_must_tell(one("front")));
	assert_string_equal(one("front")->name, "Street side");
}

static void device_that_a_whole_list_lacks_is_taken_away(void **state) {
	(void)state;
	devices_begin(&d);
	list("front", "");
	list("garden", "");
	devices_end(&d);
	settle();
	devices_begin(&d);
	list("front", "");
	assert_false(devices_must_remove(&d, one("garden"))); /* the list may go on */
	devices_end(&d);
	assert_true(devices_must_remove(&d, one("garden")));
	assert_false(devices_must_remove(&d, one("front")));
	settle();
	assert_null(devices_find(&d, SPAN_LIT("garden")));
	assert_true(devices_is_settled(&d));
}

static void list_that_broke_off_takes_nothing_away(void **state) {
	(void)state;
	devices_begin(&d);
	list("front", "");
	list("garden", "");
	devices_end(&d);
	settle();
	devices_begin(&d);
	list("front", "");
	devices_begin(&d);
	settle();
	assert_non_null(devices_find(&d, SPAN_LIT("garden")));
	assert_false(devices_must_remove(&d, one("garden")));
}

static void leftover_waits_for_a_list_that_judges_it(void **state) {
	(void)state;
	assert_int_equal(devices_seen(&d, SPAN_LIT("old")), ERR_NONE);
	assert_false(devices_must_remove(&d, one("old"))); /* nothing is known yet */
	devices_begin(&d);
	devices_end(&d);
	assert_true(devices_must_remove(&d, one("old")));
	/* told by another program like ours, before our list has it */
	assert_int_equal(devices_seen(&d, SPAN_LIT("new")), ERR_NONE);
	assert_false(devices_must_remove(&d, one("new")));
	assert_false(devices_is_settled(&d));
	devices_begin(&d);
	list("new", "");
	devices_end(&d);
	assert_false(devices_must_remove(&d, one("new")));
	assert_true(devices_must_tell(one("new")));
}

static void retelling_tells_the_living_and_only_them(void **state) {
	(void)state;
	devices_begin(&d);
	list("front", "");
	devices_end(&d);
	settle();
	one("front")->mid = 7;
	devices_retell(&d);
	assert_true(devices_must_tell(one("front")));
	assert_int_equal(one("front")->mid, 7);
	devices_disconnected(&d);
	assert_int_equal(one("front")->mid, 0);
	devices_drop_all(&d);
	assert_false(devices_must_tell(one("front")));
	assert_true(devices_must_remove(&d, one("front")));
}

static void removal_is_remembered_until_its_puback(void **state) {
	(void)state;
	assert_int_equal(devices_seen(&d, SPAN_LIT("old")), ERR_NONE);
	devices_begin(&d);
	devices_end(&d);
	one("old")->out = false;
	one("old")->mid = 5;
	devices_sweep(&d);
	assert_false(devices_is_settled(&d));
	one("old")->mid = 0;
	devices_sweep(&d);
	assert_int_equal(d.count, 0);
}

static void full_table_and_bad_ids_are_refused(void **state) {
	(void)state;
	char id[16];
	assert_int_equal(devices_list(&d, "a/b", ""), ERR_INPUT);
	assert_int_equal(devices_list(&d, "", ""), ERR_INPUT);
	for (int i = 0; i < DEVICES_MAX; i++) {
		(void)snprintf(id, sizeof(id), "d%d", i);
		list(id, id);
	}
	assert_int_equal(devices_list(&d, "more", ""), ERR_LIMIT);
	assert_int_equal(devices_seen(&d, SPAN_LIT("more")), ERR_LIMIT);
	list("d0", "again");
}

int main(void) {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CLAIM(device_is_told_of_once_its_list_is_whole),
		CLAIM(new_name_is_told),
		CLAIM(device_that_a_whole_list_lacks_is_taken_away),
		CLAIM(list_that_broke_off_takes_nothing_away),
		CLAIM(leftover_waits_for_a_list_that_judges_it),
		CLAIM(retelling_tells_the_living_and_only_them),
		CLAIM(removal_is_remembered_until_its_puback),
		CLAIM(full_table_and_bad_ids_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
