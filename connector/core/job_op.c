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
