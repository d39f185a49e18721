/* job_claim.c - state claiming: Fetch-Job, row and ticket committed, Acknowledge-Job.
 *
 * Happy path: FETCH, STORE, ACCEPT, then handing.
 *
 * What can fail:
 *   FETCH    nothing was promised: the job object goes, the cloud is asked for its offers again
 *   STORE    the same, and claiming stops until the store works again
 *   ACCEPT   another device has it: the row goes. No answer: asked again. not-fetchable: it may
 *            have ended; else PROVE, since only the device that holds a job may fetch its document
 *   an old acquaintance (the store remembers it): accepted again and told its remembered end */
#include "connector/core/core_private.h"

#include <stdio.h>
#include <string.h>

#include "common/config.h"
#include "common/str.h"
#include "connector/base/attrs.h"
#include "connector/base/journal.h"
#include "connector/base/stream.h"
#include "connector/core/sniff.h"

/* RFC 8011 appendix B and PWG 5100.18 */
#define IPP_NOT_FETCHABLE          0x0420
#define IPP_MULTIPLE_NOT_SUPPORTED 0x0509

#define PROBE_BYTES (16u * 1024)
#define PROBE_LIMIT (1ull << 40) /* of no concern: it is not read */

/* ---- accept ---- */

static void on_accepted(struct cloud_op *op, const struct err *err);
static void start_look(struct job *j);

static void start_accept(struct job *j)
{
	struct err err;

	j->step = STEP_ACCEPT;
	job_begin_cloud(j, &j->cloud, on_accepted);
	if (j->core->set.cloud_ops->accept(j->printer->channel, j->cloud, j->rec.cloud_job, &err) <
	    0) {
		job_drop_cloud(&j->cloud);
		job_retry(j, &err);
	}
}

/* Ours now: what follows is a promise. */
static void accepted(struct job *j)
{
	j->rec.acknowledged = true;
	j->rec.acked = job_wall_ms(j);
	job_event(j, "connector", "accepted from the cloud");
	/* one adopted while claiming may have come as far as Create-Job: it is looked for */
	job_move(j, JOB_HANDING);
}

static void on_accepted(struct cloud_op *op, const struct err *err)
{
	struct job *j = op->data;

	if (j->dead) {
		job_run(j);
		return;
	}
	if (j->reclaimed) {
		/* whatever it said: the cloud hears the remembered end, or the job is in hand */
		if (j->rec.state == JOB_DONE) {
			j->rec.state = JOB_REPORTING;
			j->step = STEP_IDLE;
			job_run(j);
		} else {
			job_free(j);
		}
		return;
	}
	if (!err) {
		accepted(j);
		return;
	}
	switch (err->kind) {
	case ERR_GONE:
	case ERR_REJECTED:
		/* our own Acknowledge-Job may have got through before its answer was lost, which
		 * the transport may have repeated by itself on a new connection */
		if (err->code == IPP_NOT_FETCHABLE) {
			start_look(j);
			return;
		}
		if (!job_is_unknown_there(j, err)) {
			job_retry(j, err); /* it may have been promised by an earlier try */
			return;
		}
		job_log(j, LOG_LEVEL_INFO, "left to the cloud: %s", err->text);
		job_drop(j);
		return;
	case ERR_NONE:
	case ERR_TEMPORARY:
	case ERR_DENIED:
	case ERR_CORRUPT:
	case ERR_CANCELED:
		job_retry(j, err);
		return;
	}
}

/* ---- prove ---- */

static void on_begun(struct cloud_op *op)
{
	struct job *j = op->data;

	j->proved = true;          /* only the device that holds the job is given its document */
	timer_start(&j->timer, 0); /* that is enough: the rest is not read */
}

static void on_proved(struct cloud_op *op, const struct err *err)
{
	struct job *j = op->data;

	stream_free(j->probe);
	j->probe = NULL;
	if (j->dead) {
		job_run(j);
		return;
	}
	if (j->proved || !err) {
		accepted(j);
	} else if (job_is_unknown_there(j, err)) {
		job_log(j, LOG_LEVEL_INFO, "taken by another device: %s", err->text);
		job_drop(j);
	} else {
		j->step = STEP_ACCEPT;
		job_retry(j, err);
	}
}

