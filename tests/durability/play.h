/* The child: an engine over the store at `path`, commands in a seeded order, and the failpoint that the
 * environment names. It ends with _exit, at the latest after PLAY_COMMANDS, never in order. */
#ifndef TESTS_DURABILITY_PLAY_H
#define TESTS_DURABILITY_PLAY_H

#include <stdint.h>

enum { PLAY_HOMES = 3, PLAY_CLIPS = 10, PLAY_SPARE_DEVICES = 3, PLAY_COMMANDS = 40 };

/* report: the pipe's end. round: of this store, so that no event id comes twice. */
_Noreturn void play(const char *path, uint64_t seed, uint64_t round, int report);

/* A new store at path: homes that were asked about their clips, an agency, a relay, an integrator. */
void play_make(const char *path);

#endif
