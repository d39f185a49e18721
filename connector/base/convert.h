/* convert.h - a document becomes one of another format, by a program that is confined (confine.h).
 * What it reads and writes is in memory that has no name and is gone with it; documents on their
 * way from and to transit files (transit.h) are never on disk in the plain. One at a time, in order
 * of start; what waits and what it gives is bounded. Loop thread only. Contract of struct
 * convert_op: base/op.h. */
#ifndef CONNECTOR_BASE_CONVERT_H
#define CONNECTOR_BASE_CONVERT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct convert; /* one per daemon */
struct err;
struct loop;
struct transit_file;

struct convert_settings {
	const char *program;    /* is called with the names of the document and of what it is to
	                           write; "" none; copied */
	unsigned cpu_s;         /* of processor time, and... */
	unsigned deadline_s;    /* ... of any time for one document */
	uint64_t memory;        /* bytes of its address space */
	uint64_t input, output; /* bytes of documents */
};

extern const struct convert_settings convert_defaults; /* all but program */

void convert_open(struct convert **ret, struct loop *loop, const struct convert_settings *settings);
void convert_close(struct convert *c); /* NULL is fine; no operation may be under way */
/* Another program from the next document on; "" none. */
void convert_use(struct convert *c, const char *program);
/* Whether there is such a program. */
bool convert_is_there(const struct convert *c);

struct convert_op {
	struct transit_file *from; /* borrowed; whole */
	struct transit_file *to;   /* borrowed; empty; a PDF afterwards */
	void *data;
	/* REJECTED: the document cannot be converted, with what helps. TEMPORARY: for now. */
	void (*done)(struct convert_op *op, const struct err *err);

	TAILQ_ENTRY(convert_op) line; /* private from here on */
	struct convert *convert;      /* NULL: does not run */
	bool canceled;
};

int convert_start(struct convert *c, struct convert_op *op, struct err *err);
void convert_cancel(struct convert_op *op);

#endif
