/* transfer.c
 *
 * Happy path, PASS: Fetch-Document fills the stream; its first bytes are looked at; when the local
 * job is there, Send-Document empties the stream; both end. COLLECT: the same with a file instead
 * of the queue. DELIVER: the file fills the stream, Send-Document empties it. XPS on the way from
 * the cloud goes into a file of its own, which is converted: into the file of COLLECT, or into one
 * from which PASS sends.
 *
 * What can fail: either side fails the stream, which ends the other one. The first failure is the
 * one that is told, since the second is only its echo. */
#include "connector/core/transfer.h"

#include <string.h>

#include "common/config.h"
#include "common/str.h"
#include "connector/base/stream.h"

#define STREAM_BYTES          (128u * 1024)
#define IPP_DOCUMENT_PASSWORD 0x0418 /* client-error-document-password-error, PWG 5100.13 */

static void check_end(struct transfer *t)
{
	if (t->fetching || t->sending || t->pumping || t->converting)
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
	if (t->converted)
		stream_fail(t->converted, err);
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

static void start_converting(struct transfer *t);

static void on_pumped(struct transit_op *op, const struct err *err)
{
	struct transfer *t = op->data;

	t->pumping = false;
	if (err)
		fail(t, err, false);
	else if (!t->failed && t->original && !t->is_pdf)
		start_converting(t);
	check_end(t);
}

static void pump(struct transfer *t, int (*start)(struct transit_op *op, struct err *err),
                 struct transit_file *file, struct stream *stream)
{
	struct err err;

	t->pumping = true;
	t->pump =
		(struct transit_op){ .file = file, .stream = stream, .data = t, .done = on_pumped };
	if (start(&t->pump, &err) == 0)
		return;
	t->pumping = false;
	fail(t, &err, false);
	check_end(t);
}

static void start_sending(struct transfer *t, struct stream *from, int64_t length)
{
	struct err err;

	t->started = true;
	t->first_byte = true;
	t->sending = true;
	t->send.data = t;
	t->send.done = on_sent;
	t->send.user_name = t->ticket->user_name;
	t->send.document_password =
		t->mode == TRANSFER_DELIVER ? t->document_password : t->fetch.document_password;
	if (t->queue_ops->send(t->queue, &t->send, t->ticket, t->local_job, from, length, t->format,
	                       t->last, &err) < 0) {
		t->sending = false;
		t->first_byte = false;
		fail(t, &err, true);
		check_end(t);
	}
}

/* ---- conversion ---- */

static void on_converted(struct convert_op *op, const struct err *err)
{
	struct transfer *t = op->data;

	t->converting = false;
	t->is_pdf = !err;
	if (err)
		fail(t, err, false);
	timer_start(&t->wake, 0); /* the PDF may go on */
}

static void start_converting(struct transfer *t)
{
	struct err err;

	t->conversion = (struct convert_op){
		.from = t->original,
		.to = t->mode == TRANSFER_COLLECT ? t->file : t->pdf,
		.data = t,
		.done = on_converted,
	};
	t->converting = true;
	if (convert_start(t->convert, &t->conversion, &err) == 0)
		return;
	t->converting = false;
	fail(t, &err, false);
}

/* All of it has to be here first. */
static void keep_original(struct transfer *t)
{
	struct err err;

	if (transit_create(t->transit, t->limit, &t->original, &err) < 0 ||
	    (t->mode == TRANSFER_PASS &&
	     transit_create(t->transit, UINT64_MAX, &t->pdf, &err) < 0)) {
		fail(t, &err, false);
		check_end(t);
		return;
	}
	pump(t, transit_fill, t->original, t->stream);
}

/* What COLLECT waited for is in its file now. */
static void send_converted(struct transfer *t)
{
	if (t->mode == TRANSFER_COLLECT) {
		t->started = true;
	} else if (t->gate) {
		t->converted = stream_new(STREAM_BYTES);
		start_sending(t, t->converted, (int64_t)transit_size(t->pdf));
		if (!t->failed)
			pump(t, transit_drain, t->pdf, t->converted);
	}
}

/* ---- the first bytes ---- */

/* They are here, or the stream has ended before there were so many. */
static void look(struct transfer *t)
{
	unsigned char head[SNIFF_BYTES];
	size_t len = stream_peek(t->stream, head, sizeof(head));
	const char *declared = *t->fetch.format ? t->fetch.format : t->format;
	const char *real;
	struct sniffed found;
	struct err err;

	if (stream_state(t->stream) == STREAM_FAILED)
		return;
	if (len < sniff_wants(head, len) && !stream_is_whole(t->stream))
		return;
	if (sniff_check(head, len, declared, &t->to, &found, &err) < 0) {
		fail(t, &err, false);
		check_end(t);
		return;
	}
	if (t->fetch.document_password &&
	    (found.convert || !t->queue_ops->takes_document_password(t->queue))) {
		(void)err_set(&err, ERR_REJECTED, IPP_DOCUMENT_PASSWORD,
		              "the document needs a password, which this queue does not take; "
		              "print it without one");
		fail(t, &err, false);
		check_end(t);
		return;
	}
	real = sniff(head, len);
	if (found.convert && real)
		(void)str_copy(t->from_format, sizeof(t->from_format), real);
	(void)str_copy(t->format, sizeof(t->format), found.format);
	t->sniffed = true;
	stream_on_data(t->stream, NULL, NULL);
	if (found.convert)
		keep_original(t);
}

static void go_on(struct transfer *t)
{
	if (*t->from_format) {
		if (t->is_pdf)
			send_converted(t);
	} else if (t->mode == TRANSFER_COLLECT) {
		t->started = true;
		pump(t, transit_fill, t->file, t->stream);
	} else if (t->gate) {
		start_sending(t, t->stream, -1);
	}
}

static void on_wake(struct timer *timer)
{
	struct transfer *t = timer->data;

	if (!t->failed && !t->sniffed && t->mode != TRANSFER_DELIVER)
		look(t);
	if (!t->failed && t->sniffed && !t->started)
		go_on(t);
	if (t->fetching || t->sending || t->pumping || t->converting || (!t->failed && !t->started))
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
		start_sending(t, t->stream, (int64_t)transit_size(t->file));
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
	if (t->converting)
		convert_cancel(&t->conversion);
	check_end(t);
}

void transfer_clear(struct transfer *t)
{
	timer_stop(&t->wake);
	t->cloud_ops->op_clear(&t->fetch);
	t->queue_ops->op_clear(&t->send);
	if (t->stream)
		stream_on_data(t->stream, NULL, NULL);
	if (t->converted)
		stream_on_data(t->converted, NULL, NULL);
	stream_free(t->stream);
	stream_free(t->converted);
	transit_free(t->original);
	transit_free(t->pdf);
	memset(t, 0, sizeof(*t));
}
