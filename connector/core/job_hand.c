/* job_hand.c - state handing: one try to bring a job to its queue, never more than once at a time
 * and never again once the queue may have all of it.
 *
 * Happy path, CUPS: CREATE in the order of the jobs while the document begins to be fetched, its id
 * committed, SEND, "all of it is there" committed, FINISH in the order of the jobs; then printing.
 * Happy path, IPP printer: COLLECT every document, in the order of the jobs CREATE, its id and "may
 * have all of it" committed, SEND; then printing. One document alone: "may have all of it"
 * committed, SEND by Print-Job.
 *
 * What can fail, besides documents on their way (job_documents.c):
 *   before CREATE         nothing is at the queue: policy decides
 *   CREATE, no answer     an empty local job may be there and never prints: the next try has
 *                         another job-uuid, so it is not taken for it
 *   SEND to CUPS          UNDO (job_undo.c): the local job cannot print before FINISH; it is
 *                         canceled and read again; if it started all the same, nobody knows: held
 *   ended there before    by a cancel at the queue: that is its end
 *   FINISH, no answer     the queue is asked: still incoming: again; otherwise it has it
 *   we died in here       FIND the local job by the job-uuid of this try, then as above */
#include "connector/core/job_hand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/crypto.h"
#include "connector/core/retry.h"

static const struct retry busy_retry = { .base_ms = 10, .cap_ms = 5000 };

/* ---- who and what, for the queue ---- */

/* The job's owner at the queue, by [jobs] user-name. */
static void choose_owner(struct job *j)
{
	const struct config_user *user = &job_settings(j)->user_name;
	const char *name = *j->rec.user_name ? j->rec.user_name : "anonymous";

	if (user->how == CONFIG_USER_FIXED)
		name = user->fixed;
	free(j->owner);
	j->owner = xstrdup(name);
	if (user->how == CONFIG_USER_LOCAL_PART)
		j->owner[strcspn(j->owner, "@")] = '\0';
}

void job_identify_try(struct job *j)
{
	char number[16], uuid[UUID_TEXT];

	(void)snprintf(number, sizeof(number), "%d", j->rec.attempt);
	crypto_uuid_name(j->rec.uuid, number, uuid);
	(void)snprintf(j->local_uuid, sizeof(j->local_uuid), "urn:uuid:%s", uuid);
	choose_owner(j);
}

/* ---- turns ---- */

/* Jobs of one printer start in order: nothing earlier is still on its way to the queue. One that
 * is stuck in retries lets the others pass. */
static bool is_my_turn(const struct job *j)
{
	for (const struct job *o = j->printer->jobs; o && o != j; o = o->next)
		if ((o->rec.state == JOB_HANDING || o->rec.state == JOB_CLAIMING) &&
		    o->tries == 0 && !o->dead && !o->reclaimed)
			return false;
	return true;
}

/* CUPS prints what is closed in the order of its own numbers, so that these follow ours. */
static bool may_create(const struct job *j)
{
	for (const struct job *o = j->printer->jobs; o && o != j; o = o->next)
		if ((o->rec.state == JOB_HANDING || o->rec.state == JOB_CLAIMING) &&
		    o->rec.local_job == 0 && o->tries == 0 && !o->dead && !o->reclaimed)
			return false;
	return true;
}

/* One whose end comes by itself: not one that has yet to be closed, maybe after this one. */
static bool has_open_job_at_queue(const struct job *j)
{
	for (const struct job *o = j->printer->jobs; o; o = o->next)
		if (o != j && !o->reclaimed && !o->dead && o->rec.closed && job_is_open_at_queue(o))
			return true;
	return false;
}

/* ---- ends of a try ---- */

static void release_slot(struct job *j)
{
	if (!j->has_slot)
		return;
	j->has_slot = false;
	core_transfer_end(j->core);
}

void job_hand_clear(struct job *j)
{
	release_slot(j);
	job_documents_clear(j);
}

