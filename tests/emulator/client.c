#include "tests/emulator/client.h"

#include <stdlib.h>
#include <string.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/documents.h"
#include "tests/emulator/events.h"
#include "tests/emulator/exchange.h"
#include "tests/emulator/jobs.h"
#include "tests/emulator/printers.h"
#include "tests/emulator/record.h"

static ipp_attribute_t *job_attribute(struct exchange *x, const char *name, ipp_tag_t tag)
{
	ipp_attribute_t *a = ippFindAttribute(x->request, name, tag);

	return a;
}

/* An octetString; NULL: none. */
static char *secret_of(struct exchange *x, const char *name)
{
	ipp_attribute_t *a = exchange_find(x, name, IPP_TAG_STRING);
	int len = 0;
	const char *data = a != NULL ? ippGetOctetString(a, 0, &len) : NULL;

	return data != NULL ? xprintf("%.*s", len, data) : NULL;
}

/* What a job keeps of its request: template attributes, and the secrets apart. */
static void keep_attributes(struct exchange *x, struct job *j)
{
	ipp_attribute_t *a, *copy;

	for (a = ippFirstAttribute(x->request); a != NULL; a = ippNextAttribute(x->request)) {
		const char *name = ippGetName(a);

		if (name == NULL)
			continue;
		if (ippGetGroupTag(a) == IPP_TAG_OPERATION &&
		    (strncmp(name, "job-impressions", 15) == 0 ||
		     strncmp(name, "job-media-sheets", 16) == 0 ||
		     strcmp(name, "ipp-attribute-fidelity") == 0))
			copy = ippCopyAttribute(j->attrs, a, 0);
		else if (ippGetGroupTag(a) == IPP_TAG_JOB && strcmp(name, "job-priority") != 0)
			copy = ippCopyAttribute(j->attrs, a, 0);
		else
			continue;
		ippSetGroupTag(j->attrs, &copy, IPP_TAG_JOB);
	}
	a = job_attribute(x, "job-priority", IPP_TAG_INTEGER);
	if (a != NULL)
		j->priority = ippGetInteger(a, 0);
	a = job_attribute(x, "job-hold-until", IPP_TAG_ZERO);
	j->hold = a != NULL && ippGetString(a, 0, NULL) != NULL &&
	          strcmp(ippGetString(a, 0, NULL), "no-hold") != 0;
	job_set_text(&j->password_encryption, exchange_string(x, "job-password-encryption"));
	free(j->password);
	j->password = secret_of(x, "job-password");
}

/* 0, or why this document cannot be taken. `format` is the declared one. */
static int check_document(struct exchange *x, const char **format)
{
	const char *compression = exchange_string(x, "compression");

	*format = exchange_string(x, "document-format");
	if (compression != NULL && strcmp(compression, "none") != 0 &&
	    strcmp(compression, "gzip") != 0 && strcmp(compression, "deflate") != 0)
		return exchange_refuse(x, IPP_STATUS_ERROR_COMPRESSION_NOT_SUPPORTED,
		                       "compression %s", compression);
	if (*format != NULL && !printer_takes_format(x->printer, *format))
		return exchange_refuse(x, IPP_STATUS_ERROR_DOCUMENT_FORMAT_NOT_SUPPORTED,
		                       "document-format %s", *format);
	return 0;
}

static void add_document(struct exchange *x, struct job *j, const char *format)
{
	struct document *d = document_new(&x->body, x->document_offset, j->document_count + 1);
	const char *found = document_detect(document_data(d), d->length);
	const char *compression = exchange_string(x, "compression");

	d->name = xstrdup(exchange_string(x, "document-name"));
	d->supplied = xstrdup(format ? format : "application/octet-stream");
	d->format =
		xstrdup(format != NULL && strcmp(format, "application/octet-stream") != 0 ? format
	                : found != NULL                                                   ? found
	                                : "application/octet-stream");
	d->compression = xstrdup(compression ? compression : "none");
	d->password = secret_of(x, "document-password");
	j->documents =
		xrealloc(j->documents, (size_t)(j->document_count + 1) * sizeof(*j->documents));
	j->documents[j->document_count++] = d;
	x->document_offset = 0;
	x->told.document = d->number;
}

