/* job_report.c - how a job stands, told to the cloud.
 *
 * An end: for each document Update-Document-Status and Acknowledge-Document, then
 * Update-Job-Status. What an IPP error answers about a document does not matter to the job (PAPPL
 * takes Acknowledge-Document only once); what the server does not know is not sent again.
 *
 * What can fail in it:
 * - no answer at all, at any step: temporary; core sends the whole report again.
 * - Update-Job-Status not-possible: looked up; when the job is over there, that is success.
 * - internal-error about an end (Universal Print, when it has one already): looked up as well; a
 *   server that cannot even say how the job is does not get the report again.
 * - "canceled" taken and ignored (PAPPL): looked up; when the job is not over, it is aborted. */
#include "connector/cloud/job_ops.h"

#include "common/str.h"
#include "connector/base/ipp_codec.h"
#include "connector/cloud/channel.h"
#include "connector/cloud/dialect.h"
#include "connector/cloud/service.h"

#define DOCUMENTS_MAX 1000

enum step { STEP_DOCUMENT, STEP_ACKNOWLEDGE, STEP_JOB, STEP_LOOK };
enum look { LOOK_NOT_POSSIBLE, LOOK_CANCELED, LOOK_INTERNAL }; /* why the job is looked up */

static void on_report(struct ipp_op *ipp, const struct err *err);

static bool is_final(enum cloud_job_state state)
{
	return state >= CLOUD_JOB_COMPLETED;
}

static ipp_jstate_t wire_state(const struct cloud_op *op)
{
	switch (op->report.state) {
	case CLOUD_JOB_PROCESSING:
		return IPP_JSTATE_PROCESSING;
	case CLOUD_JOB_STOPPED:
		return IPP_JSTATE_STOPPED;
	case CLOUD_JOB_COMPLETED:
		return IPP_JSTATE_COMPLETED;
	case CLOUD_JOB_ABORTED:
		return IPP_JSTATE_ABORTED;
	case CLOUD_JOB_CANCELED:
		return op->channel->canceled_is_ignored ? IPP_JSTATE_ABORTED : IPP_JSTATE_CANCELED;
	}
	return IPP_JSTATE_ABORTED;
}

/* On to the first step from here that the report needs and the server knows. */
static void skip_steps(struct cloud_op *op)
{
	const struct channel *ch = op->channel;
	bool documents = is_final(op->report.state) &&
	                 !(ch->no_document_status && ch->no_document_acknowledge);

	while (op->step < STEP_JOB) {
		if (!documents || op->number > op->report.documents) {
			op->step = STEP_JOB;
		} else if (op->step == STEP_DOCUMENT && ch->no_document_status) {
			op->step = STEP_ACKNOWLEDGE;
		} else if (op->step == STEP_ACKNOWLEDGE && ch->no_document_acknowledge) {
			op->step = STEP_DOCUMENT;
			op->number++;
		} else {
			break;
		}
	}
}

static ipp_t *step_request(const struct cloud_op *op)
{
	const struct target *t = &op->channel->target;
	int32_t job = op->report.job;

	switch ((enum step)op->step) {
	case STEP_DOCUMENT:
		return request_document_report(t, job, op->number,
		                               op->report.printed ? IPP_JSTATE_COMPLETED
		                                                  : wire_state(op));
	case STEP_ACKNOWLEDGE:
		return request_document(t, IPP_OP_ACKNOWLEDGE_DOCUMENT, job, op->number);
	case STEP_JOB:
		return request_report(t, op->channel->cloud->dialect, &op->report, wire_state(op));
	case STEP_LOOK:
		break;
	}
	return request_check(t, job);
}

static void go_on(struct cloud_op *op)
{
	skip_steps(op);
	job_ops_next(op, step_request(op), on_report);
}

static void look(struct cloud_op *op, enum look why)
{
	op->status = (int)why;
	op->step = STEP_LOOK;
	go_on(op);
}