void job_hand_abort(struct job *j)
{
	if (j->transfer)
		transfer_cancel(j->transfer);
}

void job_hand_canceled(struct job *j)
{
	job_hand_clear(j);
	job_settle(j, POLICY_PRINTED, NULL, OUTCOME_CANCELED);
}

void job_hand_settle(struct job *j, enum policy_place place, const struct err *err)
{
	job_hand_clear(j);
	/* a queue that failed is looked at, so that nothing more is claimed for it meanwhile */
	if (place == POLICY_NOTHING_SENT && err)
		j->core->set.queue_ops->refresh(j->printer->queue);
	job_settle(j, place, err, OUTCOME_NONE);
}

void job_hand_unknown(struct job *j, const struct err *why)
{
	struct err err = *why;

	(void)err_wrap(&err, "unknown whether it printed");
	job_hand_settle(j, POLICY_UNKNOWN, &err);
}

/* ---- all documents are on one side ---- */

void job_hand_collected(struct job *j)
{
	release_slot(j);
	j->collected = true;
	job_run(j);
}

/* To an IPP printer the hand-over ends here, to CUPS it waits for its turn to be closed. */
void job_hand_sent(struct job *j)
{
	j->rec.handed = job_wall_ms(j);
	j->core->tally.bytes += (uint64_t)j->rec.bytes;
	job_event(j, "queue", "has all of it as job %d, %lld bytes", j->rec.local_job,
	          (long long)j->rec.bytes);
	if (job_is_whole(j)) {
		job_hand_clear(j);
		job_move(j, JOB_PRINTING);
		return;
	}
	release_slot(j);
	j->step = STEP_FINISH;
	job_run(j);
}

/* ---- create ---- */

/* Canceled before the queue could print it. */
static void undo_canceled(struct job *j)
{
	struct err err;

	(void)err_set(&err, ERR_CANCELED, 0, "canceled");
	job_undo(j, POLICY_NOTHING_SENT, &err);
}

static void after_create(struct job *j, const struct err *err)
{
	(void)err;
	if (j->step == STEP_UNDO) { /* the document failed meanwhile */
		job_run(j);
		return;
	}
	if (job_is_whole(j) && j->rec.cancel_requested) {
		undo_canceled(j);
		return;
	}
	j->step = STEP_SEND;
	if (job_is_whole(j)) {
		job_documents_start(j, TRANSFER_DELIVER);
	} else if (j->transfer) {
		transfer_go(j->transfer, j->rec.local_job);
	} else {
		job_run(j);
	}
}

/* Nothing is at the queue, but a document may be on its way here. */
static void not_created(struct job *j, const struct err *err)
{
	struct err why = *err;

	if (!j->transfer) {
		job_hand_settle(j, POLICY_NOTHING_SENT, &why);
		return;
	}
	j->undo_after_transfer = true;
	j->undo_err = why;
	transfer_cancel(j->transfer);
}

/* It takes one job at a time: when an own one is there its end wakes us, else we ask again. */
static void wait_for_printer(struct job *j)
{
	struct clock *clock = j->core->set.clock;

	j->step = STEP_CREATE;
	j->printer->one_at_a_time = has_open_job_at_queue(j);
	j->backing_off = !j->printer->one_at_a_time && !j->rec.cancel_requested;
	if (j->backing_off)
		timer_start(&j->timer,
		            retry_delay_ms(&busy_retry, ++j->busy_tries, 0, clock->random(clock)));
	if (j->rec.cancel_requested)
		job_run(j);
}

static void on_refused_busy_saved(struct job *j, const struct err *err)
{
	(void)err;
	wait_for_printer(j);
}

void job_hand_refused_busy(struct job *j)
{
	j->rec.closed = false; /* the printer's own word */
	job_save(j, on_refused_busy_saved);
}

