/* The public header alone: it stands by itself, in C and in C++, and the example needs nothing
 * else. Also what the public functions refuse before any network. Run from the root of the
 * repository. */
#include "scratch.h"

#include "clients/sdk/vestibule_device.h"

#define CC "cc -Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only -Iclients/sdk "

static void compiles(const char *command) {
	if (system("command -v cc >/dev/null && command -v c++ >/dev/null") != 0) {
		(void)fprintf(stderr, "SKIPPED: no compiler to try the header with\n");
		skip();
	}
	if (system(command) != 0) fail_msg("%s", command);
}

static void example_compiles_against_the_header_alone(void **state) {
	(void)state;
	compiles(CC "-std=c11 clients/sdk/example/button.c");
}

static void header_stands_alone_in_c_and_cpp(void **state) {
	(void)state;
	compiles("echo '#include <vestibule_device.h>' | " CC "-std=c99 -x c -");
	compiles("echo '#include <vestibule_device.h>' | " CC "-std=c++11 -x c++ -");
}

static struct vestibule_config good(const char *dir) {
	return (struct vestibule_config){
		.host = "127.0.0.1", .username = "door-1", .token = "0123456789abcdef", .spool_dir = dir};
}

static void refused(const struct vestibule_config *c, const char *field) {
	struct vestibule_fault why;
	assert_null(vestibule_device_new(c, &why));
	assert_string_equal(why.field, field);
	assert_true(why.limit[0] != '\0');
	assert_null(vestibule_device_new(c, NULL));
}

static void each_wrong_setting_is_refused_by_name(void **state) {
	(void)state;
	char dir[64];
	scratch_dir(dir);
	struct vestibule_config c = good(dir);
	struct vestibule_device *d = vestibule_device_new(&c, NULL);
	assert_non_null(d); /* the nearest good one */
	vestibule_device_free(d);
#define WRONG(member, value, field) (c = good(dir), c.member = (value), refused(&c, field))
	WRONG(host, NULL, "host");
	WRONG(host, "a/b", "host");
	WRONG(username, NULL, "username");
	WRONG(username, "Door", "username");
	WRONG(username, "ab", "username");
	WRONG(device, "a+b", "device");
	WRONG(token, NULL, "token");
	WRONG(token, "0123456789abcde", "token");
	WRONG(token, "0123456789abcde\n", "token");
	WRONG(cert_file, "x", "key_file");
	WRONG(key_file, "x", "cert_file");
	WRONG(spool_dir, NULL, "spool_dir");
	WRONG(spool_dir, "/nowhere/at/all", "spool_dir");
	WRONG(spool_files_max, VESTIBULE_SPOOL_FILES_MAX + 1, "spool_files_max");
	WRONG(spool_bytes_max, VESTIBULE_SPOOL_BYTES_MIN - 1, "spool_bytes_max");
	WRONG(clock, (enum vestibule_clock)3, "clock");
	scratch_remove(dir);
}

static void wrong_events_are_refused_with_field_and_limit(void **state) {
	(void)state;
	char dir[64];
	scratch_dir(dir);
	struct vestibule_config c = good(dir);
	struct vestibule_fault why;
	struct vestibule_status before, after;
	struct vestibule_device *d = vestibule_device_new(&c, NULL);
	assert_non_null(d);
	vestibule_device_status(d, &before);
	assert_int_equal(vestibule_device_motion(d, VESTIBULE_PERSON, 1001, NULL, &why),
					 VESTIBULE_INVALID);
	assert_string_equal(why.field, "MotionEvent.confidence_permille");
	assert_int_equal(vestibule_device_motion(d, (enum vestibule_motion)9, 1, NULL, &why),
					 VESTIBULE_INVALID);
	struct vestibule_clip clip = {.start_ms = 1700000000000,
								  .duration_ms = 1,
								  .trigger = VESTIBULE_BY_OWNER,
								  .media_type = "video/mp4",
								  .payload_length = 1};
	assert_int_equal(vestibule_device_clip_ready(d, &clip, NULL, &why),
					 VESTIBULE_INVALID); /* no id */
	assert_string_equal(why.field, "ClipReady.clip_id");
	assert_true(vestibule_new_id(clip.clip_id));
	clip.media_type = NULL;
	assert_int_equal(vestibule_device_clip_ready(d, &clip, NULL, &why), VESTIBULE_INVALID);
	assert_string_equal(why.field, "ClipReady.media_type");
	vestibule_device_status(d, &after);
	assert_int_equal(after.seq, before.seq); /* no number was used up */
	clip.media_type = "video/mp4";
	struct vestibule_event event;
	assert_int_equal(vestibule_device_clip_ready(d, &clip, &event, &why), VESTIBULE_OK);
	assert_int_equal(event.seq, before.seq + 1);
	vestibule_device_free(d);
	scratch_remove(dir);
}

static void one_spool_serves_one_device(void **state) {
	(void)state;
	char dir[64];
	scratch_dir(dir);
	struct vestibule_config c = good(dir);
	struct vestibule_fault why;
	struct vestibule_device *d = vestibule_device_new(&c, &why);
	assert_non_null(d);
	assert_null(vestibule_device_new(&c, &why));
	assert_string_equal(why.field, "spool_dir");
	assert_non_null(strstr(why.limit, "another process"));
	vestibule_device_free(d);
	d = vestibule_device_new(&c, &why);
	assert_non_null(d);
	vestibule_device_free(d);
	vestibule_device_free(NULL);
	scratch_remove(dir);
}

static void spool_that_others_may_write_to_is_refused(void **state) {
	(void)state;
	char dir[64];
	scratch_dir(dir);
	struct vestibule_config c = good(dir);
	struct vestibule_fault why;
	static const mode_t shared[] = {0770, 0707, 0777};
	for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++) {
		assert_int_equal(chmod(dir, shared[i]), 0);
		refused(&c, "spool_dir");
		assert_null(vestibule_device_new(&c, &why));
		assert_non_null(strstr(why.limit, dir));
		assert_non_null(strstr(why.limit, "0700"));
	}
	assert_int_equal(chmod(dir, 0755), 0);
	struct vestibule_device *d = vestibule_device_new(&c, &why);
	assert_non_null(d);
	vestibule_device_free(d);
	scratch_remove(dir);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(example_compiles_against_the_header_alone),
		cmocka_unit_test(header_stands_alone_in_c_and_cpp),
		cmocka_unit_test(each_wrong_setting_is_refused_by_name),
		cmocka_unit_test(wrong_events_are_refused_with_field_and_limit),
		cmocka_unit_test(spool_that_others_may_write_to_is_refused),
		cmocka_unit_test(one_spool_serves_one_device),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
