/* Every option of vestibule-doorbell, its default and its checks; main.c has the tables. */
#ifndef DOORBELL_SETTINGS_H
#define DOORBELL_SETTINGS_H

#include <limits.h>

#include "clients/enrol/code.h"
#include "clients/mq/opt.h"

struct settings {
	const char *socket; /* --socket */
	const char *device;
	const char *spool;
	const char *clips;
	const char *clock;
	const char *keys;
	const char *claim_at;
	bool qr;
	bool yes; /* reset */
	int64_t spool_files;
	int64_t spool_bytes;
	int64_t clips_bytes;
	int64_t keepalive_s;
	const char *kind; /* motion */
	const char *confidence;
	const char *file; /* clip */
	const char *trigger;
	int64_t start_ms;
	int64_t duration_ms;
	const char *button; /* button: CHIP:LINE */
	bool active_low;
	int64_t debounce_ms;
};

enum { SETTINGS_PATH_SIZE = PATH_MAX };

/* The socket's path: the option, else vestibule-doorbell.sock in $XDG_RUNTIME_DIR, else beside the
 * folders below. ERR_ABSENT: nowhere, or a service without the option. ERR_LIMIT: too long for a
 * socket. */
enum err settings_socket(const struct settings *s, char out[SETTINGS_PATH_SIZE]) MUST_CHECK;

/* A folder of the daemon: the option, else NAME in $STATE_DIRECTORY (systemd),
 * $XDG_STATE_HOME/vestibule-doorbell or
 * ~/.local/state/vestibule-doorbell, whose missing folders are made. ERR_ABSENT: no such place;
 * ERR_LIMIT: too long. */
enum err settings_folder(const char *given, const char *name,
						 char out[SETTINGS_PATH_SIZE]) MUST_CHECK;

/* The folder of key and recipients: --keys, else `keys` in the folder of --spool, else as
 * settings_folder. */
enum err settings_keys(const struct settings *s, char out[SETTINGS_PATH_SIZE]) MUST_CHECK;

/* --claim-at; `off` empties out->host. ERR_INPUT: neither off nor HOST:PORT. */
enum err settings_claim_at(const struct settings *s, struct code_place *out) MUST_CHECK;

/* "0", "1", "0.9, "0.955", "90%" -> permille. ERR_INPUT: anything else. */
enum err settings_permille(const char *text, uint32_t *out) MUST_CHECK;

#endif