static void on_created(struct local_op *op, const struct err *err)
{
	struct job *j = op->data;

	if (j->dead || j->step == STEP_UNDO) {
		if (!err)
			j->rec.local_job = op->job.id;
		job_run(j);
		return;
	}
	if (err && err->code == JOB_BUSY_CODE) {
		wait_for_printer(j);
		return;
	}
	if (err) {
		not_created(j, err);
		return;
	}
	j->busy_tries = 0;
	j->rec.local_job = op->job.id;
	printer_next(j->printer); /* the next one may be created */
	(void)str_copy(j->rec.local_job_uuid, sizeof(j->rec.local_job_uuid), op->job.own_uuid);
	(void)str_copy(j->rec.local_printer_uuid, sizeof(j->rec.local_printer_uuid),
	               j->core->set.queue_ops->status(j->printer->queue)->printer_uuid);
	(void)str_copy(j->rec.dropped, sizeof(j->rec.dropped), op->dropped);
	if (op->job.id)
		job_event(j, "queue", "created local job %d", op->job.id);
	/* an IPP printer may print what it gets from the first byte on */
	j->rec.closed = job_is_whole(j);
	job_save(j, after_create);
}

/* A whole document alone goes by Print-Job: nothing is at the printer before its first byte, and
 * one that is busy with others says so in its answer. */
static void start_print_job(struct job *j)
{
	j->step = STEP_CREATE;
	j->rec.local_job = 0;
	j->rec.closed = true;
	(void)str_copy(j->rec.local_printer_uuid, sizeof(j->rec.local_printer_uuid),
	               j->core->set.queue_ops->status(j->printer->queue)->printer_uuid);
	job_save(j, after_create);
}

static void start_create(struct job *j)
{
	struct local_ticket ticket = job_ticket(j);
	struct err err;

	if (job_is_whole(j) && j->rec.documents == 1) {
		start_print_job(j);
		return;
	}
	j->step = STEP_CREATE;
	job_begin_local(j, &j->local, on_created);
	if (j->core->set.queue_ops->create(j->printer->queue, j->local, &ticket, &err) < 0) {
		job_drop_local(&j->local);
		not_created(j, &err);
		return;
	}
	/* the first bytes may come meanwhile */
	if (!job_is_whole(j) && !j->transfer) {
		job_documents_start(j, TRANSFER_PASS);
	}
}

/* ---- finish ---- */

static void on_finish_asked(struct local_op *op, const struct err *err)
{
	struct job *j = op->data;
	struct err lost;

	if (j->dead) {
		job_run(j);
	} else if (err && err->kind == ERR_GONE) {
		job_hand_unknown(j, err);
	} else if (err) {
		job_retry(j, err);
	} else if (job_is_not_ours(j, &op->job)) {
		(void)err_set(&lost, ERR_GONE, 0, "local job %d is gone from the queue",
		              j->rec.local_job);
		job_hand_unknown(j, &lost);
	} else if (op->job.incoming) {
		j->ask_finish = false;
		job_run(j);
	} else {
		job_hand_clear(j);
		job_move(j, JOB_PRINTING);
	}
}

static void on_finished(struct local_op *op, const struct err *err)
{
	struct job *j = op->data;

	if (j->dead) {
		job_run(j);
		return;
	}
	if (err) {
		/* refused or lost on the way: the queue knows which */
		j->ask_finish = true;
		job_retry(j, err);
		return;
	}
	job_hand_clear(j);
	job_move(j, JOB_PRINTING);
}

static void start_finish(struct job *j)
{
	const struct queue_ops *ops = j->core->set.queue_ops;
	struct err err;
	int rc;

	job_begin_local(j, &j->local, j->ask_finish ? on_finish_asked : on_finished);
	rc = j->ask_finish ? ops->get(j->printer->queue, j->local, j->rec.local_job, &err)
	                   : ops->finish(j->printer->queue, j->local, j->rec.local_job, &err);
	if (rc < 0) {
		job_drop_local(&j->local);
		job_retry(j, &err);
	}
}

static void run_finish(struct job *j);

