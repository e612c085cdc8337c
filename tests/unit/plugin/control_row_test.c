/* What an operator typed wrong is named, with its limit; nothing else of a row is looked at then. */
#include "plugin/control_row.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/unit/plugin/broker_stub.h"

#define SIXTYFOUR "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	enum row_kind kind;
	const char *json, *why; /* NULL: it is taken */
} cases[] = {
	{ROW_HOME, "{\"id\":\"maple\"}", NULL},
	{ROW_HOME, "{\"id\":\"" SIXTYFOUR "\"}", NULL},
	{ROW_HOME, "{\"id\":\"" SIXTYFOUR "x\"}", "home.id: must be 1-64 of [a-z0-9_-]"},
	{ROW_HOME, "{\"id\":\"A B\"}", "home.id: must be 1-64 of [a-z0-9_-]"},
	{ROW_HOME, "{}", "home.id: must be 1-64 of [a-z0-9_-]"},
	{ROW_HOME, "{\"id\":\"maple\",\"unsealed_ok\":2}", "home.unsealed_ok: must be true or false"},
	{ROW_HOME, "{\"id\":\"maple\",\"face\":1}", "home.face: not a known member"},
	{ROW_HOME, "[]", "home.row: not an object"},
	{ROW_DEVICE, "{\"id\":\"door\",\"home\":\"maple\",\"cell\":\"u4pruydq\"}", NULL},
	{ROW_DEVICE, "{\"id\":\"door\",\"home\":\"maple\",\"cell\":\"u4pruyd\"}",
	 "device.cell: must be a geohash of 8 letters, or empty"},
	{ROW_CREDENTIAL, "{\"username\":\"al\",\"kind\":\"operator\"}",
	 "credential.username: must be 3-64 of [a-z0-9_-]"},
	{ROW_CREDENTIAL, "{\"username\":\"ops\",\"kind\":99}", "credential.kind: must be 1-7"},
	{ROW_CREDENTIAL, "{\"username\":\"ops\",\"kind\":\"king\"}",
	 "credential.kind: not a number or a known word"},
	{ROW_CREDENTIAL, "{\"username\":\"ops\",\"kind\":\"operator\",\"subject\":\"x y\"}",
	 "credential.subject: must be 0-64 of [a-z0-9_-]"},
	{ROW_CREDENTIAL, "{\"username\":\"ops\",\"kind\":\"operator\",\"subject\":\"maple\"}",
	 "credential.subject: does not fit what else is said"},
	{ROW_TOKEN, "{\"username\":\"front-1\",\"slot\":1,\"sha256\":\"" SIXTYFOUR "\"}", NULL},
	{ROW_TOKEN, "{\"username\":\"al\",\"sha256\":\"" SIXTYFOUR "\"}",
	 "token.username: must be 3-64 of [a-z0-9_-]"},
	{ROW_TOKEN, "{\"username\":\"front-1\",\"sha256\":\"abc\"}",
	 "token.sha256: must be 64 lower-case hex digits"},
	{ROW_APP_TOPIC, "{\"username\":\"frigate\",\"filter\":\"vestibule/#\",\"access\":\"read\"}",
	 "app_topic.filter: must be a topic filter outside vestibule/ and $, at most 256 bytes"},
	{ROW_APP_TOPIC, "{\"username\":\"frigate\",\"filter\":\"frigate/#\",\"access\":\"read\"}",
	 NULL},
};

static void what_is_wrong_is_named_with_its_limit(void **state) {
	(void)state;
	struct buf rings;
	buf_init(&rings, ROW_RINGS_BYTES_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		union row_any row;
		char why[CONTROL_WHY_SIZE] = "";
		cJSON *json = cJSON_Parse(cases[i].json);
		assert_non_null(json);
		enum err e = control_row_parse(cases[i].kind, json, 1, &rings, &row, why);
		assert_int_equal(e, cases[i].why ? ERR_INPUT : ERR_NONE);
		if (cases[i].why) assert_string_equal(why, cases[i].why);
		cJSON_Delete(json);
	}
	buf_fini(&rings);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_wrong_is_named_with_its_limit)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