/* Begins to fetch the first document and reads none of it: its first message is the answer. */
static void start_prove(struct job *j)
{
	const struct core_settings *set = &j->core->set;
	struct err err;

	j->step = STEP_PROVE;
	job_begin_cloud(j, &j->cloud, on_proved);
	j->cloud->begun = on_begun;
	j->proved = false;
	j->probe = stream_new(PROBE_BYTES);
	if (set->cloud_ops->document(j->printer->channel, j->cloud, j->rec.cloud_job, 1, j->probe,
	                             PROBE_LIMIT, &err) < 0) {
		job_drop_cloud(&j->cloud);
		stream_free(j->probe);
		j->probe = NULL;
		job_retry(j, &err);
	}
}

/* One that has ended in the cloud meanwhile is nobody's any more, and its document not to be asked
 * for. */
static void on_looked(struct cloud_op *op, const struct err *err)
{
	struct job *j = op->data;

	if (j->dead) {
		job_run(j);
	} else if (!err && op->final) {
		job_log(j, LOG_LEVEL_INFO, "has ended in the cloud");
		job_drop(j);
	} else if (!err) {
		start_prove(j);
	} else if (job_is_unknown_there(j, err)) {
		job_log(j, LOG_LEVEL_INFO, "left to the cloud: %s", err->text);
		job_drop(j);
	} else {
		j->step = STEP_ACCEPT;
		job_retry(j, err);
	}
}

static void start_look(struct job *j)
{
	struct err err;

	j->step = STEP_PROVE;
	job_begin_cloud(j, &j->cloud, on_looked);
	j->proved = false;
	if (j->core->set.cloud_ops->check(j->printer->channel, j->cloud, j->rec.cloud_job, &err) <
	    0) {
		job_drop_cloud(&j->cloud);
		job_retry(j, &err);
	}
}

/* ---- store ---- */

/* The cloud offers what the store knows: a job in hand is only accepted again, a finished one is
 * accepted and told its end; nothing prints. */
static void meet_again(struct job *j, const struct job_record *known)
{
	int32_t offered = j->rec.cloud_job;

	j->reclaimed = true;
	j->printer->reclaimed++;
	attrs_unref(j->ticket);
	j->ticket = NULL;
	j->rec = *known;
	j->rec.cloud_job = offered; /* the number may be another one after a restart there */
	job_log(j, LOG_LEVEL_INFO, "offered again by the cloud; it is %s and does not print again",
	        job_state_name(j->rec.state));
	if (j->rec.state == JOB_DONE && j->rec.refused) {
		j->rec.state = JOB_REPORTING; /* it is refused again, and never accepted */
		job_run(j);
		return;
	}
	start_accept(j);
}

static void on_stored(struct store_op *op, const struct err *err)
{
	struct job *j = op->data;

	core_store_result(j->core, err);
	j->saving = false;
	if (j->dead) {
		job_run(j);
	} else if (err) {
		printer_look_again(j->printer, err);
		job_free(j);
	} else if (op->existed) {
		meet_again(j, &op->job);
	} else {
		j->rec.id = op->job.id;
		if (j->rec.refused) {
			printer_next(j->printer);
			job_log(j, LOG_LEVEL_WARNING, "refused: %s", j->rec.report_message);
		}
		job_run(j);
	}
}

/* What can be known to be unprintable before anything is promised. */
static int check_printable(struct job *j, struct err *err)
{
	const struct queue_status *status = j->core->set.queue_ops->status(j->printer->queue);
	const struct sniff_queue to = job_sniff_queue(j);
	const struct local_ticket ticket = {
		.ticket = j->ticket,
		.mappings = &j->core->set.config->mappings,
	};

	if (j->rec.documents > 1 && status->whole && !status->multiple_documents)
		return err_set(err, ERR_REJECTED, IPP_MULTIPLE_NOT_SUPPORTED,
		               "the printer takes one document per job and this job has %d; "
		               "submit them one by one",
		               j->rec.documents);
	if (sniff_check_declared(j->rec.format, &to, err) < 0)
		return -1;
	return j->core->set.queue_ops->check(j->printer->queue, &ticket, err);
}

static void start_store(struct job *j)
{
	struct err err;

	j->step = STEP_STORE;
	if (check_printable(j, &err) < 0) {
		j->rec.refused = true;
		j->rec.state = JOB_REPORTING; /* so that no restart takes it for one to accept */
		j->rec.outcome = OUTCOME_ABORTED;
		j->rec.finished = j->rec.received;
		j->rec.error_kind = err.kind;
		j->rec.error_code = err.code;
		(void)str_copy(j->rec.error_text, sizeof(j->rec.error_text), err.text);
		(void)str_copy(j->rec.report_message, sizeof(j->rec.report_message), err.text);
		(void)str_copy(j->rec.report_reasons, sizeof(j->rec.report_reasons),
		               "aborted-by-system");
		job_event(j, "connector", "refused: %s", err.text);
	} else {
		/* with the row's UUID it makes the local job-uuid, which so is durable from here on
		 */
		j->rec.attempt = 1;
		job_event(j, "cloud", "fetched as cloud job %d", j->rec.cloud_job);
	}
	j->saving = true;
	j->core->set.store_ops->job_add(
		j->core->set.store, job_begin_store(j, &j->store, on_stored), &j->rec, j->ticket);
}

