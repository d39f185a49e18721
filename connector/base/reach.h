/* reach.h - whether somebody listens at an address: a TCP connection that is closed as soon as it
 * stands, with nothing sent. Contract: base/op.h. Loop thread only. */
#ifndef CONNECTOR_BASE_REACH_H
#define CONNECTOR_BASE_REACH_H

#include <stdint.h>

struct err;
struct loop;

struct reach {
	struct loop *loop; /* borrowed */
	const char *host;  /* name or address; borrowed for the call */
	int port;
	int64_t timeout_ms; /* for all of it */
	void *data;
	/* err: TEMPORARY, with host and port in the text. */
	void (*done)(struct reach *r, const struct err *err);

	struct reach_try *private;
};

int reach_start(struct reach *r, struct err *err);
void reach_cancel(struct reach *r);

#endif
