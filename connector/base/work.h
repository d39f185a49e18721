/* work.h - things that block, done in order on a thread of libuv's pool; the only user of
 * uv_queue_work. Items that wait while another batch runs are joined into the next batch, which
 * begin() and end() frame (the store makes each batch one commit). Input is copied into the item,
 * output out of it; run() touches no state of the loop. Nothing that waits for a network.
 * Contract of struct work_item: base/op.h, without cancel. */
#ifndef CONNECTOR_BASE_WORK_H
#define CONNECTOR_BASE_WORK_H

#include "common/err.h"

struct loop;
struct work;

struct work_frame {
	int (*begin)(void *data, struct err *err); /* on the thread; failing fails the batch */
	int (*end)(void *data, struct err *err);
	void *data;
};

struct work_item {
	/* On the thread. -1: this item failed, the rest of the batch goes on. */
	int (*run)(struct work_item *item, struct err *err);
	/* On the loop, in the order of submission. */
	void (*done)(struct work_item *item, const struct err *err);
	void *data;

	struct work_item *next; /* private from here on */
	struct err err;
	int failed;
};

/* frame may be NULL; at most max_batch items are joined. */
int work_open(struct work **ret, struct loop *loop, const struct work_frame *frame,
              unsigned max_batch, struct err *err);
/* Waits until everything submitted has been run and its done() called. */
void work_close(struct work *w);
void work_submit(struct work *w, struct work_item *item);
/* May wait until a batch runs anyway, at the latest for delay_ms: for what need not be now. Order
 * among items stays as submitted. */
void work_submit_lazy(struct work *w, struct work_item *item, int delay_ms);

#endif
