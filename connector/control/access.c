#include "connector/control/access.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "connector/base/journal.h"

#define ENTRY_MAX  ((size_t)4 * 1024 * 1024) /* bytes of a group with all its members */
#define GROUPS_MAX 65536                     /* NGROUPS_MAX of Linux */

static void group_clear(struct access_group *group)
{
	free(group->name);
	*group = (struct access_group){ 0 };
}

static void group_find(struct access_group *group, const char *name)
{
	struct group entry, *found = NULL;
	size_t size = 4096;
	char *text = NULL;
	int rc;

	group_clear(group);
	group->name = xstrdup(name);
	do {
		size *= 2;
		text = xrealloc(text, size);
		rc = getgrnam_r(name, &entry, text, size, &found);
	} while (rc == ERANGE && size < ENTRY_MAX);
	if (found) {
		group->gid = found->gr_gid;
		group->exists = true;
	} else {
		log_event(LOG_LEVEL_INFO, NULL,
		          "there is no group %s: only root and the connector's own user may use "
		          "the control socket in its place",
		          name);
	}
	free(text);
}

void access_set(struct access *a, const char *control_group, const char *status_group)
{
	group_find(&a->control, control_group);
	if (strcmp(control_group, status_group) != 0) {
		group_find(&a->status, status_group);
		return;
	}
	group_clear(&a->status);
	a->status = a->control;
	a->status.name = xstrdup(status_group);
}

void access_clear(struct access *a)
{
	group_clear(&a->control);
	group_clear(&a->status);
}

static bool is_member(const struct access_group *group, gid_t gid, const gid_t *groups, size_t n)
{
	if (!group->exists)
		return false;
	for (size_t i = 0; i < n; i++)
		if (groups[i] == group->gid)
			return true;
	return gid == group->gid;
}

enum right access_decide(const struct access *a, uid_t own, uid_t uid, gid_t gid,
                         const gid_t *groups, size_t n)
{
	if (uid == 0 || uid == own || is_member(&a->control, gid, groups, n))
		return RIGHT_CHANGE;
	return is_member(&a->status, gid, groups, n) ? RIGHT_READ : RIGHT_NONE;
}

/* The caller frees. *ret_n 0 when there are none. */
static gid_t *peer_groups(int fd, size_t *ret_n)
{
	socklen_t len = 64 * sizeof(gid_t);
	gid_t *groups = xmalloc(len);

	*ret_n = 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0) {
		/* len is now what it needs */
		if (errno != ERANGE || len > GROUPS_MAX * sizeof(gid_t))
			return groups;
		groups = xrealloc(groups, len);
		if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
			return groups;
	}
	*ret_n = len / sizeof(gid_t);
	return groups;
}

int access_peer(const struct access *a, int fd, struct peer *ret, struct err *err)
{
	struct ucred who;
	socklen_t len = sizeof(who);
	gid_t *groups;
	size_t n;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		return err_errno(err, "who is at the control socket");
	groups = peer_groups(fd, &n);
	ret->uid = who.uid;
	ret->right = access_decide(a, geteuid(), who.uid, who.gid, groups, n);
	free(groups);
	return 0;
}
