/* job_ops.c - one job: fetch, accept, refuse, check; its report is in job_report.c. */
#include "connector/cloud/job_ops.h"

#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/crypto_vault.h"
#include "connector/base/ipp_codec.h"
#include "connector/cloud/channel.h"
#include "connector/cloud/dialect.h"
#include "connector/cloud/job_secret.h"
#include "connector/cloud/offers.h"
#include "connector/cloud/service.h"

#define CONTROL_MS    30000
#define DOCUMENTS_MAX 1000

/* ---- exchanges ---- */

int job_ops_ask(struct cloud_op *op, ipp_t *request,
                void (*done)(struct ipp_op *ipp, const struct err *err), struct err *err)
{
	struct channel *ch = op->channel;

	op->stopping = false;
	channel_prepare(ch, &op->talk, request, HOST_PRINT);
	op->talk.ipp.timeout_ms = CONTROL_MS;
	op->talk.ipp.done = done;
	op->talk.ipp.data = op;
	if (talk_start(&op->talk, err) == 0)
		return 0;
	talk_clear(&op->talk);
	return -1;
}

void job_ops_end(struct cloud_op *op, const struct err *err)
{
	struct err copy;

	if (err)
		copy = *err;
	talk_clear(&op->talk);
	op->done(op, err ? &copy : NULL);
}

void job_ops_next(struct cloud_op *op, ipp_t *request,
                  void (*done)(struct ipp_op *ipp, const struct err *err))
{
	struct err err;

	talk_clear(&op->talk);
	if (op->stopping) {
		ippDelete(request);
		(void)err_set(&err, ERR_CANCELED, 0, "canceled");
	} else if (job_ops_ask(op, request, done, &err) == 0) {
		return;
	}
	job_ops_end(op, &err);
}

void job_ops_err(struct cloud_op *op, const struct err *err, struct err *ret)
{
	bool answered = op->talk.ipp.response;

	*ret = *err;
	/* HTTP alone: what stands between, such as a portal that redirects, knows no jobs */
	if (!answered && (err->kind == ERR_GONE ||
	                  (err->kind == ERR_REJECTED && err->code >= 300 && err->code <= 499)))
		ret->kind = ERR_TEMPORARY;
	if (err->kind == ERR_GONE || err->kind == ERR_DENIED)
		channel_doubt(op->channel);
}

void job_ops_end_failed(struct cloud_op *op, const struct err *err)
{
	struct err told;

	job_ops_err(op, err, &told);
	job_ops_end(op, &told);
}

bool job_ops_is_status(const struct cloud_op *op, ipp_status_t status)
{
	return op->talk.ipp.response && op->talk.ipp.ipp_status == status;
}

static void end_taken(struct cloud_op *op, const struct err *err)
{
	struct err told = *err;

	told.kind = ERR_GONE;
	job_ops_end(op, &told);
}

/* ---- Fetch-Job ---- */

static void copy_text(ipp_t *answer, const char *name, char *ret, size_t size)
{
	str_clean(ipp_get_text(answer, IPP_TAG_JOB, name, ""), ret, size);
}

/* The PIN for which the job is to wait. */
static void add_secret(ipp_t *ticket, ipp_t *answer, const struct vault *vault)
{
	const char *encryption =
		ipp_get_text(answer, IPP_TAG_ZERO, "job-password-encryption", NULL);
	struct sealed *pin = job_secret_take(vault, answer, "job-password");

	if (!pin)
		return;
	ippAddOctetString(ticket, IPP_TAG_JOB, ATTRS_JOB_PASSWORD, pin->bytes, (int)pin->len);
	if (encryption)
		ippAddString(ticket, IPP_TAG_JOB, IPP_TAG_KEYWORD, "job-password-encryption", NULL,
		             encryption);
	free(pin);
}

static ipp_t *ticket_of(ipp_t *answer, const struct vault *vault)
{
	ipp_t *ticket = ippNew();

	for (ipp_attribute_t *a = ippFirstAttribute(answer); a; a = ippNextAttribute(answer))
		if (ippGetName(a) && ippGetGroupTag(a) == IPP_TAG_JOB &&
		    !job_secret_is(ippGetName(a)))
			(void)ippCopyAttribute(ticket, a, 0);
	add_secret(ticket, answer, vault);
	return ticket;
}

