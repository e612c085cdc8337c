/* Migration 2: devices have a moment of their claim. Those from before were put into their homes when
 * that was all it took: they count as claimed since. The table is made anew, for columns follow the
 * order of the row's fields. */
#ifndef STORE_SCHEMA_0002_H
#define STORE_SCHEMA_0002_H

#include <stddef.h>

static const char *const schema_0002[] = {
	"CREATE TABLE device_2("
	"  id TEXT PRIMARY KEY NOT NULL,"
	"  home TEXT NOT NULL,"
	"  name TEXT NOT NULL,"
	"  cell TEXT NOT NULL,"
	"  retired INTEGER NOT NULL,"
	"  created_ms INTEGER NOT NULL,"
	"  claimed_ms INTEGER NOT NULL,"
	"  change_seq INTEGER NOT NULL"
	") STRICT",
	"INSERT INTO device_2 SELECT id,home,name,cell,retired,created_ms,max(created_ms,1),change_seq"
	" FROM device",
	"DROP TABLE device",
	"ALTER TABLE device_2 RENAME TO device",
	NULL,
};

#endif
