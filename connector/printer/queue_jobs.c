/* Operations on jobs of a queue: one exchange each (find: two where one list cannot show all).
 *
 * Hand-over to CUPS: create, send (last-document=false, streamed), finish (an empty Send-Document
 * that lets CUPS print). To an IPP printer: create, send with last-document=true, always with a
 * length; a printer without Create-Job: Validate-Job, then Print-Job.
 *
 * What can fail: CUPS answers a full spool like a document that is too large:
 * temporary, with the remedy. A policy that denies the user: denied, naming queue and user. */
#include "connector/printer/queue_impl.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"
#include "connector/base/stream.h"
#include "connector/printer/outcome.h"
#include "connector/printer/ticket.h"
#include "connector/printer/ticket_secret.h"

enum step {
	STEP_CREATE,
	STEP_VALIDATE,
	STEP_SEND,
	STEP_JOB,
	STEP_GET,
	STEP_FIND_ALL,
	STEP_FIND_OPEN,
	STEP_FIND_ENDED,
};

/* ---- errors --------------------------------------------------------------------------------- */

static bool is_full_spool(int code)
{
	return code == 413 || code == IPP_STATUS_ERROR_REQUEST_ENTITY ||
	       code == IPP_STATUS_ERROR_REQUEST_VALUE;
}

bool queue_code_is_full(int code)
{
	return is_full_spool(code) || code == IPP_STATUS_ERROR_NOT_POSSIBLE;
}

static void explain(const struct local_op *op, struct err *err)
{
	const struct queue *q = op->queue;
	const char *user = op->user_name != NULL ? op->user_name : QUEUE_USER;
	struct err cause = *err;

	if (q->cups && is_full_spool(err->code)) {
		(void)err_set(err, ERR_TEMPORARY, cause.code,
		              "queue %.60s: the spool of CUPS is full: make room below "
		              "/var/spool/cups",
		              q->name);
	} else if (q->cups && op->step == STEP_CREATE &&
	           cause.code == IPP_STATUS_ERROR_NOT_POSSIBLE) {
		/* its limits of jobs and quotas, which pass */
		(void)err_set(err, ERR_TEMPORARY, cause.code,
		              "queue %.60s takes no more jobs for now: %.100s", q->name,
		              cause.text);
	} else if (cause.code == IPP_STATUS_ERROR_DOCUMENT_FORMAT_NOT_SUPPORTED) {
		(void)err_set(err, ERR_REJECTED, cause.code,
		              "queue %.80s does not take this document format", q->name);
	} else if (http_is_untrusted(&cause)) {
		/* until an administrator has seen to it; a job is not to blame */
		(void)err_set(err, ERR_TEMPORARY, cause.code, "%.100s", cause.text);
	} else if (cause.kind == ERR_DENIED && op->ipp.response != NULL &&
	           (op->step == STEP_CREATE || op->step == STEP_VALIDATE)) {
		(void)err_set(err, ERR_DENIED, cause.code,
		              "queue %.60s does not let user %.60s print: see its policy and users",
		              q->name, user);
	} else if (cause.kind == ERR_DENIED &&
	           (cause.code == 401 || cause.code == 403 || cause.code == 407)) {
		(void)err_set(err, ERR_DENIED, cause.code,
		              "queue %.60s does not let user %.60s do this: see its policy in "
		              "cupsd.conf",
		              q->name, user);
	} else {
		(void)err_wrap(err, "queue %.100s", q->name);
	}
}

/* ---- the end of an operation ---------------------------------------------------------------- */

static void end(struct local_op *op, const struct err *err)
{
	struct err explained;

	if (err == NULL) {
		op->done(op, NULL);
		return;
	}
	explained = *err;
	if (err->kind != ERR_CANCELED)
		explain(op, &explained);
	op->done(op, &explained);
}

static void read_job(struct local_op *op)
{
	struct local_job job;

	if (op->ipp.response != NULL && outcome_read(op->ipp.response, op->queue->cups, &job))
		op->job = job;
}

static void on_job(struct ipp_op *ipp, const struct err *err)
{
	struct local_op *op = ipp->data;
	struct err bad;

	if (err == NULL)
		read_job(op);
	if (err == NULL && op->step == STEP_CREATE && op->job.id < 1) {
		(void)err_set(&bad, ERR_TEMPORARY, 0, "no job-id in the answer to Create-Job");
		err = &bad;
	}
	end(op, err);
}

static void on_sent(struct ipp_op *ipp, const struct err *err)
{
	struct local_op *op = ipp->data;

	if (err == NULL)
		read_job(op);
	else if (ipp->body != NULL && stream_state(ipp->body) != STREAM_FAILED)
		stream_fail(ipp->body, err);
	end(op, err);
}

static int begin(struct queue *q, struct local_op *op, int step, ipp_t *request, struct err *err)
{
	op->queue = q;
	op->step = step;
	op->job = (struct local_job){ .impressions = -1, .sheets = -1 };
	ipp_op_clear(&op->ipp);
	return queue_start(q, &op->ipp, request, step == STEP_SEND ? on_sent : on_job, op, err);
}