static void read_job(struct cloud_op *op, ipp_t *answer)
{
	struct job_record *j = &op->job;
	time_t created = ipp_get_time(answer, IPP_TAG_JOB, "date-time-at-creation", 0);

	j->cloud_job = op->number;
	copy_text(answer, "job-uuid", j->cloud_uuid, sizeof(j->cloud_uuid));
	j->cloud_created = created > 0 ? created : 0;
	j->documents = ipp_get_int(answer, IPP_TAG_JOB, "number-of-documents", 0);
	copy_text(answer, "job-name", j->job_name, sizeof(j->job_name));
	copy_text(answer, "job-originating-user-name", j->user_name, sizeof(j->user_name));
	copy_text(answer, "job-originating-user-uri", j->user_uri, sizeof(j->user_uri));
	copy_text(answer, "document-format", j->format, sizeof(j->format));
	if (!j->format[0])
		copy_text(answer, "document-format-supplied", j->format, sizeof(j->format));
	op->priority = ipp_get_int(answer, IPP_TAG_JOB, "job-priority", 50);
	if (op->priority < 1 || op->priority > 100)
		op->priority = 50;
	attrs_unref(op->ticket);
	op->ticket = attrs_new(ticket_of(answer, op->channel->cloud->vault));
}

static int count_documents(ipp_t *answer)
{
	int n = 0;

	for (ipp_attribute_t *a = ippFirstAttribute(answer); a; a = ippNextAttribute(answer))
		if (ippGetName(a) && ippGetGroupTag(a) == IPP_TAG_DOCUMENT &&
		    strcmp(ippGetName(a), "document-number") == 0)
			n++;
	return n;
}

static void end_fetched(struct cloud_op *op)
{
	struct err err;

	if (op->job.documents <= DOCUMENTS_MAX) {
		job_ops_end(op, NULL);
		return;
	}
	(void)err_set(&err, ERR_REJECTED, 0, "the job has %d documents, %d at most can be printed",
	              op->job.documents, DOCUMENTS_MAX);
	job_ops_end(op, &err);
}

static void on_documents(struct ipp_op *ipp, const struct err *err)
{
	struct cloud_op *op = ipp->data;

	if (err && !ipp->response) {
		job_ops_end_failed(op, err);
		return;
	}
	if (!err)
		op->job.documents = count_documents(ipp->response);
	if (op->job.documents < 1)
		op->job.documents = 1;
	end_fetched(op);
}

static void on_fetch(struct ipp_op *ipp, const struct err *err)
{
	struct cloud_op *op = ipp->data;
	ipp_t *request;

	if (err) {
		if (job_ops_is_status(op, IPP_STATUS_ERROR_NOT_FETCHABLE) ||
		    job_ops_is_status(op, IPP_STATUS_ERROR_NOT_POSSIBLE))
			end_taken(op, err);
		else
			job_ops_end_failed(op, err);
		return;
	}
	read_job(op, ipp->response);
	if (op->channel->cloud->dialect->one_document)
		op->job.documents = 1;
	if (op->job.documents > 0) {
		end_fetched(op);
		return;
	}
	request = request_job(&op->channel->target, IPP_OP_GET_DOCUMENTS, op->number);
	ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_KEYWORD, "requested-attributes", NULL,
	             "document-number");
	job_ops_next(op, request, on_documents);
}

int job_ops_fetch(struct channel *ch, struct cloud_op *op, int32_t job, struct err *err)
{
	op->channel = ch;
	op->number = job;
	return job_ops_ask(op, request_job(&ch->target, IPP_OP_FETCH_JOB, job), on_fetch, err);
}

/* ---- Acknowledge-Job ---- */

/* Another device has it; ippserver says so by not-authorized. */
static bool is_taken(const struct cloud_op *op)
{
	return job_ops_is_status(op, IPP_STATUS_ERROR_NOT_FETCHABLE) ||
	       job_ops_is_status(op, IPP_STATUS_ERROR_NOT_POSSIBLE) ||
	       job_ops_is_status(op, IPP_STATUS_ERROR_NOT_AUTHORIZED);
}

