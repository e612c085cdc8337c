/* The table of the options, from which both parsing and --help come. */
#include "clients/homeassistant/settings.h"

#include "clients/homeassistant/discovery.h"

#define AT(member) offsetof(struct settings, member)

enum { SECOND_MS = 1000, MOTION_OFF_MS = 30000, MOTION_OFF_MAX_MS = 3600000 };

static const struct opt program_opts[] = {
	{"prefix", OPT_TEXT, AT(prefix), "PREFIX",
	 "discovery prefix of Home Assistant; homeassistant unless given", 0, 0},
	{"birth", OPT_TEXT, AT(birth), "TOPIC",
	 "where Home Assistant says that it started; PREFIX/status unless given", 0, 0},
	{"motion-off", OPT_DURATION, AT(motion_off_ms), "DURATION",
	 "motion is over after so long without any; 30s unless given", SECOND_MS, MOTION_OFF_MAX_MS},
	{"posters", OPT_FLAG, AT(posters), NULL, "bring the picture of each clip from its device", 0,
	 0},
	{"poster-url", OPT_TEXT, AT(poster_url), "URL",
	 "where something else serves it, with {device} and {clip} in it", 0, 0},
	{"battery-topic", OPT_TEXT, AT(battery_topic), "TOPIC",
	 "where something says how full its battery is, with {device} in it", 0, 0},
	{"remove", OPT_FLAG, AT(remove), NULL, "take the home out of Home Assistant, and end", 0, 0},
	OPT_END,
};

const struct opt_program settings_program = {
	"vestibule-ha", "shows the doorbells of a home to Home Assistant", program_opts, NULL, NULL,
};

void settings_init(struct settings *s) {
	*s = (struct settings){.prefix = "homeassistant", .motion_off_ms = MOTION_OFF_MS};
}

int settings_check(const struct settings *s) {
	if (!discovery_prefix_is_valid(s->prefix))
		return opt_usage(&settings_program, "--prefix %s: not a topic that can be used", s->prefix);
	if (s->birth && !discovery_prefix_is_valid(s->birth))
		return opt_usage(&settings_program, "--birth %s: not a topic that can be used", s->birth);
	if (s->poster_url && !discovery_url_is_valid(s->poster_url))
		return opt_usage(&settings_program,
						 "--poster-url %s: http:// or https://, and no braces but {device} and "
						 "{clip}",
						 s->poster_url);
	if (s->battery_topic && !discovery_battery_is_valid(s->battery_topic))
		return opt_usage(&settings_program,
						 "--battery-topic %s: a topic outside vestibule/ of at most %d bytes, with "
						 "{device} and no other braces",
						 s->battery_topic, DISCOVERY_BATTERY_MAX);
	if (s->posters && s->poster_url)
		return opt_usage(&settings_program, "--posters and --poster-url: one of them");
	return -1;
}