/* ---- hand-over ------------------------------------------------------------------------------ */

static void keep_loss(void *data, const struct ticket_note *note)
{
	struct local_op *op = data;

	ticket_line_add(op->dropped, sizeof(op->dropped), note);
}

static int add_template(struct queue *q, struct local_op *op, const struct local_ticket *ticket,
                        ipp_t *request, struct err *err)
{
	struct mapping mapping;
	const struct ticket_source from = {
		.ticket = ticket->ticket != NULL ? attrs_ipp(ticket->ticket) : NULL,
		.capabilities = q->capabilities != NULL ? attrs_ipp(q->capabilities) : NULL,
		.rules = &mapping,
		.grey = &q->grey,
		.cups = q->cups,
	};

	if (q->cups && ticket->job_uuid != NULL && ticket->job_uuid[0] != '\0')
		ippAddString(request, IPP_TAG_JOB, IPP_TAG_URI, "job-uuid", NULL, ticket->job_uuid);
	if (ticket->cancel_after_s > 0 && q->traits.cancel_after)
		ippAddInteger(request, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-cancel-after",
		              ticket->cancel_after_s);
	mapping.n = 0;
	if (ticket->mappings != NULL)
		mapping_of(ticket->mappings, q->name, &mapping);
	return ticket_apply(request, &from, keep_loss, op, err);
}

static int add_secrets(struct queue *q, const struct local_op *op,
                       const struct local_ticket *ticket, ipp_op_t code, ipp_t *request,
                       struct err *err)
{
	const struct vault *vault = q->qs->vault;

	if (ticket_secret_add_pin(
		    request, ticket->ticket != NULL ? attrs_ipp(ticket->ticket) : NULL,
		    q->capabilities != NULL ? attrs_ipp(q->capabilities) : NULL, vault, err) < 0)
		return -1;
	if (code != IPP_OP_PRINT_JOB || op->document_password == NULL)
		return 0;
	return ticket_secret_add_document_password(request, op->document_password, vault, err);
}

static ipp_t *ticket_request(struct queue *q, struct local_op *op, ipp_op_t code,
                             const struct local_ticket *ticket, const char *format, struct err *err)
{
	ipp_t *request = queue_request(q, code, ticket->user_name);

	op->dropped[0] = '\0';
	queue_add_name(request, "job-name", ticket->job_name);
	if (format != NULL)
		ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_MIMETYPE, "document-format", NULL,
		             format);
	if (add_secrets(q, op, ticket, code, request, err) == 0 &&
	    add_template(q, op, ticket, request, err) == 0)
		return request;
	ipp_wipe_secrets(request);
	ippDelete(request);
	return NULL;
}

int queue_check(struct queue *q, const struct local_ticket *ticket, struct err *err)
{
	struct local_op op = { .user_name = ticket->user_name };
	ipp_t *request = ticket_request(q, &op, IPP_OP_VALIDATE_JOB, ticket, NULL, err);

	if (request == NULL)
		return -1;
	ipp_wipe_secrets(request);
	ippDelete(request);
	return 0;
}

bool queue_takes_document_password(const struct queue *q)
{
	return q->capabilities != NULL &&
	       ticket_secret_takes_document_password(attrs_ipp(q->capabilities));
}

int queue_create(struct queue *q, struct local_op *op, const struct local_ticket *ticket,
                 struct err *err)
{
	bool create = q->cups || q->traits.create_job;
	ipp_t *request = ticket_request(q, op, create ? IPP_OP_CREATE_JOB : IPP_OP_VALIDATE_JOB,
	                                ticket, NULL, err);

	if (request == NULL)
		return err_wrap(err, "queue %.60s", q->name);
	return begin(q, op, create ? STEP_CREATE : STEP_VALIDATE, request, err);
}

int queue_send(struct queue *q, struct local_op *op, const struct local_ticket *ticket, int32_t job,
               struct stream *document, int64_t length, const char *format, bool last,
               struct err *err)
{
	ipp_t *request;

	if (!q->cups && length < 0)
		return err_set(err, ERR_REJECTED, 0,
		               "printer %.100s must be told the length of a document", q->name);
	if (job > 0) {
		request = queue_job_request(q, IPP_OP_SEND_DOCUMENT, job, op->user_name);
		ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_MIMETYPE, "document-format", NULL,
		             format);
		ippAddBoolean(request, IPP_TAG_OPERATION, "last-document", !q->cups && last);
		if (op->document_password != NULL &&
		    ticket_secret_add_document_password(request, op->document_password,
		                                        q->qs->vault, err) < 0) {
			ippDelete(request);
			return -1;
		}
	} else {
		request = ticket_request(q, op, IPP_OP_PRINT_JOB, ticket, format, err);
		if (request == NULL)
			return err_wrap(err, "queue %.60s", q->name);
	}
	op->queue = q;
	op->step = STEP_SEND;
	op->job = (struct local_job){ .impressions = -1, .sheets = -1 };
	ipp_op_clear(&op->ipp);
	op->ipp.http = q->qs->http;
	op->ipp.peer = q->documents;
	op->ipp.url = q->url;
	op->ipp.request = request;
	op->ipp.body = document;
	op->ipp.body_len = length;
	op->ipp.idle_ms = q->cups ? QUEUE_CUPS_STALL_MS : QUEUE_IPP_STALL_MS;
	op->ipp.done = on_sent;
	op->ipp.data = op;
	return ipp_op_start(&op->ipp, err);
}

