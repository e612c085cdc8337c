/* The pulls that vestibule-conform makes by itself, as an asker of its own that the broker never
 * hears of, and the judgement of what the device answers: the whole payload in pieces, an offset at
 * the end, a clip that is not there, the poster. One pull waits at a time. No I/O. One thread. */
#ifndef CONFORM_PULLS_H
#define CONFORM_PULLS_H

#include "clients/conform/checks.h"
#include "clients/conform/said.h"
#include "lib/clock.h"
#include "proto/topic.h"

#define PULLS_ASKER "vestibule-conform"

enum {
	PULLS_FIRST_BYTES = 70000, /* more than one chunk, and not whole ones */
	PULLS_WAIT_MS = 30000
};

enum pulls_phase { PULLS_IDLE = 0, PULLS_WHOLE, PULLS_RANGE, PULLS_GONE, PULLS_POSTER, PULLS_DONE };

struct pulls {
	struct checks *checks; /* kept */
	struct codec *codec;   /* kept */
	const char *device;    /* kept */
	struct said clip;
	enum pulls_phase phase;
	char clip_text[UUID_TEXT_SIZE]; /* as the pull's topic has it */
	uint64_t next, end;             /* of the piece that is pulled */
	void *sha;                      /* owned; EVP_MD_CTX */
	int64_t since_ms;
	bool waits;
	char spoiled
		[UUID_TEXT_SIZE]; /* a clip that was answered wrongly: its further chunks say no more */
};

void pulls_init(struct pulls *p, struct checks *checks, struct codec *codec, const char *device);
void pulls_fini(struct pulls *p);
enum err pulls_start(struct pulls *p, const struct said *clip,
					 int64_t now_ms) MUST_CHECK; /* ERR_NOMEM */

/* The next pull, if one is due: appended to topic and payload. */
bool pulls_ask(struct pulls *p, struct moment now, struct buf *topic, struct buf *payload);
/* A chunk for our asker: clip as its topic has it. False: it was wrong, and a check has failed. */
bool pulls_take(struct pulls *p, struct span clip, const Vestibule__V1__ClipChunk *chunk,
				int64_t now_ms);
void pulls_tick(struct pulls *p, int64_t now_ms); /* gives up on what is never answered */

#endif