/* ---- fetch ---- */

static void on_job_fetched(struct cloud_op *op, const struct err *err)
{
	struct job *j = op->data;
	const struct job_record *got = &op->job;

	if (j->dead) {
		job_run(j);
		return;
	}
	if (err) {
		job_log(j, LOG_LEVEL_DEBUG, "not fetched: %s", err->text);
		if (err->kind != ERR_GONE)
			printer_look_again(j->printer, err);
		job_free(j);
		return;
	}
	j->printer->look_tries = 0;
	j->ticket = attrs_ref(op->ticket);
	if (*got->cloud_uuid)
		(void)str_copy(j->rec.cloud_uuid, sizeof(j->rec.cloud_uuid), got->cloud_uuid);
	j->rec.cloud_created = got->cloud_created;
	j->rec.documents = got->documents < 1 ? 1 : got->documents;
	(void)str_copy(j->rec.job_name, sizeof(j->rec.job_name), got->job_name);
	(void)str_copy(j->rec.user_name, sizeof(j->rec.user_name), got->user_name);
	(void)str_copy(j->rec.user_uri, sizeof(j->rec.user_uri), got->user_uri);
	(void)str_copy(j->rec.format, sizeof(j->rec.format), got->format);
	start_store(j);
}

static void start_fetch(struct job *j)
{
	struct err err;

	j->step = STEP_FETCH;
	job_begin_cloud(j, &j->cloud, on_job_fetched);
	if (j->core->set.cloud_ops->fetch(j->printer->channel, j->cloud, j->rec.cloud_job, &err) <
	    0) {
		job_drop_cloud(&j->cloud);
		printer_look_again(j->printer, &err);
		job_free(j);
	}
}

void job_claiming_run(struct job *j)
{
	if (j->step == STEP_PROVE && j->cloud && j->proved)
		j->core->set.cloud_ops->op_cancel(j->cloud);
	if (j->cloud || !j->printer->channel)
		return;
	if (j->rec.id == 0)
		start_fetch(j);
	else
		start_accept(j);
}

/* ---- again ---- */

void job_accept_run(struct job *j)
{
	if (!j->cloud && j->step == STEP_ACCEPT)
		start_accept(j);
}

void job_accept_again(const struct job *known)
{
	const struct cloud_offer offer = { .job = known->rec.cloud_job };
	struct job *j = job_claim(known->printer, &offer);

	j->reclaimed = true;
	j->printer->reclaimed++;
	j->rec = known->rec;
	j->born = known->born;
	j->past_counts = known->past_counts;
	start_accept(j);
}

static void on_remembered(struct store_op *op, const struct err *err)
{
	struct job *j = op->data;

	core_store_result(j->core, err && err->kind != ERR_GONE ? err : NULL);
	j->saving = false;
	if (j->dead || (err && err->kind != ERR_GONE)) {
		job_free(j);
	} else if (!err && op->job.state != JOB_DONE) {
		job_free(j); /* opened meanwhile */
	} else if (!err) {
		j->rec = op->job;
		j->rec.state = JOB_REPORTING;
		job_run(j);
	} else {
		(void)str_copy(j->rec.report_message, sizeof(j->rec.report_message),
		               "this connector knows nothing of the job; print it again");
		job_log(j, LOG_LEVEL_WARNING, "%s", j->rec.report_message);
		j->rec.outcome = OUTCOME_ABORTED;
		j->rec.state = JOB_REPORTING;
		job_run(j);
	}
}

void job_remember(struct printer *p, int32_t cloud_job)
{
	const struct cloud_offer offer = { .job = cloud_job };
	struct job *j = job_claim(p, &offer);

	j->reclaimed = true;
	j->printer->reclaimed++;
	j->saving = true;
	p->core->set.store_ops->job_find(p->core->set.store,
	                                 job_begin_store(j, &j->store, on_remembered), p->record.id,
	                                 cloud_job);
}
