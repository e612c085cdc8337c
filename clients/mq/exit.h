/* How our programs end, once: scripts may rely on these numbers (they follow sysexits.h). Nothing
 * else belongs here. */
#ifndef MQ_EXIT_H
#define MQ_EXIT_H

enum exit_code {
	EXIT_RECORDED = 0,     /* done; for a command: its Receipt or Notice says that it is durable */
	EXIT_REFUSED = 1,      /* understood and refused; a sentence on stderr says why */
	EXIT_USAGE = 64,       /* wrong option, argument, configuration file or token file */
	EXIT_UNAVAILABLE = 69, /* cannot connect, or the connection was lost */
	EXIT_INTERNAL = 70,    /* out of memory, or a mistake of ours */
	EXIT_TIMEOUT =
		75, /* no answer in time: whether it was recorded is unknown; look before you run it again */
	EXIT_NOT_AUTHORISED =
		77 /* unknown or suspended credential, wrong role, topic of somebody else */
};

#endif