static void answer_job(struct exchange *x)
{
	const char *reasons[] = { "none" };
	struct job *j = x->job;

	AUTO(free_str)
	char *uri =
		xprintf("ipp://%s%s/%d", x->host ? x->host : "localhost", j->printer->path, j->id);
	ippAddString(x->answer, IPP_TAG_JOB, IPP_TAG_URI, "job-uri", NULL, uri);
	ippAddInteger(x->answer, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-id", j->id);
	ippAddString(x->answer, IPP_TAG_JOB, IPP_TAG_URI, "job-uuid", NULL, j->uuid);
	ippAddInteger(x->answer, IPP_TAG_JOB, IPP_TAG_ENUM, "job-state", j->state);
	if (j->reasons & REASON(FETCHABLE))
		reasons[0] = "job-fetchable";
	else if (j->reasons & REASON(INCOMING))
		reasons[0] = "job-incoming";
	else if (j->reasons & REASON(HELD))
		reasons[0] = "job-hold-until-specified";
	else if (j->reasons & REASON(PRINTER_STOPPED))
		reasons[0] = "printer-stopped";
	ippAddStrings(x->answer, IPP_TAG_JOB, IPP_TAG_KEYWORD, "job-state-reasons", 1, NULL,
	              reasons);
	ippAddString(x->answer, IPP_TAG_JOB, IPP_TAG_TEXT, "job-state-message", NULL, "");
}

static struct job *make_job(struct exchange *x)
{
	const char *name = exchange_string(x, "job-name");
	const char *user = exchange_string(x, "requesting-user-name");

	if (name == NULL)
		name = exchange_string(x, "document-name");
	x->job = job_new(x->printer, name ? name : "Untitled", user ? user : "anonymous");
	keep_attributes(x, x->job);
	return x->job;
}

int client_get_printer_attributes(struct exchange *x)
{
	printer_write_ipp(x->printer, x->host, x->peer->tls, x->answer, exchange_wanted, x);
	return IPP_STATUS_OK;
}

int client_validate_job(struct exchange *x)
{
	const char *format;
	int status = check_document(x, &format);

	return status ? status : IPP_STATUS_OK;
}

int client_print_job(struct exchange *x)
{
	const char *format;
	int status = check_document(x, &format);

	if (status != 0)
		return status;
	if (x->body.len == x->document_offset)
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "no document");
	make_job(x);
	add_document(x, x->job, format);
	job_close(x->job);
	answer_job(x);
	return IPP_STATUS_OK;
}

int client_create_job(struct exchange *x)
{
	make_job(x);
	answer_job(x);
	return IPP_STATUS_OK;
}

int client_send_document(struct exchange *x)
{
	ipp_attribute_t *last = exchange_find(x, "last-document", IPP_TAG_BOOLEAN);
	const char *format;
	int status = 0;
	struct job *j = exchange_job(x, &status);

	if (j == NULL)
		return status;
	if (last == NULL)
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "want last-document");
	if (j->closed || job_is_final(j))
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE, "job %d is closed", j->id);
	status = check_document(x, &format);
	if (status != 0)
		return status;
	if (x->body.len == x->document_offset && !ippGetBoolean(last, 0))
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "no document");
	if (x->body.len > x->document_offset) {
		if (j->document_count > 0 && printer_quirk(j->printer, QUIRK_IPPSERVER_12))
			return exchange_refuse(x, IPP_STATUS_ERROR_MULTIPLE_JOBS_NOT_SUPPORTED,
			                       "one document a job");
		add_document(x, j, format);
	}
	if (ippGetBoolean(last, 0)) {
		if (j->document_count == 0)
			job_set_state(j, IPP_JSTATE_ABORTED, REASON(ABORTED));
		else
			job_close(j);
	}
	answer_job(x);
	return IPP_STATUS_OK;
}

int client_close_job(struct exchange *x)
{
	int status = 0;
	struct job *j = exchange_job(x, &status);

	if (j == NULL)
		return status;
	if (!j->closed && j->document_count > 0)
		job_close(j);
	answer_job(x);
	return IPP_STATUS_OK;
}

int client_cancel_job(struct exchange *x)
{
	int status = 0;
	struct job *j = exchange_job(x, &status);

	if (j == NULL)
		return status;
	if (job_is_final(j))
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE, "job %d is %s", j->id,
		                       job_state_name(j->state));
	job_cancel(j);
	return IPP_STATUS_OK;
}

int client_hold_job(struct exchange *x)
{
	int status = 0;
	struct job *j = exchange_job(x, &status);

	if (j == NULL)
		return status;
	if (job_is_final(j) || j->device != NULL)
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE,
		                       "job %d is already with a device", j->id);
	j->hold = true;
	job_schedule(j);
	return IPP_STATUS_OK;
}

