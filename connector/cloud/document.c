/* document.c - one document from the cloud into a stream.
 *
 * Happy path: Fetch-Document over HTTP/1.1; its message tells format and compression, begun() runs
 * in a turn of its own; bytes go straight into the stream, or by way of gunzip.h when the server
 * compressed them; both ended: done().
 *
 * What can fail: not-fetchable (TEMPORARY, its code tells), not-possible, not-found (GONE); a
 * compression that was not asked for (REJECTED); whatever ends the exchange or the unpacking. The
 * stream learns all of it. */
#include "connector/cloud/document.h"

#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/base/clock.h"
#include "connector/base/ipp_codec.h"
#include "connector/base/stream.h"
#include "connector/cloud/channel.h"
#include "connector/cloud/dialect.h"
#include "connector/cloud/gunzip.h"
#include "connector/cloud/job_ops.h"
#include "connector/cloud/job_secret.h"
#include "connector/cloud/service.h"
#include "connector/cloud/universal.h"

#define IDLE_MS 60000

struct document {
	struct cloud_op *op; /* borrowed */
	struct stream *into; /* borrowed */
	struct timer begin;
	struct gunzip *gunzip; /* NULL: not compressed */
	bool came, unpacked;   /* the exchange, the unpacking is over */
	struct err err;        /* the first failure; kind NONE: none */
};

void document_free(struct document *d)
{
	if (!d)
		return;
	timer_stop(&d->begin);
	gunzip_free(d->gunzip);
	free(d);
}

static void keep_err(struct document *d, const struct err *err)
{
	if (err && d->err.kind == ERR_NONE)
		d->err = *err;
}

static void on_begin(struct timer *t)
{
	struct document *d = t->data;

	d->op->begun(d->op);
}

static void end_when_over(struct document *d)
{
	struct cloud_op *op = d->op;
	struct err err = d->err;
	bool begins = d->begin.armed;

	if (!d->came || (d->gunzip && !d->unpacked))
		return;
	if (err.kind != ERR_NONE)
		stream_fail(d->into, &err);
	timer_stop(&d->begin);
	if (begins && err.kind == ERR_NONE)
		op->begun(op);
	op->document = NULL;
	document_free(d);
	job_ops_end(op, err.kind != ERR_NONE ? &err : NULL);
}

static void on_unpacked(void *data, const struct err *err)
{
	struct document *d = data;

	d->unpacked = true;
	keep_err(d, err);
	end_when_over(d);
}

static const char *told(ipp_t *answer, const char *name)
{
	const char *text = ipp_get_text(answer, IPP_TAG_OPERATION, name, NULL);

	return text ? text : ipp_get_text(answer, IPP_TAG_DOCUMENT, name, "");
}

static int on_message(struct ipp_op *ipp, struct err *err)
{
	struct cloud_op *op = ipp->data;
	struct document *d = op->document;
	struct clock *clock = op->channel->cloud->clock;

	str_clean(told(ipp->response, "document-format"), op->format, sizeof(op->format));
	str_clean(told(ipp->response, "compression"), op->compression, sizeof(op->compression));
	free(op->document_password);
	op->document_password =
		job_secret_take(op->channel->cloud->vault, ipp->response, "document-password");
	if (!op->compression[0])
		(void)str_copy(op->compression, sizeof(op->compression), "none");
	ipp->document = d->into; /* not before: an exchange may be repeated until now */
	if (strcmp(op->compression, "gzip") == 0) {
		d->gunzip = gunzip_new(clock, d->into, ipp->document_limit, on_unpacked, d);
		ipp->document = gunzip_input(d->gunzip);
	} else if (strcmp(op->compression, "none") != 0) {
		return err_set(err, ERR_REJECTED, IPP_STATUS_ERROR_COMPRESSION_NOT_SUPPORTED,
		               "the cloud sends the document compressed by %s, which was not asked "
		               "for",
		               op->compression);
	}
	if (op->begun)
		timer_start(&d->begin, 0);
	return 0;
}

static void judge(struct cloud_op *op, const struct err *err, struct err *ret)
{
	job_ops_err(op, err, ret);
	if (job_ops_is_status(op, IPP_STATUS_ERROR_NOT_FETCHABLE))
		ret->kind = ERR_TEMPORARY;
	else if (job_ops_is_status(op, IPP_STATUS_ERROR_NOT_POSSIBLE))
		ret->kind = ERR_GONE;
	if (op->talk.ipp.response && op->talk.ipp.ipp_status > 0xff)
		ret->code = (int)op->talk.ipp.ipp_status;
}

static void on_document(struct ipp_op *ipp, const struct err *err)
{
	struct cloud_op *op = ipp->data;
	struct document *d = op->document;
	struct err failed;

	d->came = true;
	if (err) {
		judge(op, err, &failed);
		keep_err(d, &failed);
	}
	end_when_over(d); /* a failed input ends the unpacking too, in a turn of its own */
}

int document_fetch(struct channel *ch, struct cloud_op *op, int32_t job, int32_t number,
                   struct stream *into, uint64_t limit, struct err *err)
{
	struct document *d = xcalloc(1, sizeof(*d));

	d->op = op;
	d->into = into;
	timer_init(&d->begin, ch->cloud->clock, on_begin, d);
	op->channel = ch;
	op->document = d;
	channel_prepare(ch, &op->talk,
	                request_fetch_document(&ch->target, ch->cloud->dialect, job, number),
	                HOST_PRINT);
	if (ch->cloud->universal)
		op->talk.ipp.peer = ch->cloud->universal->documents;
	op->talk.ipp.document_limit = limit;
	op->talk.ipp.http1 = true;
	op->talk.ipp.idle_ms = IDLE_MS;
	op->talk.ipp.on_message = on_message;
	op->talk.ipp.done = on_document;
	op->talk.ipp.data = op;
	if (talk_start(&op->talk, err) == 0)
		return 0;
	talk_clear(&op->talk);
	op->document = NULL;
	document_free(d);
	return -1;
}

void document_cancel(struct cloud_op *op)
{
	struct document *d = op->document;
	struct err err;

	(void)err_set(&err, ERR_CANCELED, 0, "canceled");
	if (d->came && d->gunzip)
		gunzip_stop(d->gunzip, &err);
	else
		talk_cancel(&op->talk);
}
