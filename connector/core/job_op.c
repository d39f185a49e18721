/* job_op.c - what a job has under way with cloud, queue and store. Each takes kilobytes and most
 * jobs wait, so it is made when it begins and goes when its done() has returned. Whether there is
 * one is whether it is under way. */
#include "connector/core/core_private.h"

#include <stdlib.h>

#include "common/str.h"
#include "common/util.h"

struct cloud_exchange {
	struct cloud_op op;
	struct cloud_op **place;
	void (*done)(struct cloud_op *op, const struct err *err);
};

struct local_exchange {
	struct local_op op;
	struct local_op **place;
	void (*done)(struct local_op *op, const struct err *err);
	void (*canceled)(struct local_op *op, const struct err *err);
	bool sent_before;      /* j->cancel_sent, should the queue refuse this one */
	char owner[NAME_SIZE]; /* the next try may have another */
};

struct commit {
	struct store_op op;
	struct store_op **place;
	void (*done)(struct store_op *op, const struct err *err);
};

/* ---- cloud ---- */

static void on_cloud(struct cloud_op *op, const struct err *err)
{
	struct cloud_exchange *x = CONTAINER_OF(op, struct cloud_exchange, op);
	const struct cloud_ops *ops = ((struct job *)op->data)->core->set.cloud_ops;

	*x->place = NULL;
	x->done(op, err);
	ops->op_clear(op);
	free(x);
}

void job_begin_cloud(struct job *j, struct cloud_op **place,
                     void (*done)(struct cloud_op *op, const struct err *err))
{
	struct cloud_exchange *x = xcalloc(1, sizeof(*x));

	x->op.data = j;
	x->op.done = on_cloud;
	x->place = place;
	x->done = done;
	*place = &x->op;
}

void job_drop_cloud(struct cloud_op **place)
{
	struct cloud_op *op = TAKE(*place);

	((struct job *)op->data)->core->set.cloud_ops->op_clear(op);
	free(CONTAINER_OF(op, struct cloud_exchange, op));
}

/* ---- queue ---- */

static void on_local(struct local_op *op, const struct err *err)
{
	struct local_exchange *x = CONTAINER_OF(op, struct local_exchange, op);
	const struct queue_ops *ops = ((struct job *)op->data)->core->set.queue_ops;

	*x->place = NULL;
	x->done(op, err);
	ops->op_clear(op);
	free(x);
}

void job_begin_local(struct job *j, struct local_op **place,
                     void (*done)(struct local_op *op, const struct err *err))
{
	struct local_exchange *x = xcalloc(1, sizeof(*x));

	x->op.data = j;
	x->op.done = on_local;
	x->place = place;
	x->done = done;
	(void)str_copy(x->owner, sizeof(x->owner), j->owner);
	x->op.user_name = x->owner;
	*place = &x->op;
}

void job_drop_local(struct local_op **place)
{
	struct local_op *op = TAKE(*place);

	((struct job *)op->data)->core->set.queue_ops->op_clear(op);
	free(CONTAINER_OF(op, struct local_exchange, op));
}

/* ---- Cancel-Job ---- */

static void on_canceled(struct local_op *op, const struct err *err)
{
	struct local_exchange *x = CONTAINER_OF(op, struct local_exchange, op);
	struct job *j = op->data;

	if (err && err->kind == ERR_REJECTED)
		j->cancel_sent = x->sent_before;
	x->canceled(op, err);
}

static void cancel(struct job *j, struct local_op **place,
                   void (*canceled)(struct local_op *op, const struct err *err))
{
	struct local_exchange *x;
	struct err err;

	job_begin_local(j, place, on_canceled);
	x = CONTAINER_OF(*place, struct local_exchange, op);
	x->canceled = canceled;
	x->sent_before = j->cancel_sent;
	j->cancel_sent = true;
	if (j->core->set.queue_ops->cancel(j->printer->queue, &x->op, j->rec.local_job, &err) < 0) {
		j->cancel_sent = x->sent_before;
		on_local(&x->op, &err);
	}
}

static void on_looked_at(struct local_op *op, const struct err *err)
{
	struct local_exchange *x = CONTAINER_OF(op, struct local_exchange, op);
	struct job *j = op->data;
	struct err other;

	if (!err && job_is_not_ours(j, &op->job)) {
		(void)err_set(&other, ERR_GONE, 0, "local job %d is another one now",
		              j->rec.local_job);
		err = &other;
	}
	if (err || j->dead)
		x->canceled(op, err);
	else
		cancel(j, x->place, x->canceled);
}

int job_cancel_local(struct job *j, struct local_op **place,
                     void (*canceled)(struct local_op *op, const struct err *err), struct err *err)
{
	job_begin_local(j, place, on_looked_at);
	CONTAINER_OF(*place, struct local_exchange, op)->canceled = canceled;
	if (j->core->set.queue_ops->get(j->printer->queue, *place, j->rec.local_job, err) < 0) {
		job_drop_local(place);
		return -1;
	}
	return 0;
}

/* ---- store ---- */

static void on_commit(struct store_op *op, const struct err *err)
{
	struct commit *x = CONTAINER_OF(op, struct commit, op);
	const struct store_ops *ops = ((struct job *)op->data)->core->set.store_ops;

	*x->place = NULL;
	x->done(op, err);
	ops->op_clear(op);
	free(x);
}

struct store_op *job_begin_store(struct job *j, struct store_op **place,
                                 void (*done)(struct store_op *op, const struct err *err))
{
	struct commit *x = xcalloc(1, sizeof(*x));

	x->op.data = j;
	x->op.done = on_commit;
	x->place = place;
	x->done = done;
	return *place = &x->op;
}