int queue_finish(struct queue *q, struct local_op *op, int32_t job, struct err *err)
{
	bool close = !q->cups && q->traits.close_job;
	ipp_t *request = queue_job_request(q, close ? IPP_OP_CLOSE_JOB : IPP_OP_SEND_DOCUMENT, job,
	                                   op->user_name);

	if (!close)
		ippAddBoolean(request, IPP_TAG_OPERATION, "last-document", 1);
	return begin(q, op, STEP_JOB, request, err);
}

/* ---- jobs that are there -------------------------------------------------------------------- */

int queue_cancel(struct queue *q, struct local_op *op, int32_t job, struct err *err)
{
	return begin(q, op, STEP_JOB, queue_job_request(q, IPP_OP_CANCEL_JOB, job, op->user_name),
	             err);
}

int queue_purge(struct queue *q, struct local_op *op, int32_t job, struct err *err)
{
	ipp_t *request = queue_job_request(q, IPP_OP_CANCEL_JOB, job, op->user_name);

	ippAddBoolean(request, IPP_TAG_OPERATION, "purge-job", 1);
	return begin(q, op, STEP_JOB, request, err);
}

int queue_get(struct queue *q, struct local_op *op, int32_t job, struct err *err)
{
	ipp_t *request = queue_job_request(q, IPP_OP_GET_JOB_ATTRIBUTES, job, op->user_name);

	queue_ask_for(request, outcome_names, outcome_name_count);
	return begin(q, op, STEP_GET, request, err);
}

/* find: the wanted uuid waits in job.job_uuid until the last answer is there. */
struct search {
	struct local_op *op;
	const char *uuid;
};

static void keep_match(void *data, const struct local_job *job)
{
	struct search *s = data;
	struct local_op *op = s->op;

	if (strcasecmp(job->job_uuid, s->uuid) != 0 && strcasecmp(job->own_uuid, s->uuid) != 0)
		return;
	op->found = xrealloc(op->found, (op->found_count + 1) * sizeof(*op->found));
	op->found[op->found_count++] = *job;
}

static int list_jobs(struct queue *q, struct local_op *op, int step, int32_t from, struct err *err);

static void on_listed(struct ipp_op *ipp, const struct err *err)
{
	struct local_op *op = ipp->data;
	struct search search = { .op = op, .uuid = op->job.job_uuid };
	struct err bad;

	if (err == NULL)
		outcome_each(ipp->response, op->queue->cups, keep_match, &search);
	if (err == NULL && op->step == STEP_FIND_OPEN) {
		if (list_jobs(op->queue, op, STEP_FIND_ENDED, 0, &bad) == 0)
			return;
		err = &bad;
	}
	if (err == NULL && op->found_count > 0)
		op->job = op->found[0];
	else
		op->job.job_uuid[0] = '\0';
	end(op, err);
}

static const char *which_jobs(int step)
{
	if (step == STEP_FIND_ALL)
		return "all";
	return step == STEP_FIND_OPEN ? "not-completed" : "completed";
}

/* CUPS shows at most 500 jobs in a list with ended ones, and does not call that a failure: of
 * "all" those with the lowest numbers from first-job-id on, of "completed" those that ended last.
 * The list of open ones is whole. */
static int list_jobs(struct queue *q, struct local_op *op, int step, int32_t from, struct err *err)
{
	ipp_t *request = queue_request(q, IPP_OP_GET_JOBS, op->user_name);

	ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_KEYWORD, "which-jobs", NULL,
	             which_jobs(step));
	if (from > 0)
		ippAddInteger(request, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "first-job-id", from);
	queue_ask_for(request, outcome_names, outcome_name_count);
	op->queue = q;
	op->step = step;
	ipp_op_clear(&op->ipp);
	return queue_start(q, &op->ipp, request, on_listed, op, err);
}

int queue_find(struct queue *q, struct local_op *op, const char *job_uuid, int32_t job,
               struct err *err)
{
	bool all = q->cups ? job > 0 : q->traits.which_all;

	op->job = (struct local_job){ .impressions = -1, .sheets = -1 };
	(void)snprintf(op->job.job_uuid, sizeof(op->job.job_uuid), "%s", job_uuid);
	free(TAKE(op->found));
	op->found_count = 0;
	return list_jobs(q, op, all ? STEP_FIND_ALL : STEP_FIND_OPEN, q->cups ? job : 0, err);
}

void queue_op_cancel(struct local_op *op)
{
	ipp_op_cancel(&op->ipp);
}

void queue_op_clear(struct local_op *op)
{
	ipp_op_clear(&op->ipp);
	free(TAKE(op->found));
	op->found_count = 0;
	attrs_unref(TAKE(op->capabilities));
}