int client_release_job(struct exchange *x)
{
	int status = 0;
	struct job *j = exchange_job(x, &status);

	if (j == NULL)
		return status;
	if (!j->hold)
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE, "job %d is not held",
		                       j->id);
	j->hold = false;
	job_schedule(j);
	return IPP_STATUS_OK;
}

enum which { WHICH_NOT_COMPLETED, WHICH_COMPLETED, WHICH_ALL, WHICH_FETCHABLE };

static int parse_which(const char *text, enum which *ret)
{
	static const char *const names[] = { "not-completed", "completed", "all", "fetchable" };
	size_t i;

	for (i = 0; text != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum which)i;
			return 0;
		}
	}
	*ret = WHICH_NOT_COMPLETED;
	return text == NULL ? 0 : -1;
}

static bool is_selected(struct exchange *x, const struct job *j, enum which which)
{
	bool loose = printer_quirk(x->printer, QUIRK_IPPSERVER_5);

	switch (which) {
	case WHICH_NOT_COMPLETED:
		return !job_is_final(j);
	case WHICH_COMPLETED:
		return job_is_final(j);
	case WHICH_ALL:
		return true;
	case WHICH_FETCHABLE:
		if (loose)
			return job_is_fetchable(j) || job_is_final(j);
		return job_is_fetchable(j) &&
		       (j->device == NULL || x->uuid == NULL || strcmp(j->device, x->uuid) == 0) &&
		       (x->uuid == NULL || !job_refused_by(j, x->uuid));
	}
	return false;
}

static int by_priority(const void *a, const void *b)
{
	const struct job *const *x = a, *const *y = b;

	if ((*x)->priority != (*y)->priority)
		return (*y)->priority - (*x)->priority;
	return (*x)->id - (*y)->id;
}

static int by_age(const void *a, const void *b)
{
	const struct job *const *x = a, *const *y = b;

	return (*y)->id - (*x)->id;
}

/* Candidates: the active list suffices unless finished jobs are asked for. */
static int collect_jobs(struct exchange *x, enum which which, struct job ***ret)
{
	struct printer *p = x->printer;
	bool mine = false;
	const char *user = exchange_string(x, "requesting-user-name");
	ipp_attribute_t *my = exchange_find(x, "my-jobs", IPP_TAG_BOOLEAN);
	struct job **list = xcalloc((size_t)p->job_count + 1, sizeof(struct job *)), *j;
	int i, n = 0;

	mine = my != NULL && ippGetBoolean(my, 0);
	if (which == WHICH_NOT_COMPLETED ||
	    (which == WHICH_FETCHABLE && !printer_quirk(p, QUIRK_IPPSERVER_5))) {
		TAILQ_FOREACH(j, &p->active, active)
		{
			if (is_selected(x, j, which) &&
			    (!mine || (user != NULL && strcmp(user, j->user) == 0)))
				list[n++] = j;
		}
	} else {
		for (i = 0; i < p->job_count; i++) {
			j = job_find(p, p->first_id + i);
			if (j != NULL && is_selected(x, j, which) &&
			    (!mine || (user != NULL && strcmp(user, j->user) == 0)))
				list[n++] = j;
		}
	}
	*ret = list;
	return n;
}

int client_get_jobs(struct exchange *x)
{
	int64_t limit = exchange_integer(x, "limit", 0);
	int64_t first = exchange_integer(x, "first-job-id", 1);
	enum which which;
	struct job **list;
	int i, n, sent = 0;

	if (parse_which(exchange_string(x, "which-jobs"), &which) < 0)
		return exchange_refuse(x, IPP_STATUS_ERROR_ATTRIBUTES_OR_VALUES, "which-jobs %s",
		                       exchange_string(x, "which-jobs"));
	n = collect_jobs(x, which, &list);
	if (which == WHICH_COMPLETED ||
	    (which == WHICH_FETCHABLE && printer_quirk(x->printer, QUIRK_IPPSERVER_5)))
		qsort(list, (size_t)n, sizeof(struct job *), by_age);
	else
		qsort(list, (size_t)n, sizeof(struct job *), by_priority);
	for (i = 0; i < n && (limit <= 0 || sent < limit); i++) {
		if (list[i]->id < first)
			continue;
		if (sent++ > 0)
			ippAddSeparator(x->answer);
		job_write_ipp(list[i], x->answer, IPP_TAG_JOB, exchange_wanted, x);
	}
	free(list);
	return IPP_STATUS_OK;
}

