/* Migration 1: the first schema. One table for each kind of row, a column for each of its fields,
 * and the seq of the change that wrote it. Strict types, no defaults: a missing value is an error.
 * Parents are not foreign keys: the state checks them when it loads (plugin/policy/state.h). Never
 * edited once released: what comes later is another number. */
#ifndef STORE_SCHEMA_0001_H
#define STORE_SCHEMA_0001_H

#include <stddef.h>

static const char *const schema_0001[] = {
	/* the last committed change: one row */
	"CREATE TABLE store_state("
	"  id INTEGER PRIMARY KEY CHECK(id=1),"
	"  last_seq INTEGER NOT NULL"
	") STRICT",
	"INSERT INTO store_state VALUES(1,0)",

	"CREATE TABLE home("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  name TEXT NOT NULL,"
	"  unsealed_ok INTEGER NOT NULL,"
	"  created_ms INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE device("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  home TEXT NOT NULL,"
	"  name TEXT NOT NULL,"
	"  cell TEXT NOT NULL,"
	"  retired INTEGER NOT NULL,"
	"  created_ms INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE credential("
	"  username TEXT PRIMARY KEY NOT NULL,"
	"  kind INTEGER NOT NULL,"
	"  subject TEXT NOT NULL,"
	"  role INTEGER NOT NULL,"
	"  suspended INTEGER NOT NULL,"
	"  created_ms INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE token("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  username TEXT NOT NULL,"
	"  sha256 TEXT NOT NULL,"
	"  created_ms INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE app_topic("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  username TEXT NOT NULL,"
	"  \"filter\" TEXT NOT NULL,"
	"  access INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE integrator("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  name TEXT NOT NULL,"
	"  created_ms INTEGER NOT NULL,"
	"  retired INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE agency("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  name TEXT NOT NULL,"
	"  kind INTEGER NOT NULL,"
	"  policy_url TEXT NOT NULL,"
	"  recipient TEXT NOT NULL,"
	"  key_id TEXT NOT NULL,"
	"  key_nbf_ms INTEGER NOT NULL,"
	"  key_exp_ms INTEGER NOT NULL,"
	"  rings BLOB NOT NULL,"
	"  suspended INTEGER NOT NULL,"
	"  fast_path_lost INTEGER NOT NULL,"
	"  created_ms INTEGER NOT NULL,"
	"  retired INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE relay("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  name TEXT NOT NULL,"
	"  created_ms INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE rules("
	"  username TEXT PRIMARY KEY NOT NULL,"
	"  home TEXT NOT NULL,"
	"  text TEXT NOT NULL,"
	"  changed_ms INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE standing("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  home TEXT NOT NULL,"
	"  integrator TEXT NOT NULL,"
	"  device TEXT NOT NULL,"
	"  kind INTEGER NOT NULL,"
	"  state INTEGER NOT NULL,"
	"  nbf_ms INTEGER NOT NULL,"
	"  exp_ms INTEGER NOT NULL,"
	"  ended_ms INTEGER NOT NULL,"
	"  actor TEXT NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE clip("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  device TEXT NOT NULL,"
	"  home TEXT NOT NULL,"
	"  event_id TEXT NOT NULL,"
	"  seq INTEGER NOT NULL,"
	"  at_ms INTEGER NOT NULL,"
	"  arrived_ms INTEGER NOT NULL,"
	"  synced INTEGER NOT NULL,"
	"  start_ms INTEGER NOT NULL,"
	"  duration_ms INTEGER NOT NULL,"
	"  \"trigger\" INTEGER NOT NULL,"
	"  media_type TEXT NOT NULL,"
	"  payload_length INTEGER NOT NULL,"
	"  payload_sha256 TEXT NOT NULL,"
	"  sealed BLOB NOT NULL,"
	"  manifest BLOB NOT NULL,"
	"  poster_length INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE request("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  agency TEXT NOT NULL,"
	"  state INTEGER NOT NULL,"
	"  author TEXT NOT NULL,"
	"  approver TEXT NOT NULL,"
	"  reviewer TEXT NOT NULL,"
	"  emergency INTEGER NOT NULL,"
	"  incident INTEGER NOT NULL,"
	"  purpose INTEGER NOT NULL,"
	"  case_number TEXT NOT NULL,"
	"  reason TEXT NOT NULL,"
	"  lat_e7 INTEGER NOT NULL,"
	"  lon_e7 INTEGER NOT NULL,"
	"  radius_m INTEGER NOT NULL,"
	"  from_ms INTEGER NOT NULL,"
	"  to_ms INTEGER NOT NULL,"
	"  life_ms INTEGER NOT NULL,"
	"  submitted_ms INTEGER NOT NULL,"
	"  opened_ms INTEGER NOT NULL,"
	"  exp_ms INTEGER NOT NULL,"
	"  closed_ms INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE ask("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  request TEXT NOT NULL,"
	"  home TEXT NOT NULL,"
	"  state INTEGER NOT NULL,"
	"  revision INTEGER NOT NULL,"
	"  made_ms INTEGER NOT NULL,"
	"  exp_ms INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE ask_clip("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  ask TEXT NOT NULL,"
	"  clip TEXT NOT NULL,"
	"  revision INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE grant("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  request TEXT NOT NULL,"
	"  home TEXT NOT NULL,"
	"  ask TEXT NOT NULL,"
	"  clip TEXT NOT NULL,"
	"  agency TEXT NOT NULL,"
	"  device TEXT NOT NULL,"
	"  state INTEGER NOT NULL,"
	"  header BLOB NOT NULL,"
	"  key_id TEXT NOT NULL,"
	"  decided_ms INTEGER NOT NULL,"
	"  release_ms INTEGER NOT NULL,"
	"  nbf_ms INTEGER NOT NULL,"
	"  exp_ms INTEGER NOT NULL,"
	"  ended_ms INTEGER NOT NULL,"
	"  actor_kind INTEGER NOT NULL,"
	"  actor TEXT NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE delivery("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  grant TEXT NOT NULL,"
	"  request TEXT NOT NULL,"
	"  source TEXT NOT NULL,"
	"  relay TEXT NOT NULL,"
	"  object TEXT NOT NULL,"
	"  state INTEGER NOT NULL,"
	"  announced INTEGER NOT NULL,"
	"  staged_ms INTEGER NOT NULL,"
	"  ended_ms INTEGER NOT NULL,"
	"  revoke_told INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE job("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  relay TEXT NOT NULL,"
	"  delivery TEXT NOT NULL,"
	"  kind INTEGER NOT NULL,"
	"  created_ms INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE fetch("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  delivery TEXT NOT NULL,"
	"  username TEXT NOT NULL,"
	"  at_ms INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE receipt("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  home TEXT NOT NULL,"
	"  kind INTEGER NOT NULL,"
	"  at_ms INTEGER NOT NULL,"
	"  actor TEXT NOT NULL,"
	"  ask TEXT NOT NULL,"
	"  clip TEXT NOT NULL,"
	"  grant TEXT NOT NULL,"
	"  device TEXT NOT NULL,"
	"  integrator TEXT NOT NULL,"
	"  agency TEXT NOT NULL,"
	"  member TEXT NOT NULL,"
	"  grant_kind INTEGER NOT NULL,"
	"  exp_ms INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE notice("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  agency TEXT NOT NULL,"
	"  kind INTEGER NOT NULL,"
	"  at_ms INTEGER NOT NULL,"
	"  in_reply_to TEXT NOT NULL,"
	"  request TEXT NOT NULL,"
	"  delivery TEXT NOT NULL,"
	"  state INTEGER NOT NULL,"
	"  reason INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE seen("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  username TEXT NOT NULL,"
	"  digest TEXT NOT NULL,"
	"  at_ms INTEGER NOT NULL,"
	"  reason INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE meta("
	"  name TEXT PRIMARY KEY NOT NULL,"
	"  value INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE leaf("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  at_ms INTEGER NOT NULL,"
	"  kind INTEGER NOT NULL,"
	"  salt BLOB NOT NULL,"
	"  body BLOB NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",

	NULL,
};

#endif