static void on_closed(struct job *j, const struct err *err)
{
	(void)err;
	if (j->rec.cancel_requested) {
		j->rec.closed = false;
		run_finish(j);
	} else {
		start_finish(j);
	}
}

static void run_finish(struct job *j)
{
	if (j->rec.closed) {
		start_finish(j);
		return;
	}
	if (j->rec.cancel_requested) {
		undo_canceled(j);
		return;
	}
	if (!is_my_turn(j))
		return;
	j->rec.closed = true;
	job_save(j, on_closed);
}

/* ---- the state ---- */

void job_hand_give_up(struct job *j)
{
	struct err err;

	if (j->saving || j->local)
		return;
	(void)err_set(&err, ERR_REJECTED, 0, "%s",
	              *j->rec.error_text ? j->rec.error_text : JOB_GAVE_UP);
	if (j->transfer && j->step == STEP_CREATE)
		transfer_cancel(j->transfer);
	else if (!j->transfer)
		job_hand_settle(j, j->rec.closed ? POLICY_UNKNOWN : POLICY_TOO_LATE, &err);
}

static void begin(struct job *j)
{
	struct err err;

	if (core_holds_back(j->core))
		return; /* the next start goes on from here, or the end of the pause */
	if (job_is_replaced(j, &err)) {
		job_hand_settle(j, POLICY_DOCUMENT, &err);
		return;
	}
	if (!printer_can_print(j->printer)) {
		(void)err_set(&err, ERR_TEMPORARY, 0, "%s", WHY_NOT(j->printer));
		job_hand_settle(j, POLICY_NOTHING_SENT, &err);
		return;
	}
	if (!job_is_whole(j) && !may_create(j))
		return; /* run again when the others are created */
	if (!core_transfer_begin(j->core))
		return; /* run again when one ends */
	j->has_slot = true;
	j->collected = false;
	j->ask_finish = j->cancel_sent = false;
	j->cancel_at = 0;
	j->rec.bytes = 0;
	if (!job_is_whole(j)) {
		start_create(j);
		return;
	}
	j->step = STEP_COLLECT;
	job_documents_start(j, TRANSFER_COLLECT);
}

void job_handing_run(struct job *j)
{
	if (j->step == STEP_IDLE)
		job_identify_try(j);
	/* Its end decides. What an IPP printer has begun to get is not cut, since a cut document
	 * is printed: it is canceled when the printer has it. */
	if (j->rec.cancel_requested && j->transfer && j->transfer->mode != TRANSFER_DELIVER)
		transfer_cancel(j->transfer);
	if (j->local || (j->transfer && j->step != STEP_CREATE) || !j->printer->channel)
		return;
	switch (j->step) {
	case STEP_IDLE:
		if (j->adopted &&
		    j->core->set.queue_ops->status(j->printer->queue)->health == QUEUE_UNKNOWN)
			return; /* run when the queue has been asked */
		if (j->adopted)
			job_find_run(j);
		else if (j->rec.cancel_requested)
			job_hand_settle(j, POLICY_NOTHING_SENT, NULL);
		else
			begin(j);
		return;
	case STEP_FIND:
		job_find_run(j);
		return;
	case STEP_COLLECT:
	case STEP_CREATE:
		if (j->rec.cancel_requested && !j->transfer)
			job_hand_settle(j, POLICY_NOTHING_SENT, NULL);
		else if (j->rec.cancel_requested ||
		         (j->printer->one_at_a_time && has_open_job_at_queue(j)))
			return; /* its end, or that of the other job, runs this one */
		else if (!job_is_whole(j) || (j->collected && is_my_turn(j)))
			start_create(j);
		return;
	case STEP_FINISH:
		run_finish(j);
		return;
	case STEP_UNDO:
		job_undo_run(j);
		return;
	case STEP_SEND:
	case STEP_FETCH:
	case STEP_STORE:
	case STEP_ACCEPT:
	case STEP_PROVE:
	case STEP_WATCH:
	case STEP_CHECK:
	case STEP_REPORT:
	case STEP_DROP:
		return;
	}
}