static void on_accept(struct ipp_op *ipp, const struct err *err)
{
	struct cloud_op *op = ipp->data;

	if (!err)
		job_ops_end(op, NULL);
	else if (is_taken(op))
		end_taken(op, err);
	else
		job_ops_end_failed(op, err);
}

int job_ops_accept(struct channel *ch, struct cloud_op *op, int32_t job, struct err *err)
{
	op->channel = ch;
	op->number = job;
	return job_ops_ask(op, request_job(&ch->target, IPP_OP_ACKNOWLEDGE_JOB, job), on_accept,
	                   err);
}

/* ---- refusal ---- */

static const char *refusal_reasons(int ipp_status)
{
	switch (ipp_status) {
	case IPP_STATUS_ERROR_DOCUMENT_FORMAT_NOT_SUPPORTED:
		return "aborted-by-system,unsupported-document-format";
	case IPP_STATUS_ERROR_DOCUMENT_FORMAT_ERROR:
		return "aborted-by-system,document-format-error";
	case IPP_STATUS_ERROR_COMPRESSION_NOT_SUPPORTED:
	case IPP_STATUS_ERROR_COMPRESSION_ERROR:
		return "aborted-by-system,unsupported-compression";
	case IPP_STATUS_ERROR_ATTRIBUTES_OR_VALUES:
		return "aborted-by-system,unsupported-attributes-or-values";
	}
	return "aborted-by-system";
}

static void on_ended(struct ipp_op *ipp, const struct err *err)
{
	struct cloud_op *op = ipp->data;

	/* a server that ended the job by the refusal itself says that it is too late */
	if (!err || job_ops_is_status(op, IPP_STATUS_ERROR_NOT_POSSIBLE) ||
	    job_ops_is_status(op, IPP_STATUS_ERROR_NOT_FOUND))
		job_ops_end(op, NULL);
	else
		job_ops_end_failed(op, err);
}

static void on_refuse(struct ipp_op *ipp, const struct err *err)
{
	struct cloud_op *op = ipp->data;

	if (err && is_taken(op))
		end_taken(op, err);
	else if (err)
		job_ops_end_failed(op, err);
	else if (!op->channel->cloud->dialect->refusal_ends_job)
		job_ops_end(op, NULL);
	else
		job_ops_next(op,
		             request_report(&op->channel->target, op->channel->cloud->dialect,
		                            &op->report, IPP_JSTATE_ABORTED),
		             on_ended);
}

int job_ops_refuse(struct channel *ch, struct cloud_op *op, int32_t job, int ipp_status,
                   const char *message, struct err *err)
{
	op->channel = ch;
	str_clean(message ? message : "", op->message, sizeof(op->message));
	op->report = (struct cloud_report){
		.job = job,
		.state = CLOUD_JOB_ABORTED,
		.reasons = refusal_reasons(ipp_status),
		.message = op->message,
		.impressions = -1,
		.sheets = -1,
	};
	return job_ops_ask(op, request_refuse(&ch->target, job, ipp_status, op->message), on_refuse,
	                   err);
}

/* ---- check ---- */

void job_ops_read_state(struct cloud_op *op, ipp_t *answer)
{
	int state = ipp_get_int(answer, IPP_TAG_JOB, "job-state", 0);

	op->final = state >= IPP_JSTATE_CANCELED;
	op->canceled = state == IPP_JSTATE_CANCELED ||
	               (!op->final && (ipp_has_keyword(answer, IPP_TAG_JOB, "job-state-reasons",
	                                               "job-canceled-by-user") ||
	                               ipp_has_keyword(answer, IPP_TAG_JOB, "job-state-reasons",
	                                               "job-canceled-by-operator")));
}

static void on_check(struct ipp_op *ipp, const struct err *err)
{
	struct cloud_op *op = ipp->data;

	if (err) {
		job_ops_end_failed(op, err);
		return;
	}
	job_ops_read_state(op, ipp->response);
	copy_text(ipp->response, "job-uuid", op->job.cloud_uuid, sizeof(op->job.cloud_uuid));
	job_ops_end(op, NULL);
}

int job_ops_check(struct channel *ch, struct cloud_op *op, int32_t job, struct err *err)
{
	op->channel = ch;
	return job_ops_ask(op, request_check(&ch->target, job), on_check, err);
}
