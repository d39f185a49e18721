/* job_undo.c - handing: what a try has left at the queue is taken back, or found again after a
 * restart.
 *
 * Happy path: Cancel-Job, then Get-Job-Attributes, which says whether it started all the same; if
 * not, CUPS forgets it, so that nothing that is still on its way can bring it back; then policy
 * decides. After a restart Get-Jobs finds the local job by the job-uuid of the try: one that
 * was closed goes on, one that was not is taken back. One whose number was not committed has no
 * document yet: it matters little whether it is seen once it has ended.
 *
 * What can fail: the queue does not answer (asked again); it has printed (held); it has no such
 * job, or an IPP printer may have got some of a closed one (held, if it was closed). */
#include "connector/core/job_hand.h"

#define CLOSES_AFTER_S 900 /* MultipleOperationTimeout of CUPS, where nobody has changed it */

/* ---- taken back ---- */

/* Of a job taken back after a restart nobody knows who canceled it: perhaps we did. */
static bool was_canceled_there(const struct job *j, const struct local_job *local)
{
	return local->outcome == OUTCOME_CANCELED && !j->cancel_sent && j->undo_err.kind;
}

/* Nothing is left of it there: policy decides about what went wrong. */
static void undone(struct job *j)
{
	struct err why = j->undo_err;

	job_hand_settle(j, j->undo_place, why.kind ? &why : NULL);
}

static void on_purged(struct local_op *op, const struct err *err)
{
	struct job *j = op->data;

	if (j->dead)
		job_run(j);
	else if (err && err->kind != ERR_GONE && err->kind != ERR_REJECTED)
		job_retry(j, err);
	else
		undone(j);
}

static void purge(struct job *j)
{
	struct err err;

	job_begin_local(j, &j->local, on_purged);
	if (j->core->set.queue_ops->purge(j->printer->queue, j->local, j->rec.local_job, &err) <
	    0) {
		job_drop_local(&j->local);
		job_retry(j, &err);
	}
}

static void on_undone(struct local_op *op, const struct err *err)
{
	struct job *j = op->data;

	if (j->dead) {
		job_run(j);
	} else if (err && err->kind != ERR_GONE) {
		job_retry(j, err);
	} else if (!err && job_is_not_ours(j, &op->job)) {
		undone(j);
	} else if (!err && was_canceled_there(j, &op->job)) {
		job_hand_canceled(j);
	} else if (!err && op->job.processing_at != 0) {
		job_hand_unknown(j, &j->undo_err);
	} else if (!err && !job_is_whole(j)) {
		purge(j);
	} else {
		undone(j);
	}
}

static void on_undo_canceled(struct local_op *op, const struct err *err)
{
	const struct queue_ops *ops;
	struct job *j = op->data;
	struct err failed;

	if (j->dead) {
		job_run(j);
		return;
	}
	if (err && err->kind == ERR_GONE) {
		undone(j);
		return;
	}
	/* "not possible": it has ended already, which the next question shows */
	if (err && err->kind != ERR_REJECTED) {
		job_retry(j, err);
		return;
	}
	ops = j->core->set.queue_ops;
	job_begin_local(j, &j->local, on_undone);
	if (ops->get(j->printer->queue, j->local, j->rec.local_job, &failed) < 0) {
		job_drop_local(&j->local);
		job_retry(j, &failed);
	}
}

void job_undo_run(struct job *j)
{
	struct err err;

	if (!j->rec.local_job) {
		undone(j);
		return;
	}
	if (job_cancel_local(j, &j->local, on_undo_canceled, &err) < 0)
		job_retry(j, &err);
}

void job_undo(struct job *j, enum policy_place place, const struct err *err)
{
	if (j->undo_after_transfer) {
		j->undo_after_transfer = false; /* undo_err has the cause, err is its echo */
		place = POLICY_NOTHING_SENT;
	} else if (err) {
		j->undo_err = *err;
	} else {
		err_clear(&j->undo_err);
	}
	j->undo_place = place;
	job_hand_clear(j);
	if (j->local) {
		/* Create-Job is under way: what it makes is found by the run after it */
		j->core->set.queue_ops->op_cancel(j->local);
	}
	j->step = STEP_UNDO;
	job_run(j);
}

/* ---- found again ---- */

/* Whether CUPS may have closed it by itself, printed it and forgotten it: it keeps only so many
 * jobs, or none. */
static bool may_have_been_closed(const struct job *j)
{
	int32_t after_s = j->core->set.queue_ops->status(j->printer->queue)->closes_after_s;

	return j->rec.local_job &&
	       job_age_ms(j) >= (after_s > 0 ? after_s : CLOSES_AFTER_S) * INT64_C(1000);
}

static void on_found(struct local_op *op, const struct err *err)
{
	struct job *j = op->data;
	const struct local_job *found = NULL;

	if (j->dead) {
		job_run(j);
		return;
	}
	if (err && err->kind != ERR_GONE) {
		job_retry(j, err);
		return;
	}
	for (size_t i = 0; !err && i < op->found_count; i++)
		if (!found || op->found[i].id > found->id)
			found = &op->found[i];
	j->adopted = false;
	if (found)
		j->rec.local_job = found->id;
	if (!found && (j->rec.closed || may_have_been_closed(j))) {
		struct err lost;

		(void)err_set(&lost, ERR_GONE, 0, "local job %d is gone from the queue",
		              j->rec.local_job);
		job_hand_unknown(j, &lost);
	} else if (!found) {
		j->rec.local_job = 0;
		job_undo(j, POLICY_NOTHING_SENT, NULL);
	} else if (!j->rec.closed) {
		job_undo(j, POLICY_NOTHING_SENT, NULL);
	} else if (found->incoming) {
		j->step = STEP_FINISH;
		job_run(j);
	} else {
		job_move(j, JOB_PRINTING);
	}
}

void job_find_run(struct job *j)
{
	const struct queue_ops *ops = j->core->set.queue_ops;
	struct err err;

	j->step = STEP_FIND;
	if (job_is_whole(j)) {
		j->adopted = false;
		if (j->rec.closed) {
			(void)err_set(&err, ERR_TEMPORARY, 0,
			              "the connector stopped while the printer got it");
			job_hand_unknown(j, &err);
		} else {
			job_undo(j, POLICY_NOTHING_SENT, NULL);
		}
		return;
	}
	job_begin_local(j, &j->local, on_found);
	if (ops->find(j->printer->queue, j->local, j->local_uuid, j->rec.local_job, &err) < 0) {
		job_drop_local(&j->local);
		job_retry(j, &err);
	}
}
