/* orders.c - what an administrator orders: a job that is held is decided, one that waits is tried
 * now, a printer or the whole connector pauses.
 *
 * What can fail: the job is in another state (refused, with what helps); the commit of a pause (the
 * printer stays as it was). An order to a job is kept in it until its commit in flight is done; a
 * crash before its own commit leaves the job held or waiting as it was. */
#include "connector/core/core_private.h"

#include "common/str.h"
#include "connector/base/journal.h"

/* ---- jobs ---- */

/* The live job, when orders may be given to it. */
static struct job *find_for_order(struct core *c, int64_t id, struct err *err)
{
	struct job *j = core_find_job(c, id);

	if (!j)
		(void)err_set(err, ERR_GONE, 0,
		              "no open job %lld; print-connector jobs --all shows finished ones",
		              (long long)id);
	else if (!printer_is_mine(j->printer))
		(void)err_set(err, ERR_REJECTED, 0, "job %lld: %s", (long long)id,
		              WHY_NOT(j->printer));
	else if ((j->rec.state == JOB_REPORTING && !job_is_quarantined(j)) ||
	         j->rec.state == JOB_DONE)
		(void)err_set(err, ERR_REJECTED, 0,
		              "job %lld has ended: %s; what is final in the cloud stays so",
		              (long long)id, job_outcome_name(j->rec.outcome));
	else
		return j;
	return NULL;
}

int core_resolve(struct core *c, int64_t id, enum core_verdict verdict, struct err *err)
{
	static const enum job_order orders[] = {
		[CORE_PRINTED] = ORDER_PRINTED,
		[CORE_PRINT_AGAIN] = ORDER_AGAIN,
		[CORE_ABORT] = ORDER_ABORT,
	};
	struct job *j = find_for_order(c, id, err);

	if (!j)
		return -1;
	if (j->rec.state == JOB_REPORTING)
		return err_set(err, ERR_REJECTED, 0,
		               "job %lld has ended: %s; print-connector retry %lld tells the cloud",
		               (long long)id, job_outcome_name(j->rec.outcome), (long long)id);
	if (j->rec.state != JOB_HELD)
		return err_set(
			err, ERR_REJECTED, 0,
			"job %lld is not held, it is %s; print-connector cancel %lld ends it",
			(long long)id, job_state_name(j->rec.state), (long long)id);
	j->order = orders[verdict];
	job_run(j);
	return 0;
}

int core_retry(struct core *c, int64_t id, struct err *err)
{
	struct job *j = find_for_order(c, id, err);

	if (!j)
		return -1;
	if (j->rec.state == JOB_REPORTING) { /* the cloud is told again */
		j->rec.crashes = 0;
		job_run(j);
		return 0;
	}
	if (j->rec.state != JOB_HELD && j->rec.state != JOB_WAITING)
		return err_set(err, ERR_REJECTED, 0,
		               "job %lld is %s; only jobs that wait or are held are tried again",
		               (long long)id, job_state_name(j->rec.state));
	if (core_holds_back(c))
		return err_set(err, ERR_REJECTED, 0,
		               "the connector is drained; print-connector resume lets it go on");
	if (!printer_can_print(j->printer))
		return err_set(err, ERR_REJECTED, 0, "job %lld cannot be printed now: %s",
		               (long long)id, WHY_NOT(j->printer));
	j->order = ORDER_AGAIN;
	job_run(j);
	return 0;
}

/* ---- printers ---- */

static void on_paused(struct store_op *store, const struct err *err)
{
	struct core_pause *op = store->data;
	struct core *c = op->core;
	struct printer *p = core_find_printer(c, op->record.id, NULL, &(struct err){ 0 });

	c->pending--;
	core_store_result(c, err);
	if (p)
		p->changing = false;
	if (p && !err)
		printer_set_paused(p, op->record.paused);
	op->done(op, err);
	core_check_drained(c);
}

int core_pause(struct core *c, struct core_pause *op, const char *queue, const char *cloud,
               bool paused, struct err *err)
{
	struct printer *p = core_find_printer(c, queue, cloud, err);

	if (!p)
		return -1;
	if (!printer_is_mine(p))
		return err_set(err, ERR_REJECTED, 0, "%s: %s", queue, WHY_NOT(p));
	if (p->record.registering || core_is_registering(c, p->record.id))
		return err_set(err, ERR_REJECTED, 0, "%s is being registered; wait for that",
		               queue);
	if (p->leaving || p->changing)
		return err_set(err, ERR_TEMPORARY, 0, "%s is being changed already", queue);
	if (core_check_running(c, err) < 0)
		return -1;
	p->changing = true;
	c->pending++;
	op->core = c;
	op->record = p->record;
	op->record.paused = paused;
	op->store.data = op;
	op->store.done = on_paused;
	c->set.store_ops->printer_save(c->set.store, &op->store, &op->record);
	return 0;
}

/* ---- all of it ---- */

void core_rest(struct core *c, bool rest)
{
	if (c->resting == rest)
		return;
	c->resting = rest;
	log_event(LOG_LEVEL_INFO, NULL, "%s",
	          rest ? "drained by hand: nothing is taken from the clouds until "
	                 "print-connector resume"
	               : "jobs are taken from the clouds again");
	core_wake(c);
}