int client_get_job_attributes(struct exchange *x)
{
	int status = 0;
	struct job *j = exchange_job(x, &status);

	if (j == NULL)
		return status;
	job_write_ipp(j, x->answer, IPP_TAG_JOB, exchange_wanted, x);
	return IPP_STATUS_OK;
}

static void document_write_ipp(struct exchange *x, const struct document *d)
{
	bool few = printer_quirk(x->printer, QUIRK_IPPSERVER_12);

	ippAddInteger(x->answer, IPP_TAG_DOCUMENT, IPP_TAG_INTEGER, "document-number", d->number);
	if (few)
		return;
	ippAddInteger(x->answer, IPP_TAG_DOCUMENT, IPP_TAG_ENUM, "document-state", d->state);
	ippAddString(x->answer, IPP_TAG_DOCUMENT, IPP_TAG_KEYWORD, "document-state-reasons", NULL,
	             "none");
	ippAddString(x->answer, IPP_TAG_DOCUMENT, IPP_TAG_MIMETYPE, "document-format", NULL,
	             d->format);
	ippAddString(x->answer, IPP_TAG_DOCUMENT, IPP_TAG_MIMETYPE, "document-format-supplied",
	             NULL, d->supplied);
	ippAddString(x->answer, IPP_TAG_DOCUMENT, IPP_TAG_KEYWORD, "compression", NULL,
	             d->compression);
	ippAddInteger(x->answer, IPP_TAG_DOCUMENT, IPP_TAG_INTEGER, "k-octets",
	              (int)((d->length + 1023) / 1024));
	if (d->name != NULL)
		ippAddString(x->answer, IPP_TAG_DOCUMENT, IPP_TAG_NAME, "document-name", NULL,
		             d->name);
	if (d->impressions >= 0)
		ippAddInteger(x->answer, IPP_TAG_DOCUMENT, IPP_TAG_INTEGER, "impressions-completed",
		              (int)d->impressions);
}

int client_get_documents(struct exchange *x)
{
	int status = 0, i;
	struct job *j = exchange_job(x, &status);

	if (j == NULL)
		return status;
	for (i = 0; i < j->document_count; i++) {
		if (i > 0)
			ippAddSeparator(x->answer);
		document_write_ipp(x, j->documents[i]);
	}
	return IPP_STATUS_OK;
}

int client_get_document_attributes(struct exchange *x)
{
	int64_t number = exchange_integer(x, "document-number", 0);
	int status = 0;
	struct job *j = exchange_job(x, &status);

	if (j == NULL)
		return status;
	if (number < 1 || number > j->document_count)
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_FOUND, "no document %d",
		                       (int)number);
	document_write_ipp(x, j->documents[number - 1]);
	return IPP_STATUS_OK;
}

int client_identify_printer(struct exchange *x)
{
	ipp_attribute_t *a = exchange_find(x, "identify-actions", IPP_TAG_KEYWORD);
	struct identify *identify = &x->printer->identify;
	struct buffer actions = { 0 };
	int i;

	for (i = 0; a != NULL && i < ippGetCount(a); i++)
		buffer_printf(&actions, "%s%s", i ? "," : "", ippGetString(a, i, NULL));
	identify->pending = true;
	job_set_text(&identify->actions, actions.data ? actions.data : "display");
	job_set_text(&identify->message, exchange_string(x, "message"));
	buffer_clear(&actions);
	events_printer(x->printer, EVENT_PRINTER_STATE);
	return IPP_STATUS_OK;
}

int client_pause_printer(struct exchange *x)
{
	printer_set_paused(x->printer, true);
	return IPP_STATUS_OK;
}

int client_resume_printer(struct exchange *x)
{
	printer_set_paused(x->printer, false);
	return IPP_STATUS_OK;
}

int client_cups_get_printers(struct exchange *x)
{
	struct printer *p;
	bool first = true;

	for (p = printers_first(); p != NULL; p = printer_next(p)) {
		if (!first)
			ippAddSeparator(x->answer);
		first = false;
		printer_write_ipp(p, x->host, x->peer->tls, x->answer, exchange_wanted, x);
	}
	return IPP_STATUS_OK;
}

int client_cups_get_default(struct exchange *x)
{
	struct printer *p = printers_first();

	if (p == NULL)
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_FOUND, "no printers");
	printer_write_ipp(p, x->host, x->peer->tls, x->answer, exchange_wanted, x);
	return IPP_STATUS_OK;
}
