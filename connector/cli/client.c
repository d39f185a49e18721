/* client.c - what can fail: nobody listens, the daemon does not answer in time, it hangs up, or it
 * answers with an error, which is turned into words and an exit code here. */
#include "connector/cli/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "common/str.h"
#include "common/util.h"
#include "common/varlink.h"
#include "connector/cli/cli.h"

#define CONNECT_S 10
#define WRITE_MS  10000
#define TICK_MS   1000

struct client {
	int fd;
	char *path;
	struct varlink_reader reader;
	bool (*tick)(void *data);
	void *tick_data;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int fail_connect(const char *path, struct failure *f)
{
	if (errno == EACCES || errno == EPERM)
		return failure_set(f, CLI_UNREACHABLE, "denied", "ask root", "you may not use %s",
		                   path);
	if (errno == EAGAIN)
		return failure_set(f, CLI_UNREACHABLE, "temporary",
		                   "try again; who calls: journalctl -u print-connector",
		                   "print-connectord did not take the call at %s in %d s", path,
		                   CONNECT_S);
	if (errno == ENOENT || errno == ECONNREFUSED)
		return failure_set(f, CLI_UNREACHABLE, "temporary",
		                   "start it: systemctl start print-connector",
		                   "print-connectord does not run: nobody answers at %s", path);
	return failure_set(f, CLI_UNREACHABLE, "temporary", "", "connect to %s: %s", path,
	                   strerror(errno));
}

/* Waits for its turn where many call at once. -1: errno says why. */
static int connect_unix(int fd, const struct sockaddr_un *address)
{
	static const struct timeval limit = { .tv_sec = CONNECT_S };

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return -1;
	return fcntl(fd, F_SETFL, O_NONBLOCK);
}

int client_open(struct client **ret, const char *path, struct failure *f)
{
	AUTO(close_fd) int fd = -1;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct client *c;

	if (str_copy(address.sun_path, sizeof(address.sun_path), path) < 0)
		return failure_set(f, CLI_USAGE, "rejected", "",
		                   "%s: the path of a socket has at most %zu bytes", path,
		                   sizeof(address.sun_path) - 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect_unix(fd, &address) < 0)
		return fail_connect(path, f);
	c = xcalloc(1, sizeof(*c));
	c->fd = fd;
	fd = -1;
	c->path = xstrdup(path);
	varlink_reader_init(&c->reader, VARLINK_REPLY_MAX);
	*ret = c;
	return 0;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	(void)close(c->fd);
	free(c->path);
	varlink_reader_clear(&c->reader);
	free(c);
}

void client_on_tick(struct client *c, bool (*tick)(void *data), void *data)
{
	c->tick = tick;
	c->tick_data = data;
}

static int64_t slice(const struct client *c, int64_t left)
{
	if (c->tick && left > TICK_MS)
		return TICK_MS;
	return left > INT32_MAX ? INT32_MAX : left;
}

static int wait_for(const struct client *c, short events, int64_t deadline, struct failure *f)
{
	struct pollfd p = { .fd = c->fd, .events = events };

	for (;;) {
		int64_t left = deadline - now_ms();
		int n = left > 0 ? poll(&p, 1, (int)slice(c, left)) : 0;

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return failure_set(f, CLI_UNREACHABLE, "temporary", "", "wait: %s",
			                   strerror(errno));
		if (c->tick && !c->tick(c->tick_data))
			return failure_set(f, CLI_FAILED, "canceled",
			                   "what was done stays; the same command goes on with "
			                   "the rest",
			                   "canceled");
		if (n == 0 && now_ms() >= deadline)
			return failure_set(f, CLI_UNREACHABLE, "temporary",
			                   "look at its journal: journalctl -u print-connector",
			                   "print-connectord does not answer at %s", c->path);
	}
}

static int hung_up(const struct client *c, struct failure *f)
{
	return failure_set(f, CLI_UNREACHABLE, "temporary",
	                   "look at its journal: journalctl -u print-connector",
	                   "print-connectord hung up at %s", c->path);
}

/* A daemon that hangs up may have said why: what it sent is read before it is complained about. */
static int send_all(const struct client *c, const struct buf *text, struct failure *f)
{
	int64_t deadline = now_ms() + WRITE_MS;
	size_t done = 0;

	while (done < text->len) {
		ssize_t n = send(c->fd, text->data + done, text->len - done, MSG_NOSIGNAL);

		if (n >= 0)
			done += (size_t)n;
		else if (errno == EPIPE || errno == ECONNRESET)
			return 0;
		else if (errno != EAGAIN && errno != EINTR)
			return failure_set(f, CLI_UNREACHABLE, "temporary", "", "write to %s: %s",
			                   c->path, strerror(errno));
		else if (wait_for(c, POLLOUT, deadline, f) < 0)
			return -1;
	}
	return 0;
}

static int receive(struct client *c, int64_t deadline, cJSON **ret, struct failure *f)
{
	char data[65536];
	struct err err;
	ssize_t n;
	int rc;

	while ((rc = varlink_reader_next(&c->reader, ret, &err)) == 0) {
		if (wait_for(c, POLLIN, deadline, f) < 0)
			return -1;
		n = recv(c->fd, data, sizeof(data), 0);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return hung_up(c, f);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return failure_set(f, CLI_UNREACHABLE, "temporary", "", "read from %s: %s",
			                   c->path, strerror(errno));
		if (n > 0 && varlink_reader_feed(&c->reader, data, (size_t)n, &err) < 0) {
			rc = -1;
			break;
		}
	}
	if (rc < 0)
		return failure_set(f, CLI_FAILED, "rejected",
		                   "is it of the same version? print-connector --version",
		                   "%s answers nonsense: %s", c->path, err.text);
	return 0;
}

/* ---- errors in words ---- */

static const struct {
	const char *name;
	enum cli_exit exit;
	const char *kind;
} errors[] = {
	{ VARLINK_INTERFACE ".NotFound", CLI_FAILED, "gone" },
	{ VARLINK_INTERFACE ".NotPermitted", CLI_UNREACHABLE, "denied" },
	{ VARLINK_INTERFACE ".InvalidArgument", CLI_USAGE, "rejected" },
	{ VARLINK_INTERFACE ".Conflict", CLI_FAILED, "rejected" },
	{ VARLINK_INTERFACE ".Ambiguous", CLI_FAILED, "rejected" },
	{ VARLINK_INTERFACE ".Failed", CLI_FAILED, NULL },
};

/* "there are several clouds (a, b)" */
static void add_candidates(struct failure *f, const cJSON *parameters)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(parameters, "candidates"), *item;
	struct buf text;
	char clean[sizeof(f->text)];

