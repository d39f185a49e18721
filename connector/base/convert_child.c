/* Happy path: this program once more, in a process group of its own, with nothing but the two
 * memories and a pipe for what it says; it confines itself and becomes the converter (confine.h);
 * it ends by itself, its pipe too.
 *
 * What can fail: it does not start, is killed at one of its limits or at the deadline, says that it
 * could not read all of the document, or writes no PDF. */
#include "connector/base/convert_child.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/confine.h"
#include "connector/base/convert.h"
#include "connector/base/journal.h"
#include "connector/base/loop.h"

#define FORMAT_ERROR 0x0411 /* client-error-document-format-error, RFC 8011 B.1.4.18 */

static void on_closed(uv_handle_t *h)
{
	struct convert_child *c = h->data;

	c->open--;
	c->ended(c->data);
}

static void on_ended(uv_process_t *process, int64_t status, int number)
{
	struct convert_child *c = process->data;

	timer_stop(&c->deadline);
	c->running = false;
	c->status = status;
	c->signal = number;
	uv_close((uv_handle_t *)process, on_closed);
}

static void on_room(uv_handle_t *h, size_t wanted, uv_buf_t *ret)
{
	struct convert_child *c = h->data;

	(void)wanted;
	*ret = uv_buf_init(c->piece, sizeof(c->piece));
}

static void on_said(uv_stream_t *pipe, ssize_t n, const uv_buf_t *buf)
{
	struct convert_child *c = pipe->data;
	size_t len = n > 0 ? (size_t)n : 0;

	if (n < 0) {
		uv_close((uv_handle_t *)pipe, on_closed);
		return;
	}
	if (len > CONVERT_SAID_MAX - c->said_len)
		len = CONVERT_SAID_MAX - c->said_len;
	memcpy(c->said + c->said_len, buf->base, len);
	c->said_len += len;
}

void convert_child_kill(struct convert_child *c)
{
	if (!c->running)
		return;
	/* the group, should it not have come as far as to be forbidden children */
	(void)kill(-c->process.pid, SIGKILL);
	(void)uv_process_kill(&c->process, SIGKILL);
}

static void on_deadline(struct timer *t)
{
	struct convert_child *c = t->data;

	c->late = true;
	convert_child_kill(c);
}

void convert_child_init(struct convert_child *c, struct loop *loop, void (*ended)(void *data),
                        void *data)
{
	c->loop = loop;
	c->ended = ended;
	c->data = data;
	timer_init(&c->deadline, loop_clock(loop), on_deadline, c);
}

int convert_child_start(struct convert_child *c, const struct convert_settings *settings,
                        const char *program, int in, int out, struct err *err)
{
	char parent[24], cpu[24], memory[24], output[24];
	const char *slash;
	char *argv[] = { (char *)(uintptr_t) "print-connectord",
		         (char *)(uintptr_t)CONFINE_OPTION,
		         parent,
		         cpu,
		         memory,
		         output,
		         (char *)(uintptr_t)program,
		         (char *)(uintptr_t) "/proc/self/fd/3",
		         (char *)(uintptr_t) "/proc/self/fd/4",
		         NULL };
	char *environment[] = { NULL };
	uv_stdio_container_t stdio[] = {
		{ .flags = UV_IGNORE },
		{ .flags = UV_IGNORE },
		{ .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
		  .data.stream = (uv_stream_t *)&c->pipe },
		{ .flags = UV_INHERIT_FD, .data.fd = in },
		{ .flags = UV_INHERIT_FD, .data.fd = out },
	};
	const uv_process_options_t options = {
		.exit_cb = on_ended,
		.file = "/proc/self/exe",
		.args = argv,
		.env = environment,
		.flags = UV_PROCESS_DETACHED, /* a group of its own */
		.stdio_count = ARRAY_SIZE(stdio),
		.stdio = stdio,
	};
	int rc;

	(void)snprintf(parent, sizeof(parent), "%d", getpid());
	(void)snprintf(cpu, sizeof(cpu), "%u", settings->cpu_s);
	(void)snprintf(memory, sizeof(memory), "%llu", (unsigned long long)settings->memory);
	(void)snprintf(output, sizeof(output), "%llu", (unsigned long long)settings->output);
	slash = strrchr(program, '/');
	(void)str_copy(c->name, sizeof(c->name), slash ? slash + 1 : program);
	c->out = out;
	c->said_len = 0;
	c->late = false;
	c->signal = 0;
	c->process.data = c->pipe.data = c;
	(void)uv_pipe_init(loop_uv(c->loop), &c->pipe, 0);
	rc = uv_spawn(loop_uv(c->loop), &c->process, &options);
	c->open = 2;
	c->running = rc == 0;
	if (rc == 0)
		rc = uv_read_start((uv_stream_t *)&c->pipe, on_room, on_said);
	if (rc == 0) {
		timer_start(&c->deadline, settings->deadline_s * 1000);
		return 0;
	}
	(void)err_set(err, ERR_TEMPORARY, -rc, "start a converter: %s", uv_strerror(rc));
	uv_close((uv_handle_t *)&c->pipe, on_closed);
	if (c->running)
		convert_child_kill(c);
	else
		uv_close((uv_handle_t *)&c->process, on_closed);
	return -1;
}

bool convert_child_is_open(const struct convert_child *c)
{
	return c->open > 0;
}

/* It goes on after errors and leaves out what it could not read. */
static bool complained(const struct convert_child *c)
{
	const char *at = c->said;

	for (; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncasecmp(at, "error", 5) == 0)
			return true;
	}
	return false;
}

static bool is_pdf(const struct convert_child *c)
{
	char head[5];

	return pread(c->out, head, sizeof(head), 0) == sizeof(head) &&
	       memcmp(head, "%PDF-", sizeof(head)) == 0;
}

int convert_refuse(struct err *err, const char *what)
{
	return err_set(err, ERR_REJECTED, FORMAT_ERROR,
	               "the XPS document cannot be converted: %s; print it as PDF", what);
}

int convert_child_judge(struct convert_child *c, struct err *err)
{
	char first[160];

	c->said[c->said_len] = '\0';
	str_clean(c->said, first, sizeof(first));
	if (c->said_len || c->signal || c->status)
		log_event(LOG_LEVEL_DEBUG, NULL, "%s: status %lld, signal %d: %s", c->name,
		          (long long)c->status, c->signal, first);
	if (c->late || c->signal == SIGXCPU)
		return convert_refuse(err, "it takes too long");
	if (c->signal == SIGXFSZ)
		return convert_refuse(err, "what it becomes is too large");
	if (c->signal == SIGSYS) {
		log_event(LOG_LEVEL_WARNING, NULL,
		          "%s did what no converter does and was ended: its document may be an "
		          "attack",
		          c->name);
		return convert_refuse(err, "the converter was ended for what it tried to do");
	}
	if (c->signal == 0 && (c->status == CONFINE_FAILED || c->status == CONFINE_NOBODY))
		return err_set(err, ERR_REJECTED, FORMAT_ERROR, "XPS cannot be converted here: %s",
		               *first ? first : "the converter is no program of this machine");
	if (c->signal || c->status || complained(c) || !is_pdf(c))
		return convert_refuse(err, CONVERT_DAMAGED);
	return 0;
}
