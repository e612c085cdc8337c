/* vestibule-doorbell: a doorbell's daemon and the commands that talk to it. Only tables and
 * dispatch here. */
#include "clients/doorbell/ask.h"
#include "clients/doorbell/button.h"
#include "clients/doorbell/clips.h"
#include "clients/doorbell/serve.h"

#define SET(m) offsetof(struct settings, m)

static int run(const struct opt_common *common, void *settings) {
	return serve_run(common, (const struct settings *)settings);
}

static const struct opt program_opts[] = {
	{"socket", OPT_TEXT, SET(socket), "PATH",
	 "the daemon's socket ($XDG_RUNTIME_DIR or ~/.local/state/...)", 0, 0},
	{"device", OPT_TEXT, SET(device), "ID", "run: device id in topics (the username)", 0, 0},
	{"spool", OPT_TEXT, SET(spool), "DIR", "run: events that are not settled yet", 0, 0},
	{"spool-files", OPT_INT, SET(spool_files), "N", "run: how many of them (512)", 1,
	 VESTIBULE_SPOOL_FILES_MAX},
	{"spool-bytes", OPT_INT, SET(spool_bytes), "N", "run: their bytes (1048576)",
	 VESTIBULE_SPOOL_BYTES_MIN, 1073741824},
	{"clips", OPT_TEXT, SET(clips), "DIR", "run: the clips", 0, 0},
	{"clips-bytes", OPT_INT, SET(clips_bytes), "N",
	 "run: their bytes; the oldest make room (1073741824)", CLIPS_BYTES_MIN, INT64_MAX},
	{"keys", OPT_TEXT, SET(keys), "DIR", "run: the device's key and the home's recipients", 0, 0},
	{"claim-at", OPT_TEXT, SET(claim_at), "HOST:PORT",
	 "run: where a resident's claim is awaited, or off (127.0.0.1:0)", 0, 0},
	{"qr", OPT_FLAG, SET(qr), NULL, "run, claim: the code as QR, also where no terminal is", 0, 0},
	{"clock", OPT_TEXT, SET(clock), "WORD", "run: kernel, synced or unsynced (kernel)", 0, 0},
	{"keepalive", OPT_INT, SET(keepalive_s), "SECONDS", "run: MQTT keep-alive (30)", 5, 3600},
	OPT_END,
};

static const struct opt motion_opts[] = {
	{"kind", OPT_TEXT, SET(kind), "KIND", "person, vehicle, animal, package or other (other)", 0,
	 0},
	{"confidence", OPT_TEXT, SET(confidence), "P", "how sure, 0-1 or a percentage (1)", 0, 0},
	OPT_END,
};

static const struct opt clip_opts[] = {
	{"trigger", OPT_TEXT, SET(trigger), "WORD", "ring, motion or owner (motion)", 0, 0},
	{"start-ms", OPT_INT, SET(start_ms), "MS",
	 "UTC milliseconds at which it begins (now minus its duration)", 1, INT64_MAX},
	{"duration-ms", OPT_INT, SET(duration_ms), "MS", "how long it plays (as the file says)", 1,
	 3600000},
	OPT_END,
};

static const struct opt clip_args[] = {
	{"FILE", OPT_TEXT, SET(file), NULL, "an MP4 file; it is copied", 1, 0},
	OPT_END,
};

static const struct opt button_opts[] = {
	{"active-low", OPT_FLAG, SET(active_low), NULL, "pressed pulls the line to ground", 0, 0},
	{"debounce-ms", OPT_INT, SET(debounce_ms), "MS", "how long it is pressed at least (30)", 1,
	 BUTTON_DEBOUNCE_MAX_MS},
	OPT_END,
};

static const struct opt button_args[] = {
	{"CHIP:LINE", OPT_TEXT, SET(button), NULL, "the GPIO line, as gpiochip0:17", 1, 0},
	OPT_END,
};

static const struct opt reset_opts[] = {
	{"yes", OPT_FLAG, SET(yes), NULL, "it is meant", 0, 0},
	OPT_END,
};

static const struct opt_command commands[] = {
	{"run", "be the doorbell: spool, connect, answer (in the foreground)", NULL, NULL, run},
	{"ring", "somebody pressed the button", NULL, NULL, ask_ring},
	{"button", "ring whenever the button on a GPIO line is pressed", button_opts, button_args,
	 button_run},
	{"motion", "something moved", motion_opts, NULL, ask_motion},
	{"clip", "a clip is finished", clip_opts, clip_args, ask_clip},
	{"status", "the daemon's state and counters", NULL, NULL, ask_status},
	{"claim", "show the claim code again, or whose the device is", NULL, NULL, ask_claim},
	{"reset", "leave the home: end everything that rests on this device", reset_opts, NULL,
	 ask_reset},
	{0},
};

static const struct opt_program program = {
	"vestibule-doorbell", "a doorbell for a Vestibule broker", program_opts, NULL, commands,
};

int main(int argc, char **argv) {
	struct opt_common common;
	struct opt_choice choice;
	struct settings s = {.clock = "kernel",
						 .spool_files = VESTIBULE_SPOOL_FILES,
						 .spool_bytes = VESTIBULE_SPOOL_BYTES,
						 .clips_bytes = 1073741824,
						 .kind = "other",
						 .confidence = "1",
						 .trigger = "motion",
						 .debounce_ms = 30};
	int rc = opt_parse(&program, argc, argv, &common, &s, &choice);
	if (rc < 0) rc = choice.command->run(&common, &s);
	opt_fini(&choice);
	return rc;
}