	buf_init(&text, sizeof(f->text));
	cJSON_ArrayForEach(item, list)
	{
		if (cJSON_IsString(item) &&
		    buf_printf(&text, "%s%s", text.len ? ", " : "", item->valuestring) < 0)
			break;
	}
	if (text.len) {
		size_t len = strlen(f->text);

		str_clean(buf_text(&text), clean, sizeof(clean));
		(void)snprintf(f->text + len, sizeof(f->text) - len, " (%s)", clean);
	}
	buf_clear(&text);
}

static int fail_reply(const struct varlink_reply *reply, struct failure *f)
{
	const cJSON *p = reply->parameters;
	const char *kind = member_text(p, "kind");
	char text[sizeof(f->text)], remedy[sizeof(f->remedy)];

	str_clean(member_text(p, "text"), text, sizeof(text));
	str_clean(member_text(p, "remedy"), remedy, sizeof(remedy));
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		if (strcmp(errors[i].name, reply->error) != 0)
			continue;
		(void)failure_set(f, errors[i].exit, errors[i].kind ? errors[i].kind : kind, remedy,
		                  "%s", text);
		f->code = (int)member_number(p, "code", 0);
		add_candidates(f, p);
		return -1;
	}
	str_clean(reply->error, text, sizeof(text));
	return failure_set(f, CLI_FAILED, "rejected",
	                   "is it of the same version? print-connector --version",
	                   "print-connectord does not understand: %s %s%s", text,
	                   member_text(p, "method"), member_text(p, "parameter"));
}

int client_call(struct client *c, const char *method, cJSON *parameters, bool more, int64_t wait_ms,
                void (*each)(void *data, cJSON *answer), void *data, struct failure *f)
{
	struct varlink_reply reply;
	struct buf text;
	struct err err;
	bool continues;
	cJSON *message;
	int rc;

	buf_init(&text, VARLINK_CALL_MAX);
	rc = varlink_call_encode(&text, method, parameters, more, &err);
	if (rc < 0)
		(void)failure_set(f, CLI_USAGE, "rejected", "", "the arguments are too long");
	else
		rc = send_all(c, &text, f);
	buf_clear(&text);
	if (rc < 0)
		return -1;
	do {
		if (receive(c, now_ms() + wait_ms, &message, f) < 0)
			return -1;
		if (varlink_reply_decode(message, &reply, &err) < 0)
			return failure_set(f, CLI_FAILED, "rejected", "", "%s answers nonsense: %s",
			                   c->path, err.text);
		continues = reply.continues;
		if (reply.error)
			rc = fail_reply(&reply, f);
		else
			each(data, varlink_reply_take(&reply));
		varlink_reply_clear(&reply);
	} while (continues && rc == 0);
	return rc;
}
