/* gunzip.c - happy path: bytes wake the pump, two of them decide between gzip and plain, then as
 * much is passed on as the other side takes; the input's end is the output's end.
 *
 * What can fail: the input fails or ends in the middle (TEMPORARY), it is damaged or unpacks to
 * more than the limit (REJECTED), the consumer gives up (its err). Either way both streams learn
 * it. */
#include "connector/cloud/gunzip.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "common/err.h"
#include "common/util.h"
#include "connector/base/clock.h"
#include "connector/base/stream.h"

#define INPUT_SIZE (64u << 10)
#define PIECE      16384u /* what an empty stream of any size takes */
#define GZIP_BITS  (15 + 16)

enum mode { MODE_SNIFF, MODE_PLAIN, MODE_GZIP, MODE_OVER };

struct gunzip {
	struct stream *in;   /* owned */
	struct stream *into; /* borrowed */
	struct timer pump;
	void (*done)(void *data, const struct err *err);
	void *data;
	uint64_t limit, made;
	enum mode mode;
	bool zlib_open, ended; /* ended: between members of the file */
	struct err stopped;    /* kind NONE: nobody did */
	z_stream z;
	unsigned have, used; /* of raw */
	unsigned out_len;    /* waits for room */
	unsigned char raw[PIECE], out[PIECE];
};

enum pump { PUMP_ON, PUMP_WAIT, PUMP_END, PUMP_FAILED };

static void wake(void *data)
{
	struct gunzip *g = data;

	if (g->mode != MODE_OVER)
		timer_start(&g->pump, 0);
}

static enum pump fail(struct err *err, enum err_kind kind, const char *text)
{
	(void)err_set(err, kind, 0, "%s", text);
	return PUMP_FAILED;
}

static enum pump write_out(struct gunzip *g, struct err *err)
{
	if (!g->out_len)
		return PUMP_ON;
	if (stream_write(g->into, g->out, g->out_len) < 0) {
		if (stream_state(g->into) != STREAM_FAILED)
			return PUMP_WAIT;
		*err = *stream_err(g->into);
		return PUMP_FAILED;
	}
	g->out_len = 0;
	return PUMP_ON;
}

/* Adds to raw. */
static enum pump read_in(struct gunzip *g, struct err *err)
{
	size_t n;

	if (g->used) {
		memmove(g->raw, g->raw + g->used, g->have - g->used);
		g->have -= g->used;
		g->used = 0;
	}
	n = stream_read(g->in, g->raw + g->have, sizeof(g->raw) - g->have);
	g->have += (unsigned)n;
	if (n)
		return PUMP_ON;
	switch (stream_state(g->in)) {
	case STREAM_OPEN:
		return PUMP_WAIT;
	case STREAM_ENDED:
		return PUMP_END;
	case STREAM_FAILED:
		break;
	}
	*err = *stream_err(g->in);
	return PUMP_FAILED;
}

static enum pump made(struct gunzip *g, unsigned len, struct err *err)
{
	g->out_len = len;
	g->made += len;
	if (!g->limit || g->made <= g->limit)
		return PUMP_ON;
	(void)err_set(err, ERR_REJECTED, 0, "document is longer than %llu bytes",
	              (unsigned long long)g->limit);
	return PUMP_FAILED;
}

static enum pump sniff(struct gunzip *g, struct err *err)
{
	enum pump more = PUMP_ON;

	while (more == PUMP_ON && g->have < 2)
		more = read_in(g, err);
	if (more == PUMP_WAIT || more == PUMP_FAILED)
		return more;
	g->mode = MODE_PLAIN;
	if (g->have < 2 || g->raw[0] != 0x1f || g->raw[1] != 0x8b)
		return PUMP_ON;
	g->mode = MODE_GZIP;
	if (inflateInit2(&g->z, GZIP_BITS) != Z_OK)
		return fail(err, ERR_TEMPORARY, "no memory to unpack the document");
	g->zlib_open = true;
	return PUMP_ON;
}

