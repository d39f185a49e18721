/* control.c - the socket itself.
 *
 * What can fail: the directory cannot be made or written; another daemon answers there; something
 * that is no socket has the name. A socket left by a daemon that was killed is replaced. */
#include "connector/control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fs.h"
#include "common/util.h"
#include "connector/base/journal.h"
#include "connector/base/loop.h"
#include "connector/control/control_private.h"

#define BACKLOG 64

static int address_fill(struct sockaddr_un *ret, const char *path, struct err *err)
{
	size_t len = strlen(path);

	if (len >= sizeof(ret->sun_path))
		return err_set(err, ERR_REJECTED, 0,
		               "%s: the path of a socket has at most %zu bytes; set a shorter "
		               "runtime-directory",
		               path, sizeof(ret->sun_path) - 1);
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	memcpy(ret->sun_path, path, len);
	return 0;
}

static int socket_new(int *ret, struct err *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_errno(err, "make the control socket");
	*ret = fd;
	return 0;
}

/* Removes what a daemon that did not end properly left behind. */
static int stale_remove(const struct sockaddr_un *address, struct err *err)
{
	AUTO(close_fd) int fd = -1;
	struct stat st;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : err_errno(err, "look at %s", address->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_REJECTED, 0,
		               "%s is not a socket and is in the way; remove it",
		               address->sun_path);
	if (socket_new(&fd, err) < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
		return err_set(err, ERR_REJECTED, 0, "another print-connectord answers at %s",
		               address->sun_path);
	if (errno != ECONNREFUSED)
		return errno == ENOENT ? 0 : err_errno(err, "connect to %s", address->sun_path);
	if (unlink(address->sun_path) < 0 && errno != ENOENT)
		return err_errno(err, "remove %s", address->sun_path);
	return 0;
}

static int listen_at(struct control *c, int *ret, struct err *err)
{
	AUTO(close_fd) int fd = -1;
	struct sockaddr_un address;
	struct stat st;

	if (address_fill(&address, c->path, err) < 0 || stale_remove(&address, err) < 0 ||
	    socket_new(&fd, err) < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_errno(err, "bind %s", c->path);
	/* who may do what is decided by who connects, not by the file */
	if (chmod(c->path, 0666) < 0 || lstat(c->path, &st) < 0) {
		(void)err_errno(err, "open %s to everybody", c->path);
		(void)unlink(c->path);
		return -1;
	}
	c->device = st.st_dev;
	c->inode = st.st_ino;
	*ret = fd;
	fd = -1;
	return 0;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct control *c = listener->data;

	if (status == 0)
		conn_accept(c);
	else
		log_event(LOG_LEVEL_WARNING, NULL, "control socket: %s", uv_strerror(status));
}

void control_unref(struct control *c)
{
	if (--c->users)
		return;
	access_clear(&c->access);
	free(c->path);
	free(c);
}

static void on_listener_closed(uv_handle_t *handle)
{
	control_unref(handle->data);
}

static void socket_remove(const struct control *c)
{
	struct stat st;

	if (lstat(c->path, &st) == 0 && st.st_dev == c->device && st.st_ino == c->inode)
		(void)unlink(c->path);
}

int control_open(struct control **ret, struct loop *loop, struct core *core,
                 const struct control_settings *settings, struct err *err)
{
	struct control *c;
	int fd = -1, rc;

	/* what JSON needs is small and of our own making */
	cJSON_InitHooks(&(cJSON_Hooks){ .malloc_fn = xmalloc, .free_fn = free });
	if (fs_open_dir(settings->runtime_directory, 0755, true, &fd, err) < 0)
		return err_wrap(err, "runtime-directory");
	(void)close(fd);
	c = xcalloc(1, sizeof(*c));
	c->loop = loop;
	c->core = core;
	c->clock = loop_clock(loop);
	c->http = settings->http;
	c->version = settings->version;
	c->path = xasprintf("%s/%s", settings->runtime_directory, CONTROL_SOCKET);
	LIST_INIT(&c->conns);
	if (listen_at(c, &fd, err) < 0) {
		free(c->path);
		free(c);
		return -1;
	}
	access_set(&c->access, settings->control_group, settings->status_group);
	(void)uv_pipe_init(loop_uv(loop), &c->listener, 0);
	c->listener.data = c;
	c->users = 1;
	rc = uv_pipe_open(&c->listener, fd);
	if (rc < 0)
		(void)close(fd);
	else
		rc = uv_listen((uv_stream_t *)&c->listener, BACKLOG, on_connection);
	if (rc < 0) {
		(void)err_set(err, ERR_TEMPORARY, -rc, "listen at %s: %s", c->path,
		              uv_strerror(rc));
		control_close(c);
		return -1;
	}
	*ret = c;
	return 0;
}

void control_set_groups(struct control *c, const char *control_group, const char *status_group)
{
	access_set(&c->access, control_group, status_group);
}

void control_close(struct control *c)
{
	struct conn *conn, *next;

	if (!c || c->closing)
		return;
	c->closing = true;
	socket_remove(c);
	for (conn = LIST_FIRST(&c->conns); conn; conn = next) {
		next = LIST_NEXT(conn, link);
		conn_close(conn);
	}
	uv_close((uv_handle_t *)&c->listener, on_listener_closed);
}
