/* Lines say what happened, and hostile values stay inside their column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clients/home/render.h"

static void expect_event(const char *name, const char *json, const char *want) {
	struct buf b;
	buf_init(&b, 4096);
	cJSON *parsed = cJSON_Parse(json);
	assert_non_null(parsed);
	render_event(&b, "front", name, parsed);
	assert_string_equal(buf_cstr(&b), want);
	cJSON_Delete(parsed);
	buf_fini(&b);
}

static void an_event_is_one_line(void **state) {
	(void)state;
	expect_event("ring", "{\"at_ms\":1795636805123}", "2026-11-25T20:00:05Z  front  ring");
	expect_event("motion",
				 "{\"at_ms\":1795636805123,\"kind\":\"person\",\"confidence_permille\":853}",
				 "2026-11-25T20:00:05Z  front  motion  person  85 %");
	expect_event("status", "{\"at_ms\":0,\"status\":\"online\"}", "-  front  status  online");
	expect_event("status", "\"offline\"", "-  front  status  offline");
	expect_event("clip-ready",
				 "{\"at_ms\":1795636805123,\"clip_id\":\"01890a5d-0000-7000-8000-000000000001\","
				 "\"duration_ms\":12340,"
				 "\"trigger\":\"ring\",\"media_type\":\"video/mp4\"}",
				 "2026-11-25T20:00:05Z  front  clip-ready  01890a5d-0000-7000-8000-000000000001  "
				 "12.3 s  ring  video/mp4");
}

static void members_of_another_type_are_left_out(void **state) {
	(void)state;
	expect_event("motion",
				 "{\"at_ms\":\"now\",\"kind\":7,\"confidence_permille\":[1],\"clip_id\":{}}",
				 "-  front  motion");
	expect_event("motion", "{\"at_ms\":-1,\"duration_ms\":1e300,\"confidence_permille\":-5}",
				 "-  front  motion");
	expect_event("ring", "[1,2]", "-  front  ring");
	expect_event("ring", "null", "-  front  ring");
}

static void hostile_text_stays_on_its_line(void **state) {
	(void)state;
	expect_event("motion", "{\"kind\":\"a\\u001b[2J\\nb\"}", "-  front  motion  a?[2J?b");
	struct buf b;
	buf_init(&b, 4096);
	Vestibule__V1__Ask ask = VESTIBULE__V1__ASK__INIT;
	char name[] = "Police\n  clip 0  front\x1b[1A";
	ask.agency_name = name;
	render_ask(&b, &ask);
	assert_non_null(strstr(buf_cstr(&b), "Police?  clip 0  front?[1A (unspecified)"));
	buf_fini(&b);
}

static void an_ask_shows_what_is_asked_for(void **state) {
	(void)state;
	uint8_t id[16] = {0x01, 0x89, 0x0a, 0x5d, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1};
	char device[] = "front", agency[] = "pd", seal[] = "x";
	struct buf b;
	buf_init(&b, 4096);
	Vestibule__V1__Circle circle = VESTIBULE__V1__CIRCLE__INIT;
	circle.lat_e7 = -5000;
	circle.lon_e7 = 134050000;
	circle.radius_m = 300;
	Vestibule__V1__AskClip clip = VESTIBULE__V1__ASK_CLIP__INIT;
	Vestibule__V1__AskClip *clips[] = {&clip};
	clip.clip_id = (ProtobufCBinaryData){16, id};
	clip.device = device;
	clip.trigger = VESTIBULE__V1__TRIGGER__TRIGGER_RING;
	clip.duration_ms = 9000;
	clip.sealed = (ProtobufCBinaryData){1, (uint8_t *)seal};
	Vestibule__V1__Ask ask = VESTIBULE__V1__ASK__INIT;
	ask.ask_id = clip.clip_id;
	ask.agency = agency;
	ask.agency_kind = VESTIBULE__V1__AGENCY_KIND__AGENCY_KIND_POLICE;
	ask.incident_type = VESTIBULE__V1__INCIDENT_TYPE__INCIDENT_TYPE_HIT_AND_RUN;
	ask.purpose = VESTIBULE__V1__PURPOSE__PURPOSE_INVESTIGATION;
	ask.circle = &circle;
	ask.clips = clips;
	ask.n_clips = 1;
	render_ask(&b, &ask);
	assert_string_equal(
		buf_cstr(&b), "ask 01890a5d-0000-7000-8000-000000000001  pd (police)  hit and run  "
					  "investigation  open until -\n"
					  "  recorded between - and -, within 300 m of -0.00050,13.40500\n"
					  "  clip 01890a5d-0000-7000-8000-000000000001  front  -  9.0 s  ring  sealed");
	buf_fini(&b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_one_line),
		cmocka_unit_test(members_of_another_type_are_left_out),
		cmocka_unit_test(hostile_text_stays_on_its_line),
		cmocka_unit_test(an_ask_shows_what_is_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
