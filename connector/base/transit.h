/* transit.h - a document on its way to a printer that must get it whole. Lives in an unlinked file,
 * encrypted with a key that exists only in memory: a crash leaves nothing that anyone can read. A
 * document of up to 32 KiB stays in memory, 1 MiB of them in all. Files are read and written on a
 * work queue; the callers' side is the loop thread. */
#ifndef CONNECTOR_BASE_TRANSIT_H
#define CONNECTOR_BASE_TRANSIT_H

#include <stdint.h>

struct err;
struct loop;
struct stream;
struct transit;      /* the directory; one per daemon */
struct transit_file; /* one document: written once, then read any number of times */
struct transit_op;

/* Makes the directory (0700) when it is missing. */
int transit_open(struct transit **ret, struct loop *loop, const char *dir, struct err *err);
void transit_close(struct transit *t); /* NULL is fine; all files freed before */

int transit_create(struct transit *t, uint64_t limit, struct transit_file **ret, struct err *err);
/* NULL is fine; no operation may be under way. */
void transit_free(struct transit_file *f);
uint64_t transit_size(const struct transit_file *f); /* bytes filled */

/* Moves bytes between a stream and the file, until the stream's end or failure, or the file's end.
 * A file that would pass its limit fails the stream (ERR_REJECTED). A failure on either side fails
 * the stream as well as the operation. Contract: base/op.h. */
struct transit_op {
	struct transit_file *file; /* borrowed */
	struct stream *stream;     /* borrowed */
	void *data;
	void (*done)(struct transit_op *op, const struct err *err);

	struct transit_pump *private;
};

int transit_fill(struct transit_op *op, struct err *err);  /* stream -> file */
int transit_drain(struct transit_op *op, struct err *err); /* file -> stream, then stream_end() */
void transit_cancel(struct transit_op *op);

#endif
