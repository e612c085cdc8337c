/* The files of a resident: the age identity and the recipients that are given to devices, and, for
 * the first admin of a home, token, certificate and configuration, which a claim makes. One folder,
 * 0700, every file 0600:
 *
 *     home.identity              age's own format; `age -d -i` opens with it what is sealed to the home
 *     devices/DEVICE.key         pin.h
 *     vestibule-home.token       drawn for the first claim
 *     vestibule-home.ca.pem      from the device
 *     vestibule-home.conf        in the folder where the program looks for it; .part until the
 *                                broker has said yes
 *
 * Sentences go to stderr here, once. */
#ifndef HOME_SETUP_H
#define HOME_SETUP_H

#include "clients/home/settings.h"
#include "clients/seal/recipient.h"
#include "lib/keep.h"
#include "proto/codec.h"
#include "proto/topic.h"

enum { SETUP_RECIPIENTS_MAX = 8 };

struct setup {
	char keys[KEEP_PATH_SIZE]; /* folder of all but the configuration */
	char conf[KEEP_PATH_SIZE];
	char part[KEEP_PATH_SIZE];
	char token[KEEP_PATH_SIZE];
	char ca[KEEP_PATH_SIZE];
	char recipients[SETUP_RECIPIENTS_MAX][RECIPIENT_TEXT_SIZE];
	size_t count;
};

/* What the configuration being made says of the broker. */
struct setup_broker {
	char host[256];
	char cafile[KEEP_PATH_SIZE]; /* "": no TLS */
	char username[TOPIC_USERNAME_MAX + 1];
	int64_t port;
};

/* Names the files and makes the folder. */
enum exit_code setup_open(struct setup *s, const struct settings *set) MUST_CHECK;
/* Loads the identity, or draws it, and joins --recipient. */
enum exit_code setup_recipients(struct setup *s, const struct settings *set) MUST_CHECK;

/* Writes certificate and configuration; the latter as .part. common: where it was typed otherwise. */
enum exit_code setup_write(const struct setup *s, const struct settings *set,
						   const struct setup_broker *broker, struct span ca_pem) MUST_CHECK;
/* What a claim without an answer left. False: nothing. */
bool setup_read(const struct setup *s, struct setup_broker *out) MUST_CHECK;
enum exit_code setup_finish(const struct setup *s) MUST_CHECK; /* .part gets its name */
void setup_undo(const struct setup *s); /* the broker refused: token, certificate and .part go */

#endif
