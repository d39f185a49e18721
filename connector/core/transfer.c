/* transfer.c
 *
 * Happy path, PASS: Fetch-Document fills the stream; its first bytes are looked at; when the local
 * job is there, Send-Document empties the stream; both end. COLLECT: the same with a file instead
 * of the queue. DELIVER: the file fills the stream, Send-Document empties it.
 *
 * What can fail: either side fails the stream, which ends the other one. The first failure is the
 * one that is told, since the second is only its echo. */
#include "connector/core/transfer.h"

#include <string.h>

#include "common/config.h"
#include "common/str.h"
#include "connector/base/stream.h"
#include "connector/core/sniff.h"

#define STREAM_BYTES (128u * 1024)

static void check_end(struct transfer *t)
{
	if (t->fetching || t->sending || t->pumping)
		return;
	if (!t->failed && !t->started)
		return; /* fetched before the gate opened: the consumer is still to come */
	/* always from the loop and after the last callback */
	timer_start(&t->wake, 0);
}

static void fail(struct transfer *t, const struct err *err, bool at_queue)
{
	if (!t->failed) {
		t->failed = true;
		t->failed_at_queue = at_queue;
		t->err = *err;
	}
	if (t->stream)
		stream_fail(t->stream, err);
}

static void on_fetched(struct cloud_op *op, const struct err *err)
{
	struct transfer *t = op->data;

	t->fetching = false;
	if (err)
		fail(t, err, false);
	check_end(t);
}

static void on_sent(struct local_op *op, const struct err *err)
{
	struct transfer *t = op->data;

	t->sending = false;
	if (err)
		fail(t, err, true);
	check_end(t);
}

static void on_pumped(struct transit_op *op, const struct err *err)
{
	struct transfer *t = op->data;

	t->pumping = false;
	if (err)
		fail(t, err, false);
	check_end(t);
}

static void start_sending(struct transfer *t, int64_t length)
{
	struct err err;

	t->started = true;
	t->first_byte = true;
	t->sending = true;
	t->send.data = t;
	t->send.done = on_sent;
	t->send.user_name = t->ticket->user_name;
	if (t->queue_ops->send(t->queue, &t->send, t->ticket, t->local_job, t->stream, length,
	                       t->format, t->last, &err) < 0) {
		t->sending = false;
		t->first_byte = false;
		fail(t, &err, true);
		check_end(t);
	}
}

static void start_filling(struct transfer *t)
{
	struct err err;

	t->started = true;
	t->pumping = true;
	t->pump = (struct transit_op){
		.file = t->file, .stream = t->stream, .data = t, .done = on_pumped
	};
	if (transit_fill(&t->pump, &err) < 0) {
		t->pumping = false;
		fail(t, &err, false);
		check_end(t);
	}
}

/* The first bytes are here, or the stream has ended before there were so many. */
static void look(struct transfer *t)
{
	unsigned char head[SNIFF_BYTES];
	size_t len = stream_peek(t->stream, head, sizeof(head));
	enum stream_state state = stream_state(t->stream);
	struct err err;

	if (state == STREAM_FAILED)
		return;
	if (len < sizeof(head) && !stream_is_whole(t->stream))
		return;
	if (sniff_check(head, len, *t->fetch.format ? t->fetch.format : t->format, t->settings,
	                t->format, &err) < 0) {
		fail(t, &err, false);
		check_end(t);
		return;
	}
	t->sniffed = true;
	stream_on_data(t->stream, NULL, NULL);
}

static void on_wake(struct timer *timer)
{
	struct transfer *t = timer->data;

	if (!t->failed && !t->sniffed && t->mode != TRANSFER_DELIVER)
		look(t);
	if (!t->failed && t->sniffed && !t->started) {
		if (t->mode == TRANSFER_COLLECT)
			start_filling(t);
		else if (t->gate)
			start_sending(t, -1);
	}
	if (t->fetching || t->sending || t->pumping || (!t->failed && !t->started))
		return;
	t->bytes = t->stream ? stream_total(t->stream) : 0;
	t->done(t, t->failed ? &t->err : NULL, t->failed_at_queue);
}

static void on_data(void *data)
{
	struct transfer *t = data;

	timer_start(&t->wake, 0);
}

int transfer_start(struct transfer *t, struct err *err)
{
	int rc;

	timer_init(&t->wake, t->clock, on_wake, t);
	t->stream = stream_new(STREAM_BYTES);
	if (t->mode == TRANSFER_DELIVER) {
		t->pumping = true;
		t->pump = (struct transit_op){
			.file = t->file, .stream = t->stream, .data = t, .done = on_pumped
		};
		if (transit_drain(&t->pump, err) < 0) {
			t->pumping = false;
			return -1;
		}
		start_sending(t, (int64_t)transit_size(t->file));
		return 0;
	}
	stream_on_data(t->stream, on_data, t);
	t->fetch.data = t;
	t->fetch.done = on_fetched;
	t->fetching = true;
	rc = t->cloud_ops->document(t->channel, &t->fetch, t->cloud_job, t->number, t->stream,
	                            t->limit, err);
	if (rc < 0)
		t->fetching = false;
	else
		look(t); /* nothing is there yet: asks to be woken */
	return rc;
}

void transfer_go(struct transfer *t, int32_t local_job)
{
	t->local_job = local_job;
	t->gate = true;
	timer_start(&t->wake, 0);
}

void transfer_cancel(struct transfer *t)
{
	struct err err;

	(void)err_set(&err, ERR_CANCELED, 0, "canceled");
	fail(t, &err, false);
	if (t->fetching)
		t->cloud_ops->op_cancel(&t->fetch);
	if (t->sending)
		t->queue_ops->op_cancel(&t->send);
	if (t->pumping)
		transit_cancel(&t->pump);
	check_end(t);
}

void transfer_clear(struct transfer *t)
{
	timer_stop(&t->wake);
	t->cloud_ops->op_clear(&t->fetch);
	t->queue_ops->op_clear(&t->send);
	if (t->stream)
		stream_on_data(t->stream, NULL, NULL);
	stream_free(t->stream);
	memset(t, 0, sizeof(*t));
}
