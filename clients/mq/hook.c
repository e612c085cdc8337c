/* A bounded number of children, each with its event on standard input. Standard input is a file in
 * memory rather than a pipe: whatever the child reads or does not read, we never wait for it. */
#include "clients/mq/hook.h"

#include <errno.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct hook {
	const char *command;
	size_t running;
	pid_t child[HOOK_CHILDREN_MAX];
};

struct hook *hook_new(const char *command) {
	struct hook *h = calloc(1, sizeof(*h));
	if (h) h->command = command;
	return h;
}

void hook_free(struct hook *h) {
	free(h);
}

void hook_reap(struct hook *h) {
	if (!h) return;
	size_t kept = 0;
	for (size_t i = 0; i < h->running; i++) {
		pid_t got = waitpid(h->child[i], NULL, WNOHANG);
		bool runs_on = got == 0 || (got < 0 && errno == EINTR);
		if (runs_on) h->child[kept++] = h->child[i];
	}
	h->running = kept;
}

static enum err complain(enum err e, const char *what, int number) {
	(void)fprintf(stderr, "the command was not run for an event: %s%s%s\n", what,
				  number ? ": " : "", number ? strerror(number) : "");
	return e;
}

/* A file in memory that holds the input, read from its start; -1 and errno on failure. */
static int input_file(struct span input) {
	int fd = memfd_create("event", MFD_CLOEXEC);
	if (fd < 0) return -1;
	for (size_t done = 0; done < input.len;) {
		ssize_t n = write(fd, input.ptr + done, input.len - done);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) goto fail;
		done += (size_t)n;
	}
	if (lseek(fd, 0, SEEK_SET) == 0) return fd;
fail:
	(void)close(fd); /* nothing to keep */
	return -1;
}

static bool is_replaced(const char *entry, const struct hook_var *vars, size_t count) {
	struct span have = span_str(entry);
	for (size_t i = 0; i < count; i++) {
		struct span name = span_str(vars[i].name);
		if (span_starts(have, name) && have.len > name.len && have.ptr[name.len] == '=')
			return true;
	}
	return false;
}

static char *make_entry(const struct hook_var *v) {
	char *entry = NULL;
	return asprintf(&entry, "%s=%s", v->name, v->value) < 0 ? NULL : entry;
}

/* Our environment with vars in place of entries of the same names. The first *own entries are the
 * caller's to free, and the array. NULL: no memory. */
static char **make_environment(const struct hook_var *vars, size_t count, size_t *own) {
	size_t inherited = 0;
	while (environ[inherited]) inherited++;
	char **env = calloc(inherited + count + 1, sizeof(*env));
	if (!env) return NULL;
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		if (!vars[i].value || !vars[i].value[0]) continue;
		env[n] = make_entry(&vars[i]);
		if (!env[n]) goto fail;
		n++;
	}
	*own = n;
	for (size_t i = 0; i < inherited; i++) {
		if (!is_replaced(environ[i], vars, count)) env[n++] = environ[i];
	}
	return env;
fail:
	while (n) free(env[--n]);
	free(env);
	return NULL;
}

static int spawn(const char *command, char **env, int input, pid_t *pid) {
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);
	if (rc != 0) return rc;
	char shell[] = "sh";
	char option[] = "-c";
	char *text = strdup(command);
	char *argv[] = {shell, option, text, NULL};
	if (!text) rc = ENOMEM;
	if (rc == 0) rc = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	if (rc == 0) rc = posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	if (rc == 0) rc = posix_spawn(pid, "/bin/sh", &actions, NULL, argv, env);
	free(text);
	(void)posix_spawn_file_actions_destroy(&actions); /* cannot fail after init */
	return rc;
}

enum err hook_run(struct hook *h, const struct hook_var *vars, size_t count, struct span input) {
	hook_reap(h);
	if (!ENSURE(count <= HOOK_VARS_MAX)) return ERR_LIMIT;
	if (h->running >= HOOK_CHILDREN_MAX) return complain(ERR_LIMIT, "too many still run", 0);
	if (input.len > HOOK_INPUT_MAX) return complain(ERR_LIMIT, "the event is too long", 0);
	size_t own = 0;
	char **env = make_environment(vars, count, &own);
	if (!env) return complain(ERR_NOMEM, "no memory", 0);
	enum err e = ERR_NONE;
	int fd = input_file(input);
	if (fd < 0) {
		e = complain(ERR_STORE, "its input", errno);
	} else {
		int rc = spawn(h->command, env, fd, &h->child[h->running]);
		if (rc == 0)
			h->running++;
		else
			e = complain(ERR_STORE, "/bin/sh", rc);
		(void)close(fd); /* the child has its own */
	}
	for (size_t i = 0; i < own; i++) free(env[i]);
	free(env);
	return e;
}
