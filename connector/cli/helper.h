/* helper.h - print-connectord as a child for one task, with a pipe to each of its standard
 * descriptors. */
#ifndef CONNECTOR_CLI_HELPER_H
#define CONNECTOR_CLI_HELPER_H

#include <stddef.h>
#include <sys/types.h>

struct cli;
struct failure;

struct helper {
	pid_t pid;
	int in, out, err; /* its ends of ours; may be closed with close_fd() */
};

/* arguments: ended by NULL, behind --config. It is the one that was installed with this command. */
int helper_start(struct helper *h, const struct cli *cli, const char *const *arguments,
                 struct failure *f);
/* All of it; -1 with errno. */
int helper_write(int fd, const void *data, size_t len);
/* Waits for its end: exit status, or -1. *ret_said: what it said on stderr, bounded; to be freed.
 */
int helper_end(struct helper *h, char **ret_said);

#endif
