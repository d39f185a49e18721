/* access.h - who is at the other end of the control socket, and what they may do: root and the
 * daemon's own user everything, members of one group look and change, of another one look. */
#ifndef CONNECTOR_CONTROL_ACCESS_H
#define CONNECTOR_CONTROL_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;

enum right { RIGHT_NONE, RIGHT_READ, RIGHT_CHANGE }; /* each includes those before */

struct access_group {
	char *name;
	gid_t gid;
	bool exists;
};

struct access {
	struct access_group control, status;
};

struct peer {
	uid_t uid;
	enum right right;
};

/* Resolves the groups and logs those that do not exist; may block. Frees what it had before. */
void access_set(struct access *a, const char *control_group, const char *status_group);
void access_clear(struct access *a);
/* Of a connected Unix socket. */
int access_peer(const struct access *a, int fd, struct peer *ret, struct err *err);
/* Pure. groups: the supplementary ones. */
enum right access_decide(const struct access *a, uid_t own, uid_t uid, gid_t gid,
                         const gid_t *groups, size_t n);

#endif
