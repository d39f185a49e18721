#include "connector/cli/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/util.h"
#include "connector/cli/cli.h"

#define PROGRAM       "print-connectord"
#define ARGUMENTS_MAX 8
#define SAID_MAX      65536

/* Beside this program (as built), or in sbin beside its bin (as installed). */
static char *find_program(void)
{
	static const char *const places[] = { "%.*s/" PROGRAM, "%.*s/../sbin/" PROGRAM };
	char own[PATH_MAX], path[PATH_MAX + 32];
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);

	while (len > 0 && own[len - 1] != '/')
		len--;
	for (size_t i = 0; len > 0 && i < ARRAY_SIZE(places); i++) {
		(void)snprintf(path, sizeof(path), i ? "%.*s../sbin/" PROGRAM : "%.*s" PROGRAM,
		               (int)len, own);
		if (access(path, X_OK) == 0)
			return xstrdup(path);
	}
	return xstrdup("/usr/sbin/" PROGRAM);
}

static int spawn(struct helper *h, char *const *argv, const int pipes[3][2])
{
	posix_spawn_file_actions_t actions;
	int rc;

	(void)posix_spawn_file_actions_init(&actions);
	for (int i = 0; i < 3; i++)
		(void)posix_spawn_file_actions_adddup2(&actions, pipes[i][i != 0], i);
	rc = posix_spawn(&h->pid, argv[0], &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return rc;
}

int helper_start(struct helper *h, const struct cli *cli, const char *const *arguments,
                 struct failure *f)
{
	AUTO(free_str) char *program = find_program();
	char *argv[ARGUMENTS_MAX + 1] = { program };
	int pipes[3][2], n = 1, rc;

	*h = (struct helper){ .in = -1, .out = -1, .err = -1 };
	if (cli->config) {
		argv[n++] = (char *)(uintptr_t) "--config";
		argv[n++] = (char *)(uintptr_t)cli->config;
	}
	while (*arguments && n < ARGUMENTS_MAX)
		argv[n++] = (char *)(uintptr_t)*arguments++;
	for (int i = 0; i < 3; i++)
		if (pipe2(pipes[i], O_CLOEXEC) < 0)
			return failure_set(f, CLI_FAILED, "temporary", "", "make a pipe: %s",
			                   strerror(errno));
	rc = spawn(h, argv, pipes);
	(void)close(pipes[0][0]);
	(void)close(pipes[1][1]);
	(void)close(pipes[2][1]);
	h->in = pipes[0][1];
	h->out = pipes[1][0];
	h->err = pipes[2][0];
	if (rc == 0)
		return 0;
	close_fd(&h->in);
	close_fd(&h->out);
	close_fd(&h->err);
	return failure_set(f, CLI_FAILED, "temporary", "install print-connector again",
	                   "start %s: %s", program, strerror(rc));
}

int helper_write(int fd, const void *data, size_t len)
{
	const char *from = data;

	while (len) {
		ssize_t n = write(fd, from, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		from += n;
		len -= (size_t)n;
	}
	return 0;
}

int helper_end(struct helper *h, char **ret_said)
{
	char data[4096];
	struct buf said;
	int status;
	ssize_t n;

	close_fd(&h->in);
	close_fd(&h->out);
	buf_init(&said, SAID_MAX);
	while ((n = read(h->err, data, sizeof(data))) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			(void)buf_append(&said, data, (size_t)n);
	}
	close_fd(&h->err);
	*ret_said = xstrdup(buf_text(&said));
	buf_clear(&said);
	while (waitpid(h->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