/* An IPP error about a document is nothing; no answer at all ends the try. */
static void document_told(struct cloud_op *op, const struct err *err)
{
	bool unknown = job_ops_is_status(op, IPP_STATUS_ERROR_OPERATION_NOT_SUPPORTED);
	struct channel *ch = op->channel;

	if (err && !op->talk.ipp.response) {
		job_ops_end_failed(op, err);
	} else if (op->step == STEP_DOCUMENT) {
		ch->no_document_status = ch->no_document_status || unknown;
		op->step = STEP_ACKNOWLEDGE;
		go_on(op);
	} else {
		ch->no_document_acknowledge = ch->no_document_acknowledge || unknown;
		op->step = STEP_DOCUMENT;
		op->number++;
		go_on(op);
	}
}

static void job_told(struct cloud_op *op, const struct err *err)
{
	const struct channel *ch = op->channel;

	if (err && job_ops_is_status(op, IPP_STATUS_ERROR_NOT_POSSIBLE))
		look(op, LOOK_NOT_POSSIBLE);
	else if (err && job_ops_is_status(op, IPP_STATUS_ERROR_INTERNAL) &&
	         is_final(op->report.state) && ch->cloud->dialect->internal_is_final)
		look(op, LOOK_INTERNAL);
	else if (err)
		job_ops_end_failed(op, err);
	else if (op->report.state == CLOUD_JOB_CANCELED && !ch->canceled_is_taken &&
	         !ch->canceled_is_ignored && ch->cloud->dialect->canceled_is_checked)
		look(op, LOOK_CANCELED);
	else
		job_ops_end(op, NULL);
}

/* The job could not be looked up after it had been told canceled: that was the answer. Nor after an
 * internal error about its end: it has one. */
static void look_failed(struct cloud_op *op, const struct err *err)
{
	bool busy = err->kind == ERR_TEMPORARY || err->kind == ERR_DENIED;

	if (op->talk.ipp.response &&
	    (op->status == LOOK_CANCELED || (op->status == LOOK_INTERNAL && !busy)))
		job_ops_end(op, NULL);
	else
		job_ops_end_failed(op, err);
}

static void looked(struct cloud_op *op)
{
	struct err err;

	job_ops_read_state(op, op->talk.ipp.response);
	if (op->status == LOOK_CANCELED) {
		op->channel->canceled_is_taken = op->final;
		op->channel->canceled_is_ignored = !op->final;
		op->step = STEP_JOB;
		if (!op->final)
			go_on(op);
		else
			job_ops_end(op, NULL);
	} else if (op->final) {
		job_ops_end(op, NULL);
	} else if (op->status == LOOK_INTERNAL) {
		(void)err_set(&err, ERR_TEMPORARY, IPP_STATUS_ERROR_INTERNAL,
		              "the cloud has a problem of its own with the report about job %d",
		              op->report.job);
		job_ops_end(op, &err);
	} else {
		(void)err_set(&err, ERR_REJECTED, IPP_STATUS_ERROR_NOT_POSSIBLE,
		              "the cloud takes no report about job %d: it is not ours any more",
		              op->report.job);
		job_ops_end(op, &err);
	}
}

static void on_report(struct ipp_op *ipp, const struct err *err)
{
	struct cloud_op *op = ipp->data;

	switch ((enum step)op->step) {
	case STEP_DOCUMENT:
	case STEP_ACKNOWLEDGE:
		document_told(op, err);
		break;
	case STEP_JOB:
		job_told(op, err);
		break;
	case STEP_LOOK:
		if (err)
			look_failed(op, err);
		else
			looked(op);
		break;
	}
}

int job_ops_report(struct channel *ch, struct cloud_op *op, const struct cloud_report *report,
                   struct err *err)
{
	op->channel = ch;
	(void)str_copy(op->reasons, sizeof(op->reasons), report->reasons ? report->reasons : "");
	str_clean(report->message ? report->message : "", op->message, sizeof(op->message));
	op->report = *report;
	op->report.reasons = op->reasons;
	op->report.message = op->message;
	if (op->report.documents > DOCUMENTS_MAX)
		op->report.documents = DOCUMENTS_MAX;
	op->step = STEP_DOCUMENT;
	op->number = 1;
	skip_steps(op);
	return job_ops_ask(op, step_request(op), on_report, err);
}
