/* A town for stories about consent: two agencies, a home with three people and a device, a relay
 * and an alarm firm, and short ways to an ask that was made and a clip that was delivered. Not
 * here: how commands are sent (world.h). */
#ifndef TESTS_CONSENT_TOWN_H
#define TESTS_CONSENT_TOWN_H

#include "tests/unit/consent/world.h"

static inline void world_add_home(struct world *w, const char *home, const char *admin,
								  const char *device, const char *device_user) {
	assert_int_equal(world_put_home(w, home), REASON_OK);
	assert_int_equal(world_put_device(w, device, home, 52.0, 13.0), REASON_OK);
	assert_int_equal(world_put_credential(w, device_user, CRED_DEVICE, device, ROLE_NONE),
					 REASON_OK);
	assert_int_equal(world_first_admin(w, device_user, admin, 1), REASON_OK);
}

/* A home of alice (admin), bob (adult) and kid (limited) with one device; a police department with
 * one of each role and a second supervisor; a fire brigade; a relay; an alarm firm. Nobody opted in
 * to anything. */
static inline struct world *world_town(void) {
	struct world *w = world_new();
	world_add_home(w, "h1", "alice", "d1", "dev-1");
	assert_int_equal(world_invite(w, "alice", "bob", VESTIBULE__V1__MEMBER_ROLE__MEMBER_ROLE_ADULT),
					 REASON_OK);
	assert_int_equal(
		world_invite(w, "alice", "kid", VESTIBULE__V1__MEMBER_ROLE__MEMBER_ROLE_LIMITED),
		REASON_OK);
	assert_int_equal(world_put_agency(w, "pd", AGENCY_POLICE), REASON_OK);
	assert_int_equal(world_put_agency(w, "fd", AGENCY_FIRE), REASON_OK);
	assert_int_equal(world_put_credential(w, "ines", CRED_OFFICER, "pd", ROLE_INVESTIGATOR),
					 REASON_OK);
	assert_int_equal(world_put_credential(w, "ivan", CRED_OFFICER, "pd", ROLE_INVESTIGATOR),
					 REASON_OK);
	assert_int_equal(world_put_credential(w, "sam", CRED_OFFICER, "pd", ROLE_SUPERVISOR),
					 REASON_OK);
	assert_int_equal(world_put_credential(w, "sue", CRED_OFFICER, "pd", ROLE_SUPERVISOR),
					 REASON_OK);
	assert_int_equal(world_put_credential(w, "eve", CRED_OFFICER, "pd", ROLE_EVIDENCE), REASON_OK);
	assert_int_equal(world_put_credential(w, "liam", CRED_OFFICER, "pd", ROLE_LIAISON), REASON_OK);
	assert_int_equal(world_put_credential(w, "aud", CRED_OFFICER, "pd", ROLE_AUDITOR), REASON_OK);
	assert_int_equal(world_put_credential(w, "fsup", CRED_OFFICER, "fd", ROLE_SUPERVISOR),
					 REASON_OK);
	world_put_relay(w, "r1", "mover");
	world_put_integrator(w, "alarm", "alarm-4");
	return w;
}

/* An open request for which home h1 was asked about one clip, whose id is copied out. */
static inline const struct row_ask *world_asked(struct world *w, char clip[UUID_TEXT_SIZE]) {
	struct world_submit r;
	assert_int_equal(world_rules(w, "alice", "ask police"), REASON_OK);
	world_good_clip(w, "dev-1", clip);
	world_submit_init(w, &r);
	assert_int_equal(world_submit(w, "ines", &r), REASON_OK);
	assert_int_equal(world_approve(w, "sam", w->id), REASON_OK);
	world_pass(w, 1000);
	world_pass(w, 1000);
	const struct row_ask *ask = world_ask(w, "h1");
	assert_non_null(ask);
	w->asked = *ask;
	return &w->asked;
}

/* ... approved by alice, released, copied and announced. */
static inline const struct row_delivery *world_delivered(struct world *w,
														 char clip[UUID_TEXT_SIZE]) {
	const struct row_ask *ask = world_asked(w, clip);
	assert_int_equal(world_yes(w, "alice", ask, clip), REASON_OK);
	world_to_tick(w);
	world_to_tick(w);
	const struct row_grant *g = world_grant_on(w, clip);
	assert_int_equal(g->state, GSTATE_ACTIVE);
	assert_int_equal(world_report(w, "mover", VESTIBULE__V1__REPORT_KIND__REPORT_KIND_COPIED,
								  world_delivery(w, g->id), 1000),
					 REASON_OK);
	world_to_tick(w);
	w->delivered = *world_delivery(w, g->id);
	assert_true(w->delivered.announced);
	return &w->delivered;
}

#endif
