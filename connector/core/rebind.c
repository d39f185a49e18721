/* rebind.c - a printer moves to another queue, or begins anew at the one it has.
 *
 * Happy path of a move: the new queue is read and lets us print; the record is committed; the old
 * queue is let go and the new one looked after, and the cloud is told what it can do. Key,
 * certificate and the printer in the cloud stay.
 *
 * What can fail: open jobs, which belong to the old queue (refused before and after reading); the
 * new queue (refused, with its remedy); the commit (all stays). */
#include "connector/core/core_private.h"

#include "common/str.h"
#include "connector/base/journal.h"

/* ---- rebind ---- */

static struct printer *subject(const struct core_rebind *op)
{
	return core_find_printer(op->core, op->record.id, NULL, &(struct err){ 0 });
}

static void end(struct core_rebind *op, const struct err *err)
{
	struct core *c = op->core;
	struct printer *p = subject(op);

	if (p)
		p->leaving = false;
	if (p && err)
		printer_next(p); /* what it did not claim meanwhile */
	c->rebind = NULL;
	c->pending--;
	c->set.queue_ops->op_clear(&op->local);
	op->done(op, err);
	core_check_drained(c);
}

static void on_saved(struct store_op *store, const struct err *err)
{
	struct core_rebind *op = store->data;
	struct printer *p = subject(op);
	const struct log_about about = { .queue = op->record.queue, .cloud = op->record.cloud };

	core_store_result(op->core, err);
	if (!err) {
		log_event(LOG_LEVEL_INFO, &about, "printer %s of cloud %s is queue %s now, was %s",
		          op->record.name, op->record.cloud, op->record.queue, p->record.queue);
		printer_move(p, &op->record);
	}
	end(op, err);
}

static int check_idle(const struct printer *p, struct err *err)
{
	if (p->jobs)
		return err_set(err, ERR_REJECTED, 0,
		               "%.80s has open jobs; wait for them or cancel them first",
		               p->record.queue);
	if (p->identifying)
		return err_set(err, ERR_TEMPORARY, 0, "%.80s is identifying itself; try again",
		               p->record.queue);
	return 0;
}

static void on_probed(struct local_op *local, const struct err *err)
{
	struct core_rebind *op = local->data;
	struct core *c = op->core;
	struct err why;

	op->asking = false;
	if (!err && c->stopping) {
		(void)err_set(&why, ERR_CANCELED, 0, "the connector is stopping");
		err = &why;
	} else if (!err && check_idle(subject(op), &why) < 0) {
		err = &why;
	}
	if (err) {
		why = *err; /* it may be of the operation that is cleared */
		end(op, &why);
		return;
	}
	(void)str_copy(op->warning, sizeof(op->warning), local->warning);
	(void)str_copy(op->record.pinned_key, sizeof(op->record.pinned_key), local->learned);
	op->store.data = op;
	op->store.done = on_saved;
	c->set.store_ops->printer_save(c->set.store, &op->store, &op->record);
}

static int check(struct core *c, const struct printer *p, const char *queue, struct err *err)
{
	const struct printer *other = core_find_printer(c, queue, p->record.cloud, err);

	if (!printer_is_mine(p))
		return err_set(err, ERR_REJECTED, 0, "%s", WHY_NOT(p));
	if (other == p)
		return err_set(err, ERR_REJECTED, 0, "it is queue %.80s already", queue);
	if (other)
		return err_set(err, ERR_REJECTED, 0,
		               "queue %.80s is registered with cloud %s already; unregister it "
		               "first",
		               queue, p->record.cloud);
	if (p->record.registering || core_is_registering(c, p->record.id))
		return err_set(err, ERR_REJECTED, 0,
		               "%.80s is being registered; wait for that, or cancel it",
		               p->record.queue);
	if (p->leaving || c->rebind)
		return err_set(err, ERR_TEMPORARY, 0, "a printer is being moved; try again");
	if (core_check_running(c, err) < 0)
		return -1;
	return check_idle(p, err);
}

int core_rebind(struct core *c, struct core_rebind *op, const char *printer, const char *cloud,
                const char *queue, struct err *err)
{
	struct printer *p = core_find_printer(c, printer, cloud, err);

	if (!p || check(c, p, queue, err) < 0)
		return -1;
	op->core = c;
	op->record = p->record;
	if (str_copy(op->record.queue, sizeof(op->record.queue), queue) < 0)
		return err_set(err, ERR_REJECTED, 0, "the queue's name is too long");
	op->local.data = op;
	op->local.done = on_probed;
	if (c->set.queue_ops->probe(c->queues, op->record.queue, &op->local, err) < 0)
		return -1;
	op->asking = true;
	p->leaving = true;
	c->rebind = op;
	c->pending++;
	return 0;
}

void rebind_abort(struct core *c)
{
	if (c->rebind && c->rebind->asking)
		c->set.queue_ops->op_cancel(&c->rebind->local);
}

/* ---- reset ---- */

int core_reset(struct core *c, const char *printer, const char *cloud, struct err *err)
{
	struct printer *p = core_find_printer(c, printer, cloud, err);

	if (!p)
		return -1;
	if (!printer_is_mine(p) || p->record.registering)
		return err_set(err, ERR_REJECTED, 0, "%s", WHY_NOT(p));
	if (p->leaving || c->draining)
		return err_set(err, ERR_TEMPORARY, 0, "%.80s is leaving; nothing to reset",
		               p->record.queue);
	p->look_tries = 0;
	for (struct job *j = p->jobs; j; j = j->next)
		if (j->rec.state == JOB_WAITING && !j->reclaimed)
			j->try_at = 0;
	c->set.queue_ops->refresh(p->queue);
	printer_reconnect(p);
	return 0;
}
