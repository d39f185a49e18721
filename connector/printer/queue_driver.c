/* queue_driver.c - the PPD of a queue of CUPS that prints in colour, read behind all that the queue
 * says, in the same exchange of queue_read.c or queue_probe.c: what CUPS does not say of its
 * driver. A PPD that cannot be had is no failure of the read. */
#include "connector/printer/queue_impl.h"

#include <stdlib.h>

#include "common/util.h"
#include "connector/base/ipp_codec.h"
#include "connector/base/stream.h"
#include "connector/printer/capabilities.h"

#define PPD_MAX ((size_t)2 << 20) /* bytes; of those of Debian the largest has a quarter of it */
#define PIECE   4096

struct driver_reading {
	ipp_t *own; /* the queue's answer */
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
	ippDelete(r->own);
	stream_free(r->ppd);
	free(r);
}

/* True: it is asked for. */
static bool ask(struct queue *q, struct ipp_op *op)
{
	struct driver_reading *r = xcalloc(1, sizeof(*r));
	void (*done)(struct ipp_op *, const struct err *) = op->done;
	ipp_t *request = queue_request(q, IPP_OP_CUPS_GET_PPD, NULL);
	void *data = op->data;
	struct err ignored;

	q->driver_reading = r;
	r->own = TAKE(op->response);
	r->ppd = stream_new(PPD_MAX);
	ipp_op_clear(op);
	op->document = r->ppd;
	op->document_limit = PPD_MAX;
	return queue_start(q, op, request, done, data, &ignored) == 0;
}

enum more_step queue_driver_step(struct queue *q, struct ipp_op *op, const struct err *err)
{
	if (q->driver_reading == NULL) {
		q->grey = (struct driver_grey){ .known = false };
		if (err != NULL || !q->cups || !has_driver_for_colour(op->response))
			return MORE_NONE;
		if (ask(q, op))
			return MORE_ASKING;
	} else if (err == NULL) {
		q->grey = read_ppd(q->driver_reading->ppd);
	} else if (err->kind == ERR_CANCELED) {
		return MORE_NONE;
	}
	ipp_op_clear(op);
	op->response = TAKE(q->driver_reading->own);
	queue_driver_clear(q);
	return MORE_READ;
}
