/* Happy path: LOADING, the document from its transit file into memory without a name; RUNNING, this
 * program once more as a child, which confines itself and becomes the converter; STORING, what it
 * wrote into the other transit file; done, then the next one in line.
 *
 * What can fail: the document is larger than may be in memory; the converter does not take it, is
 * killed at one of its limits, or takes too long; a transit file fails. Whatever happens, the child
 * is killed with its process group and waited for, its memory given back, before done(). */
#include "connector/base/convert.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "connector/base/clock.h"
#include "connector/base/convert_child.h"
#include "connector/base/loop.h"
#include "connector/base/stream.h"
#include "connector/base/transit.h"

#define STREAM_BYTES (256u * 1024)
#define PIECE        16384 /* any stream has room for so much at some time */
#define WAITING_MAX  8     /* documents that wait: more are tried again later */

const struct convert_settings convert_defaults = {
	.program = "",
	.cpu_s = 60,
	.deadline_s = 120,
	.memory = 512ull << 20,
	.input = 64ull << 20,
	.output = 128ull << 20,
};

enum step { LOADING, RUNNING, STORING, CLOSING };

struct convert {
	struct loop *loop; /* borrowed */
	struct convert_settings settings;
	char *program;
	TAILQ_HEAD(convert_line, convert_op) line; /* the first one is in hand */
	unsigned count;                            /* of them */
	struct timer turn;                         /* what is next happens in a turn of its own */

	/* of the one in hand */
	bool busy;
	enum step step;
	int in, out; /* memory; -1 none */
	struct stream *stream;
	struct transit_op pump;
	bool pumping;
	struct convert_child child;
	off_t offset; /* in out */
	char piece[PIECE];
	struct err err; /* the first failure */
};

static void go_on(struct convert *c);

static void wake(struct convert *c)
{
	if (!c->turn.armed)
		timer_start(&c->turn, 0);
}

static void on_wake(void *data)
{
	wake(data);
}

static void on_turn(struct timer *t)
{
	go_on(t->data);
}

static void keep_err(struct convert *c, const struct err *err)
{
	if (c->err.kind == ERR_NONE)
		c->err = *err;
}

/* ---- memory without a name ------------------------------------------------------------------- */

static int new_memory(const char *name, struct err *err)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0) {
		(void)err_errno(err, "make room for a document");
		err->kind = ERR_TEMPORARY;
	}
	return fd;
}

