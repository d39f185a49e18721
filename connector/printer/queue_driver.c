/* queue_driver.c - the PPD of a queue of CUPS that prints in colour, or of such a member of a
 * class, read behind all that it says, in the same exchange of queue_read.c or queue_probe.c: what
 * CUPS does not say of its driver. A PPD that cannot be had is no failure of the read: what was
 * known before stays. */
#include "connector/printer/queue_impl.h"

#include <stdlib.h>

#include "common/util.h"
#include "connector/base/ipp_codec.h"
#include "connector/base/stream.h"
#include "connector/printer/capabilities.h"

#define PPD_MAX ((size_t)2 << 20) /* bytes; of those of Debian the largest has a quarter of it */
#define PIECE   4096

struct driver_reading {
	ipp_t *answer; /* of the queue or member */
	struct stream *ppd;
};

static bool has_driver_for_colour(ipp_t *answer)
{
	return ipp_get_bool(answer, IPP_TAG_PRINTER, "color-supported", false) &&
	       !(ipp_get_int(answer, IPP_TAG_PRINTER, "printer-type", 0) &
	         (int)CUPS_PRINTER_CLASS) &&
	       !capabilities_is_raw(answer);
}

static struct driver_grey read_ppd(struct stream *ppd)
{
	struct driver_grey_reader reader = { .len = 0 };
	char piece[PIECE];
	size_t n;

	while ((n = stream_read(ppd, piece, sizeof(piece))) > 0)
		driver_grey_feed(&reader, piece, n);
	return driver_grey_end(&reader);
}

void queue_driver_clear(struct queue *q)
{
	struct driver_reading *r = TAKE(q->driver_reading);

	if (r == NULL)
		return;
	ippDelete(r->answer);
	stream_free(r->ppd);
	free(r);
}

bool queue_driver_ask(struct queue *q, struct ipp_op *op, const char *name)
{
	void (*done)(struct ipp_op *, const struct err *) = op->done;
	struct driver_reading *r;
	void *data = op->data;
	char uri[URI_SIZE];
	struct err ignored;
	ipp_t *request;

	if (!q->cups || !has_driver_for_colour(op->response))
		return false;
	queue_cups_uri(name, uri);
	request = ipp_request(IPP_OP_CUPS_GET_PPD, "printer-uri", uri);
	queue_add_user(request, NULL);
	r = q->driver_reading = xcalloc(1, sizeof(*r));
	r->answer = TAKE(op->response);
	r->ppd = stream_new(PPD_MAX);
	ipp_op_clear(op);
	op->document = r->ppd;
	op->document_limit = PPD_MAX;
	if (queue_start(q, op, request, done, data, &ignored) == 0)
		return true;
	queue_driver_take(q, op, &ignored);
	return false;
}

void queue_driver_take(struct queue *q, struct ipp_op *op, const struct err *err)
{
	driver_grey_meet(&q->grey_read, err == NULL ? read_ppd(q->driver_reading->ppd) : q->grey);
	ipp_op_clear(op);
	op->response = TAKE(q->driver_reading->answer);
	queue_driver_clear(q);
}