static enum pump pass(struct gunzip *g, struct err *err)
{
	unsigned len = g->have - g->used;
	enum pump more;

	if (!len) {
		more = read_in(g, err);
		if (more != PUMP_ON)
			return more;
		len = g->have;
	}
	memcpy(g->out, g->raw + g->used, len);
	g->used += len;
	return made(g, len, err);
}

static enum pump inflate_some(struct gunzip *g, struct err *err)
{
	enum pump more = PUMP_ON;
	int rc;

	if (g->used == g->have)
		more = read_in(g, err);
	if (more == PUMP_END && !g->ended)
		return fail(err, ERR_TEMPORARY, "the compressed document ends in the middle");
	if (more != PUMP_ON)
		return more;
	if (g->ended) /* a file may have several members */
		(void)inflateReset(&g->z);
	g->z.next_in = g->raw + g->used;
	g->z.avail_in = g->have - g->used;
	g->z.next_out = g->out;
	g->z.avail_out = sizeof(g->out);
	rc = inflate(&g->z, Z_NO_FLUSH);
	g->used = g->have - g->z.avail_in;
	g->ended = rc == Z_STREAM_END;
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return fail(err, ERR_REJECTED, "the compressed document is damaged");
	return made(g, (unsigned)(sizeof(g->out) - g->z.avail_out), err);
}

static enum pump pump(struct gunzip *g, struct err *err)
{
	enum pump more = write_out(g, err);

	if (more != PUMP_ON)
		return more;
	switch (g->mode) {
	case MODE_SNIFF:
		return sniff(g, err);
	case MODE_PLAIN:
		return pass(g, err);
	case MODE_GZIP:
		return inflate_some(g, err);
	case MODE_OVER:
		break;
	}
	return PUMP_WAIT;
}

static void finish(struct gunzip *g, const struct err *err)
{
	g->mode = MODE_OVER;
	stream_on_data(g->in, NULL, NULL);
	stream_on_room(g->into, NULL, NULL);
	if (err) {
		stream_fail(g->in, err);
		stream_fail(g->into, err);
	} else {
		stream_end(g->into);
	}
	g->done(g->data, err);
}

static void on_pump(struct timer *t)
{
	struct gunzip *g = t->data;
	struct err err = g->stopped;
	enum pump more = err.kind == ERR_NONE ? PUMP_ON : PUMP_FAILED;

	while (more == PUMP_ON)
		more = pump(g, &err);
	if (more == PUMP_END)
		finish(g, NULL);
	else if (more == PUMP_FAILED)
		finish(g, &err);
}

struct gunzip *gunzip_new(struct clock *clock, struct stream *into, uint64_t limit,
                          void (*done)(void *data, const struct err *err), void *data)
{
	struct gunzip *g = xcalloc(1, sizeof(*g));

	g->in = stream_new(INPUT_SIZE);
	g->into = into;
	g->limit = limit;
	g->done = done;
	g->data = data;
	timer_init(&g->pump, clock, on_pump, g);
	stream_on_data(g->in, wake, g);
	stream_on_room(into, wake, g);
	timer_start(&g->pump, 0); /* wake-ups come only to who went away empty */
	return g;
}

void gunzip_free(struct gunzip *g)
{
	if (!g)
		return;
	timer_stop(&g->pump);
	if (g->mode != MODE_OVER) {
		stream_on_data(g->in, NULL, NULL);
		stream_on_room(g->into, NULL, NULL);
	}
	if (g->zlib_open)
		(void)inflateEnd(&g->z);
	stream_free(g->in);
	free(g);
}

struct stream *gunzip_input(struct gunzip *g)
{
	return g->in;
}

void gunzip_stop(struct gunzip *g, const struct err *err)
{
	if (g->mode == MODE_OVER || g->stopped.kind != ERR_NONE)
		return;
	g->stopped = *err;
	timer_start(&g->pump, 0);
}