static void close_memory(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* What the stream has; false: it is over, one way or the other. */
static bool load_some(struct convert *c)
{
	struct err err;
	size_t n;

	while ((n = stream_read(c->stream, c->piece, sizeof(c->piece))) > 0) {
		if (write(c->in, c->piece, n) == (ssize_t)n)
			continue;
		(void)err_errno(&err, "make room for a document");
		err.kind = ERR_TEMPORARY;
		keep_err(c, &err);
		stream_fail(c->stream, &err);
		return false;
	}
	return stream_state(c->stream) == STREAM_OPEN;
}

/* What the stream takes; false: that was all. */
static bool store_some(struct convert *c)
{
	struct err err;

	for (;;) {
		ssize_t n = pread(c->out, c->piece, sizeof(c->piece), c->offset);

		if (n < 0) {
			(void)err_errno(&err, "read a converted document");
			keep_err(c, &err);
			stream_fail(c->stream, &err);
			return false;
		}
		if (n == 0) {
			stream_end(c->stream);
			return false;
		}
		if (stream_write(c->stream, c->piece, (size_t)n) < 0)
			return stream_state(c->stream) == STREAM_OPEN; /* on_wake() goes on */
		c->offset += n;
	}
}

/* ---- one document ---------------------------------------------------------------------------- */

static void on_pumped(struct transit_op *pump, const struct err *err)
{
	struct convert *c = pump->data;

	c->pumping = false;
	if (err)
		keep_err(c, err);
	wake(c);
}

static void end_stream(struct convert *c)
{
	stream_on_data(c->stream, NULL, NULL);
	stream_on_room(c->stream, NULL, NULL);
	stream_free(c->stream);
	c->stream = NULL;
}

static void start_loading(struct convert *c, struct convert_op *op)
{
	unsigned long long size = transit_size(op->from);

	c->step = LOADING;
	c->stream = stream_new(STREAM_BYTES);
	if (size > c->settings.input) {
		(void)err_set(
			&c->err, ERR_REJECTED, EFBIG,
			"an XPS document of %llu MB is too large to convert, %llu MB are not; "
			"print it as PDF",
			size >> 20, (unsigned long long)c->settings.input >> 20);
		return;
	}
	c->in = new_memory("document", &c->err);
	c->out = c->in < 0 ? -1 : new_memory("converted", &c->err);
	if (c->out < 0)
		return;
	stream_on_data(c->stream, on_wake, c);
	c->pump = (struct transit_op){
		.file = op->from, .stream = c->stream, .data = c, .done = on_pumped
	};
	c->pumping = transit_drain(&c->pump, &c->err) == 0;
}

static void start_storing(struct convert *c, struct convert_op *op)
{
	c->step = STORING;
	c->offset = 0;
	c->stream = stream_new(STREAM_BYTES);
	stream_on_room(c->stream, on_wake, c);
	c->pump = (struct transit_op){
		.file = op->to, .stream = c->stream, .data = c, .done = on_pumped
	};
	c->pumping = transit_fill(&c->pump, &c->err) == 0;
	wake(c);
}

/* A package ends with the record that says where its parts are (APPNOTE 4.3.16), behind which at
 * most a comment stands. The converter would do without it, and print what is left of a cut one. */
static bool is_whole_package(struct convert *c)
{
	off_t end = lseek(c->in, 0, SEEK_END);

	for (off_t at = end - 22; at >= 0 && end - at <= 22 + UINT16_MAX; at--) {
		/* from the end in steps that overlap by one record */
		off_t from = at + 4 > PIECE ? at + 4 - PIECE : 0;
		ssize_t n = pread(c->in, c->piece, (size_t)(at + 4 - from), from);

		for (ssize_t i = n - 4; i >= 0; i--)
			if (memcmp(c->piece + i, "PK\5\6", 4) == 0)
				return true;
		at = from;
	}
	return false;
}

/* ---- the line -------------------------------------------------------------------------------- */

static void finish(struct convert *c)
{
	struct convert_op *op = TAILQ_FIRST(&c->line);
	struct err err = c->err;

	close_memory(&c->in);
	close_memory(&c->out);
	TAILQ_REMOVE(&c->line, op, line);
	c->count--;
	c->busy = false;
	op->convert = NULL;
	if (c->count)
		wake(c);
	op->done(op, err.kind != ERR_NONE ? &err : NULL);
}

static void start_next(struct convert *c)
{
	struct convert_op *op = TAILQ_FIRST(&c->line);

	c->busy = true;
	c->in = c->out = -1;
	err_clear(&c->err);
	start_loading(c, op);
}

/* The step in hand is over and did not fail. */
static void start_step(struct convert *c)
{
	struct convert_op *op = TAILQ_FIRST(&c->line);

	switch (c->step) {
	case LOADING:
		end_stream(c);
		(void)fcntl(c->in, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
		c->step = RUNNING;
		if (is_whole_package(c))
			(void)convert_child_start(&c->child, &c->settings, c->program, c->in,
			                          c->out, &c->err);
		else
			(void)convert_refuse(&c->err, CONVERT_DAMAGED);
		return;
	case RUNNING:
		if (convert_child_judge(&c->child, &c->err) == 0)
			start_storing(c, op);
		return;
	case STORING:
		end_stream(c);
		c->step = CLOSING;
		return;
	case CLOSING:
		return;
	}
}

/* Whether the step in hand goes on by itself. */
static bool is_under_way(struct convert *c)
{
	if (c->step == LOADING && load_some(c))
		return true;
	if (c->step == STORING && store_some(c))
		return true;
	return c->pumping || convert_child_is_open(&c->child);
}

/* Those that are canceled while others are in hand. */
static void end_canceled(struct convert *c)
{
	struct convert_op *op = TAILQ_FIRST(&c->line);
	struct err err;

	if (op && c->busy)
		op = TAILQ_NEXT(op, line);
	while (op && !op->canceled)
		op = TAILQ_NEXT(op, line);
	if (!op)
		return;
	wake(c); /* for the next one */
	TAILQ_REMOVE(&c->line, op, line);
	c->count--;
	op->convert = NULL;
	(void)err_set(&err, ERR_CANCELED, 0, "canceled");
	op->done(op, &err);
}

static void go_on(struct convert *c)
{
	struct err canceled;

	end_canceled(c);
	if (!c->busy && !c->count)
		return;
	if (!c->busy)
		start_next(c);
	(void)err_set(&canceled, ERR_CANCELED, 0, "canceled");
	if (TAILQ_FIRST(&c->line)->canceled)
		keep_err(c, &canceled);
	if (c->err.kind == ERR_NONE && is_under_way(c))
		return;
	if (c->err.kind == ERR_NONE)
		start_step(c);
	if (c->err.kind == ERR_NONE && c->step != CLOSING)
		return;
	if (c->stream && c->err.kind != ERR_NONE)
		stream_fail(c->stream, &c->err);
	convert_child_kill(&c->child);
	if (c->pumping || convert_child_is_open(&c->child))
		return; /* their ends wake us */
	if (c->stream)
		end_stream(c);
	finish(c);
}

/* ---- from outside ---------------------------------------------------------------------------- */

void convert_open(struct convert **ret, struct loop *loop, const struct convert_settings *settings)
{
	struct convert *c = xcalloc(1, sizeof(*c));

	c->loop = loop;
	c->settings = *settings;
	c->program = xstrdup(settings->program);
	c->in = c->out = -1;
	TAILQ_INIT(&c->line);
	timer_init(&c->turn, loop_clock(loop), on_turn, c);
	convert_child_init(&c->child, loop, on_wake, c);
	*ret = c;
}

void convert_close(struct convert *c)
{
	if (!c)
		return;
	assert(c->count == 0);
	timer_stop(&c->turn);
	free(c->program);
	free(c);
}

void convert_use(struct convert *c, const char *program)
{
	free(c->program);
	c->program = xstrdup(program);
}

bool convert_is_there(const struct convert *c)
{
	return c && *c->program && access(c->program, X_OK) == 0;
}

int convert_start(struct convert *c, struct convert_op *op, struct err *err)
{
	assert(op->from && op->to && op->done && !op->convert);
	if (c->count > WAITING_MAX)
		return err_set(err, ERR_TEMPORARY, 0,
		               "%u XPS documents wait to be converted, this one is for later",
		               c->count);
	op->convert = c;
	op->canceled = false;
	TAILQ_INSERT_TAIL(&c->line, op, line);
	c->count++;
	wake(c);
	return 0;
}

void convert_cancel(struct convert_op *op)
{
	struct convert *c = op->convert;

	if (!c)
		return;
	op->canceled = true;
	wake(c);
}
