/* transfer.h - one document on its way: from the cloud to a CUPS queue (streamed), from the cloud
 * into a transit file, or from there to an IPP printer. Looks at the first bytes before anything
 * reaches a queue; XPS becomes PDF on the way. Contract: base/op.h; done() tells which side failed
 * first. Loop thread only. */
#ifndef CONNECTOR_CORE_TRANSFER_H
#define CONNECTOR_CORE_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "connector/base/clock.h"
#include "connector/base/convert.h"
#include "connector/base/transit.h"
#include "connector/cloud/cloud.h"
#include "connector/core/sniff.h"
#include "connector/printer/queue.h"

struct stream;

enum transfer_mode {
	TRANSFER_PASS,    /* cloud -> queue */
	TRANSFER_COLLECT, /* cloud -> file */
	TRANSFER_DELIVER, /* file -> queue */
};

struct transfer {
	enum transfer_mode mode; /* all borrowed */
	struct clock *clock;
	const struct cloud_ops *cloud_ops;
	const struct queue_ops *queue_ops;
	struct channel *channel;
	struct queue *queue;
	struct transit *transit;
	struct convert *convert;
	struct sniff_queue to;
	const struct local_ticket *ticket;
	struct transit_file *file;
	int32_t cloud_job, number,
		local_job; /* local_job: PASS may start with 0, see transfer_go() */
	bool last;
	uint64_t limit;
	char format[NAME_SIZE]; /* DELIVER: given; else a result, and what the cloud said of the job
	                           before the document says it itself */
	const struct sealed *document_password; /* DELIVER: NULL none; else see fetch */
	void *data;
	/* err NULL: all of it went over. at_queue: the queue failed, else the cloud or the
	 * document. */
	void (*done)(struct transfer *t, const struct err *err, bool at_queue);

	uint64_t bytes;              /* results */
	char from_format[NAME_SIZE]; /* what it was before it was converted; "" it was not */
	bool first_byte;             /* something may have reached the queue */
	struct local_op send;

	struct cloud_op fetch; /* private from here on */
	struct transit_op pump;
	struct stream *stream;
	struct stream *converted; /* ... to the queue */
	struct convert_op conversion;
	struct transit_file *original, *pdf; /* owned; pdf of PASS only */
	struct timer wake;
	struct err err;
	bool failed, failed_at_queue, sniffed, gate, started;
	bool fetching, sending, pumping, converting, is_pdf; /* is_pdf: it was converted */
};

int transfer_start(struct transfer *t, struct err *err);
/* PASS: the local job is there and committed; the document may go to it. */
void transfer_go(struct transfer *t, int32_t local_job);
void transfer_cancel(struct transfer *t);
void transfer_clear(struct transfer *t); /* not while it runs */

#endif
