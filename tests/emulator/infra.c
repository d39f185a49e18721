/* infra.c - what a proxy says. A breach is what the proxy could have known better; a repetition
 * after a lost answer, or a race with a client's cancel, is refused but is only noticed. */
#include "tests/emulator/infra.h"

#include <stdlib.h>
#include <string.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/clock.h"
#include "tests/emulator/documents.h"
#include "tests/emulator/events.h"
#include "tests/emulator/exchange.h"
#include "tests/emulator/jobs.h"
#include "tests/emulator/printers.h"
#include "tests/emulator/record.h"
#include "tests/emulator/up_ipp.h"

/* 0: the device is associated with the printer. */
static int need_device(struct exchange *x)
{
	x->device = device_find(x->printer, x->uuid);
	if (x->device != NULL)
		return 0;
	record_notice(x, "unknown-device", "the device is not associated");
	return exchange_refuse(x, IPP_STATUS_ERROR_NOT_FOUND, "device was not found");
}

static struct job *need_job(struct exchange *x, int *status)
{
	*status = need_device(x);
	return *status == 0 ? exchange_job(x, status) : NULL;
}

static bool is_mine(const struct exchange *x, const struct job *j)
{
	return j->device != NULL && strcmp(j->device, x->uuid) == 0;
}

int infra_update_output_device_attributes(struct exchange *x)
{
	struct device *d = device_find(x->printer, x->uuid);
	ipp_attribute_t *a;
	bool fresh = d == NULL;

	if (x->printer->up != NULL)
		return up_update_attributes(x);
	for (a = ippFirstAttribute(x->request); a != NULL; a = ippNextAttribute(x->request)) {
		if (ippGetName(a) != NULL && ippGetGroupTag(a) == IPP_TAG_PRINTER &&
		    attribute_is_forbidden(ippGetName(a)))
			record_violation(x, "forbidden-attribute", "%s must not be forwarded",
			                 ippGetName(a));
	}
	if (fresh)
		d = device_add(x->printer, x->uuid);
	x->device = d;
	if (device_update(x->printer, d, x->request, x->answer) > 0)
		return IPP_STATUS_OK_IGNORED_OR_SUBSTITUTED;
	return IPP_STATUS_OK;
}

int infra_get_output_device_attributes(struct exchange *x)
{
	ipp_attribute_t *a;
	int status = need_device(x);

	if (status != 0)
		return status;
	for (a = ippFirstAttribute(x->device->attrs); a != NULL;
	     a = ippNextAttribute(x->device->attrs)) {
		if (ippGetName(a) != NULL && exchange_wanted(ippGetName(a), x))
			ippCopyAttribute(x->answer, a, 0);
	}
	return IPP_STATUS_OK;
}

int infra_deregister_output_device(struct exchange *x)
{
	struct device *d = device_find(x->printer, x->uuid);

	if (d == NULL)
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE, "not associated");
	device_remove(x->printer, d);
	events_printer(x->printer, EVENT_PRINTER_STOPPED);
	return IPP_STATUS_OK;
}

/* Table 3, PWG 5100.18 5.8: what a device's state makes of the job's. */
static void apply_device_state(struct job *j, int state)
{
	bool ippserver = printer_quirk(j->printer, QUIRK_IPPSERVER_11);
	unsigned int canceled = j->reasons & REASON(CANCELED_BY_USER);

	if (job_is_final(j) && !ippserver)
		return;
	if (state == IPP_JSTATE_COMPLETED)
		job_set_state(j, IPP_JSTATE_COMPLETED, REASON(COMPLETED));
	else if (state == IPP_JSTATE_ABORTED)
		job_set_state(j, IPP_JSTATE_ABORTED, canceled | REASON(ABORTED));
	else if (state == IPP_JSTATE_CANCELED && !printer_quirk(j->printer, QUIRK_PAPPL_9))
		job_set_state(j, IPP_JSTATE_CANCELED, canceled | REASON(CANCELED_AT_DEVICE));
	else if (job_is_final(j) || j->cancel)
		return; /* a client's cancel stands until the device says the end */
	else if (state == IPP_JSTATE_PROCESSING && !ippserver)
		job_set_state(j, IPP_JSTATE_PROCESSING, 0);
	else if (state == IPP_JSTATE_STOPPED)
		job_set_state(j, IPP_JSTATE_STOPPED, 0);
}

/* Table 4: a job of this device that it does not list. */
static void apply_missing(struct job *j)
{
	if (j->state != IPP_JSTATE_PROCESSING && j->state != IPP_JSTATE_STOPPED)
		return;
	if (j->reasons & (REASON(CANCELED_BY_USER) | REASON(CANCELED_AT_DEVICE)))
		job_set_state(j, IPP_JSTATE_CANCELED, REASON(CANCELED_BY_USER));
	else if (j->reasons & REASON(ABORTED))
		job_set_state(j, IPP_JSTATE_ABORTED, REASON(ABORTED));
	else
		job_set_state(j, IPP_JSTATE_STOPPED, 0);
}

static int listed_state(ipp_attribute_t *ids, ipp_attribute_t *states, int id)
{
	int i;

	for (i = 0; ids != NULL && i < ippGetCount(ids); i++) {
		if (ippGetInteger(ids, i) == id)
			return ippGetInteger(states, i);
	}
	return 0;
}

static bool pappl_crashes(struct exchange *x, ipp_attribute_t *ids)
{
	struct job *j;

	if (ids == NULL || !printer_quirk(x->printer, QUIRK_PAPPL_8))
		return false;
	TAILQ_FOREACH(j, &x->printer->active, active)
	{
		if (j->device == NULL)
			return true;
	}
	return false;
}

static int answer_active_jobs(struct exchange *x, ipp_attribute_t *ids, ipp_attribute_t *states)
{
	struct printer *p = x->printer;
	bool all = printer_quirk(p, QUIRK_IPPSERVER_9);
	int *list = xcalloc((size_t)p->job_count + 1, sizeof(int));
	int *list_states = xcalloc((size_t)p->job_count + 1, sizeof(int));
	int *unknown = xcalloc(ids ? (size_t)ippGetCount(ids) + 1 : 1, sizeof(int));
	int i, n = 0, strangers = 0;

	for (i = 0; i < p->job_count; i++) {
		struct job *j = p->jobs[i];

		if (!is_mine(x, j) ||
		    (job_is_final(j) && !all && listed_state(ids, states, j->id) == 0))
			continue;
		if (!all && listed_state(ids, states, j->id) == j->state)
			continue;
		list[n] = j->id;
		list_states[n++] = j->state;
	}
	for (i = 0; ids != NULL && i < ippGetCount(ids); i++) {
		struct job *j = job_find(p, ippGetInteger(ids, i));

		if (j == NULL || !is_mine(x, j))
			unknown[strangers++] = ippGetInteger(ids, i);
	}
	if (n > 0) {
		ippAddIntegers(x->answer, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "job-ids", n, list);
		ippAddIntegers(x->answer, IPP_TAG_OPERATION, IPP_TAG_ENUM,
		               "output-device-job-states", n, list_states);
	}
	if (strangers > 0)
		ippAddIntegers(x->answer, IPP_TAG_UNSUPPORTED_GROUP, IPP_TAG_INTEGER, "job-ids",
		               strangers, unknown);
	free(list);
	free(list_states);
	free(unknown);
	return strangers > 0 ? IPP_STATUS_OK_IGNORED_OR_SUBSTITUTED : IPP_STATUS_OK;
}

int infra_update_active_jobs(struct exchange *x)
{
	ipp_attribute_t *ids = exchange_find(x, "job-ids", IPP_TAG_INTEGER);
	ipp_attribute_t *states = exchange_find(x, "output-device-job-states", IPP_TAG_ENUM);
	struct job *j, *after;
	int status = need_device(x);

	if (status != 0)
		return status;
	if ((ids == NULL) != (states == NULL) ||
	    (ids != NULL && ippGetCount(ids) != ippGetCount(states))) {
		record_violation(x, "active-jobs", "job-ids and output-device-job-states differ");
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "lists of unequal length");
	}
	if (ids == NULL && printer_quirk(x->printer, QUIRK_IPPSERVER_9))
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "missing job-ids");
	if (ids == NULL && printer_quirk(x->printer, QUIRK_PAPPL_7))
		return IPP_STATUS_OK;
	if (pappl_crashes(x, ids)) {
		record_notice(x, "crash", "a real PAPPL dies here");
		printer_forget(x->printer, FORGET_DEVICES | FORGET_SUBSCRIPTIONS, false);
		return EXCHANGE_DROP;
	}
	for (j = TAILQ_FIRST(&x->printer->active); j != NULL; j = after) {
		int state = listed_state(ids, states, j->id);

		after = TAILQ_NEXT(j, active);
		if (!is_mine(x, j) || printer_quirk(x->printer, QUIRK_IPPSERVER_9))
			continue;
		if (state == 0)
			apply_missing(j);
		else
			apply_device_state(j, state);
	}
	return answer_active_jobs(x, ids, states);
}

int infra_fetch_job(struct exchange *x)
{
	int status = 0;
	struct job *j = need_job(x, &status);
	bool loose;

	if (j == NULL)
		return status;
	loose = printer_quirk(j->printer, QUIRK_IPPSERVER_5) && job_is_final(j);
	if (j->device != NULL && !is_mine(x, j))
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE,
		                       "job %d is with another device", j->id);
	if (!job_is_fetchable(j) && !loose) {
		if (!j->ever_fetchable)
			record_violation(x, "fetch-job", "job %d never was fetchable", j->id);
		return exchange_refuse(x,
		                       printer_quirk(j->printer, QUIRK_PAPPL_2)
		                               ? IPP_STATUS_ERROR_NOT_POSSIBLE
		                               : IPP_STATUS_ERROR_NOT_FETCHABLE,
		                       "job %d is not fetchable", j->id);
	}
	if (j->fetched_us == 0)
		j->fetched_us = clock_us();
	if (j->password != NULL) {
		ippAddOctetString(x->answer, IPP_TAG_OPERATION, "job-password", j->password,
		                  (int)strlen(j->password));
		if (j->password_encryption != NULL)
			ippAddString(x->answer, IPP_TAG_OPERATION, IPP_TAG_KEYWORD,
			             "job-password-encryption", NULL, j->password_encryption);
	}
	job_write_ipp(j, x->answer, IPP_TAG_JOB, exchange_wanted, x);
	return IPP_STATUS_OK;
}

static int refuse_acknowledge(struct exchange *x, struct job *j)
{
	if (j->device != NULL && !is_mine(x, j))
		return exchange_refuse(x,
		                       printer_quirk(j->printer, QUIRK_IPPSERVER_10)
		                               ? IPP_STATUS_ERROR_NOT_AUTHORIZED
		                               : IPP_STATUS_ERROR_NOT_POSSIBLE,
		                       "job %d is with another device", j->id);
	if (!j->ever_fetchable)
		record_violation(x, "acknowledge-job", "job %d never was fetchable", j->id);
	else if (is_mine(x, j) && j->final_told > 0)
		record_violation(x, "acknowledge-job", "job %d was already brought to its end",
		                 j->id);
	else
		record_notice(x, "repeated-acknowledge-job", "job %d is no longer fetchable",
		              j->id);
	if (j->state == IPP_JSTATE_HELD)
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE, "job %d is held", j->id);
	return exchange_refuse(x, IPP_STATUS_ERROR_NOT_FETCHABLE, "job %d is not fetchable", j->id);
}

int infra_acknowledge_job(struct exchange *x)
{
	ipp_attribute_t *code = exchange_find(x, "fetch-status-code", IPP_TAG_ENUM);
	int status = 0;
	struct job *j = need_job(x, &status);
	bool deaf;

	if (j == NULL)
		return status;
	deaf = printer_quirk(j->printer, QUIRK_IPPSERVER_10) ||
	       printer_quirk(j->printer, QUIRK_PAPPL_11);
	if (code != NULL)
		x->told.fetch_status = ippGetInteger(code, 0);
	job_set_text(&x->told.message, exchange_string(x, "fetch-status-message"));
	if (code != NULL && ippGetInteger(code, 0) == 0) {
		record_violation(x, "fetch-status-code", "fetch-status-code 0");
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST,
		                       "fetch-status-code: not successful-ok");
	}
	if (!job_is_fetchable(j) || (j->device != NULL && !is_mine(x, j)))
		return refuse_acknowledge(x, j);
	if (j->fetched_us == 0)
		record_notice(x, "unfetched", "job %d acknowledged without Fetch-Job", j->id);
	if (code != NULL && !deaf)
		job_refuse(j, x->device, ippGetInteger(code, 0), x->told.message);
	else
		job_acknowledge(j, x->device);
	return IPP_STATUS_OK;
}

static struct document *need_document(struct exchange *x, int *status)
{
	int64_t number = exchange_integer(x, "document-number", -1);
	struct job *j = need_job(x, status);

	if (j == NULL)
		return NULL;
	if (number < 0) {
		record_violation(x, "missing-attribute", "no document-number");
		*status = exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST, "want document-number");
		return NULL;
	}
	x->told.document = (int)number;
	if (number < 1 || number > j->document_count) {
		*status = exchange_refuse(x,
		                          printer_quirk(j->printer, QUIRK_IPPSERVER_12)
		                                  ? IPP_STATUS_ERROR_BAD_REQUEST
		                                  : IPP_STATUS_ERROR_NOT_FOUND,
		                          "no document %d", (int)number);
		return NULL;
	}
	x->document = j->documents[number - 1];
	return x->document;
}

/* The first of `accepted` that this document can be sent with; NULL: none. */
static const char *choose_compression(const struct document *d, ipp_attribute_t *accepted)
{
	int i;

	if (accepted == NULL)
		return "none";
	for (i = 0; i < ippGetCount(accepted); i++) {
		const char *c = ippGetString(accepted, i, NULL);

		if (strcmp(c, "none") == 0)
			return "none";
		if (strcmp(c, "gzip") == 0)
			return "gzip";
		if (strcmp(c, d->compression) == 0)
			return d->compression;
	}
	return NULL;
}

static int attach(struct exchange *x, struct document *d, const char *compression)
{
	struct buffer plain = { 0 }, out = { 0 };
	const char *data = document_data(d);
	size_t len = d->length;
	bool fake = printer_quirk(x->printer, QUIRK_IPPSERVER_13);

	if (strcmp(compression, d->compression) == 0 ||
	    (fake && strcmp(d->compression, "none") == 0)) {
		x->attachment = bytes_ref(d->bytes);
		return 0;
	}
	if (strcmp(d->compression, "none") != 0) {
		if (bytes_gunzip(data, len, &plain) < 0) {
			buffer_clear(&plain);
			return exchange_refuse(x, IPP_STATUS_ERROR_COMPRESSION_ERROR,
			                       "document %d does not inflate", d->number);
		}
		data = plain.data;
		len = plain.len;
	}
	if (strcmp(compression, "none") == 0) {
		out = plain;
		plain = (struct buffer){ 0 };
	} else if (bytes_gzip(data, len, &out) < 0) {
		buffer_clear(&plain);
		buffer_clear(&out);
		return exchange_refuse(x, IPP_STATUS_ERROR_INTERNAL, "gzip");
	}
	buffer_clear(&plain);
	x->attachment = xcalloc(1, sizeof(*x->attachment));
	x->attachment->refs = 1;
	x->attachment->buffer = out;
	return 0;
}

static ipp_attribute_t *device_default(struct exchange *x, const char *name, const char *fallback)
{
	ipp_attribute_t *a = exchange_find(x, name, IPP_TAG_ZERO);

	return a ? a : ippFindAttribute(x->device->attrs, fallback, IPP_TAG_ZERO);
}

static int check_fetchable(struct exchange *x, struct job *j, struct document *d)
{
	if (j->device != NULL && !is_mine(x, j))
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE,
		                       "job %d is with another device", j->id);
	if (j->device == NULL) {
		record_violation(x, "fetch-document", "job %d is not acknowledged", j->id);
		return exchange_refuse(x,
		                       printer_quirk(j->printer, QUIRK_PAPPL_4)
		                               ? IPP_STATUS_ERROR_NOT_POSSIBLE
		                               : IPP_STATUS_ERROR_NOT_FETCHABLE,
		                       "job %d is not acknowledged", j->id);
	}
	if (job_is_final(j)) {
		if (j->final_told > 0)
			record_violation(x, "fetch-document", "job %d was brought to its end",
			                 j->id);
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE, "job %d is %s", j->id,
		                       job_state_name(j->state));
	}
	if (d->acknowledged) {
		record_violation(x, "fetch-document", "document %d was acknowledged", d->number);
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_FETCHABLE,
		                       "document %d was acknowledged", d->number);
	}
	if (d->bytes == NULL)
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_FOUND, "document %d is gone",
		                       d->number);
	return 0;
}

int infra_fetch_document(struct exchange *x)
{
	ipp_attribute_t *formats;
	const char *compression, *format;
	int status = 0;
	struct document *d = need_document(x, &status);

	if (d == NULL)
		return status;
	status = check_fetchable(x, x->job, d);
	if (status != 0)
		return status;
	formats = device_default(x, "document-format-accepted", "document-format-supported");
	if (formats != NULL && !ippContainsString(formats, d->format) &&
	    !(exchange_find(x, "document-format-accepted", IPP_TAG_MIMETYPE) == NULL &&
	      strcmp(d->format, "application/octet-stream") == 0))
		return exchange_refuse(x,
		                       printer_quirk(x->printer, QUIRK_IPPSERVER_14)
		                               ? IPP_STATUS_ERROR_NOT_FETCHABLE
		                               : IPP_STATUS_ERROR_DOCUMENT_FORMAT_NOT_SUPPORTED,
		                       "document %d is %s", d->number, d->format);
	compression = choose_compression(
		d, device_default(x, "compression-accepted", "compression-supported"));
	if (compression == NULL)
		return exchange_refuse(x, IPP_STATUS_ERROR_COMPRESSION_NOT_SUPPORTED,
		                       "no accepted compression");
	status = attach(x, d, compression);
	if (status != 0)
		return status;
	d->fetches++;
	if (d->first_byte_us == 0)
		d->first_byte_us = clock_us();
	format = x->fault.kind == FAULT_WRONG_FORMAT && x->fault.text ? x->fault.text : d->format;
	ippAddString(x->answer, IPP_TAG_OPERATION, IPP_TAG_KEYWORD, "compression", NULL,
	             compression);
	if (printer_quirk(x->printer, QUIRK_IPPSERVER_12))
		ippAddString(x->answer, IPP_TAG_OPERATION, IPP_TAG_MIMETYPE, "document-format",
		             NULL, format);
	if (d->password != NULL)
		ippAddOctetString(x->answer, IPP_TAG_OPERATION, "document-password", d->password,
		                  (int)strlen(d->password));
	ippAddInteger(x->answer, IPP_TAG_DOCUMENT, IPP_TAG_INTEGER, "document-number", d->number);
	ippAddString(x->answer, IPP_TAG_DOCUMENT, IPP_TAG_MIMETYPE, "document-format", NULL,
	             format);
	if (d->name != NULL)
		ippAddString(x->answer, IPP_TAG_DOCUMENT, IPP_TAG_NAME, "document-name", NULL,
		             d->name);
	return IPP_STATUS_OK;
}

int infra_acknowledge_document(struct exchange *x)
{
	ipp_attribute_t *code = exchange_find(x, "fetch-status-code", IPP_TAG_ENUM);
	int status = 0;
	struct document *d = need_document(x, &status);

	if (d == NULL)
		return status;
	if (code != NULL)
		x->told.fetch_status = ippGetInteger(code, 0);
	job_set_text(&x->told.message, exchange_string(x, "fetch-status-message"));
	if (!is_mine(x, x->job)) {
		record_violation(x, "acknowledge-document", "job %d is not this device's",
		                 x->job->id);
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE, "not your job");
	}
	if (d->acknowledged) {
		record_notice(x, "repeated-acknowledge-document", "document %d", d->number);
		if (printer_quirk(x->printer, QUIRK_PAPPL_5))
			return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE,
			                       "document %d was acknowledged", d->number);
		return IPP_STATUS_OK;
	}
	if (code == NULL && !d->whole) {
		record_violation(x, "acknowledge-document", "document %d was never fetched whole",
		                 d->number);
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE,
		                       "document %d was never fetched", d->number);
	}
	if (code != NULL)
		d->refusal = ippGetInteger(code, 0);
	else
		d->acknowledged = true;
	return IPP_STATUS_OK;
}

/* An integer attribute of a group; -1: absent. */
static int64_t group_integer(struct exchange *x, ipp_tag_t group, const char *name)
{
	ipp_attribute_t *a = ippFindAttribute(x->request, name, IPP_TAG_ZERO);

	if (a == NULL || ippGetGroupTag(a) != group ||
	    (ippGetValueTag(a) != IPP_TAG_INTEGER && ippGetValueTag(a) != IPP_TAG_ENUM))
		return -1;
	return ippGetInteger(a, 0);
}

static char *group_text(struct exchange *x, const char *name)
{
	ipp_attribute_t *a = ippFindAttribute(x->request, name, IPP_TAG_ZERO);
	struct buffer b = { 0 };
	int i;

	for (i = 0; a != NULL && i < ippGetCount(a); i++) {
		const char *s = ippGetString(a, i, NULL);

		buffer_printf(&b, "%s%s", i ? "," : "", s ? s : "");
	}
	return b.data;
}

int infra_update_document_status(struct exchange *x)
{
	int64_t state = group_integer(x, IPP_TAG_DOCUMENT, "output-device-document-state");
	int64_t impressions = group_integer(x, IPP_TAG_DOCUMENT, "impressions-completed");
	int status = 0;
	struct document *d = need_document(x, &status);

	x->told.state = (int)state;
	x->told.impressions = impressions;
	x->told.reasons = group_text(x, "output-device-document-state-reasons");
	x->told.message = group_text(x, "output-device-document-state-message");
	if (d == NULL)
		return status;
	if (!is_mine(x, x->job)) {
		record_violation(x, "update-document-status", "job %d is not this device's",
		                 x->job->id);
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE, "not your job");
	}
	if (state >= 0 && (state < 3 || state > 9)) {
		record_violation(x, "value", "output-device-document-state %d", (int)state);
		return exchange_refuse(x, IPP_STATUS_ERROR_ATTRIBUTES_OR_VALUES, "bad state");
	}
	if (d->state >= 7 && state >= 0 && state != d->state) {
		record_violation(x, "final-document", "document %d is final and told %d", d->number,
		                 (int)state);
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE, "document is final");
	}
	if (state == 9 && !d->whole) {
		record_violation(x, "false-completed", "document %d was never fetched whole",
		                 d->number);
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE, "never fetched");
	}
	if (state >= 0 && !printer_quirk(x->printer, QUIRK_IPPSERVER_11))
		d->state = (int)state;
	if (impressions >= 0)
		d->impressions = impressions;
	job_set_text(&d->message, x->told.message);
	return IPP_STATUS_OK;
}

/* 0, or why a final job is not told anything any more. */
static int check_final(struct exchange *x, struct job *j, int64_t state)
{
	if (!job_is_final(j) || printer_quirk(j->printer, QUIRK_IPPSERVER_11))
		return 0;
	if (job_refused_by(j, x->uuid) && state == IPP_JSTATE_ABORTED && j->printer->up == NULL)
		return IPP_STATUS_OK; /* says again what its refusal said */
	if (j->final_told == 0)
		record_notice(x, "late-status", "job %d ended without this device", j->id);
	else if (state == j->state)
		record_notice(x, "repeated-final", "job %d is told %s again", j->id,
		              job_state_name((int)state));
	else
		record_violation(x, "final-job", "job %d is %s and told %s", j->id,
		                 job_state_name(j->state),
		                 state < 0 ? "something" : job_state_name((int)state));
	return exchange_refuse(
		x, j->printer->up ? IPP_STATUS_ERROR_INTERNAL : IPP_STATUS_ERROR_NOT_POSSIBLE,
		"job %d is already terminated", j->id);
}

/* 0, or why this job cannot be called completed. */
static int check_completed(struct exchange *x, struct job *j)
{
	int i;

	for (i = 0; i < j->document_count; i++) {
		struct document *d = j->documents[i];

		if (!d->whole) {
			record_violation(x, "false-completed",
			                 "job %d completed, document %d never fetched whole", j->id,
			                 d->number);
			return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE,
			                       "document %d was never fetched", d->number);
		}
		if (!d->acknowledged && j->printer->up == NULL) {
			record_violation(x, "unacknowledged-document",
			                 "job %d completed, document %d not acknowledged", j->id,
			                 d->number);
			return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE,
			                       "document %d is not acknowledged", d->number);
		}
	}
	return 0;
}

static void take_progress(struct exchange *x, struct job *j)
{
	int64_t pages = group_integer(x, IPP_TAG_JOB, "job-pages-completed");
	int64_t k_octets = group_integer(x, IPP_TAG_JOB, "job-k-octets-processed");
	bool progress = x->told.impressions >= 0 && x->told.impressions != j->impressions;

	if (x->told.impressions >= 0)
		j->impressions = x->told.impressions;
	if (x->told.sheets >= 0)
		j->sheets = x->told.sheets;
	if (pages >= 0)
		j->pages = pages;
	if (k_octets >= 0)
		j->k_octets = k_octets;
	if (x->told.reasons != NULL)
		job_set_device_reasons(j, ippFindAttribute(x->request,
		                                           "output-device-job-state-reasons",
		                                           IPP_TAG_ZERO));
	if (x->told.message != NULL && !printer_quirk(j->printer, QUIRK_IPPSERVER_11))
		job_set_text(&j->message, x->told.message);
	if (progress)
		events_job(j, EVENT_JOB_PROGRESS);
}

int infra_update_job_status(struct exchange *x)
{
	int64_t state = group_integer(x, IPP_TAG_JOB, "output-device-job-state");
	int status = 0;
	struct job *j = need_job(x, &status);

	x->told.state = (int)state;
	x->told.impressions = group_integer(x, IPP_TAG_JOB, "job-impressions-completed");
	x->told.sheets = group_integer(x, IPP_TAG_JOB, "job-media-sheets-completed");
	x->told.reasons = group_text(x, "output-device-job-state-reasons");
	x->told.message = group_text(x, "output-device-job-state-message");
	if (j == NULL)
		return status;
	if (state >= 0 && (state < 3 || state > 9)) {
		record_violation(x, "value", "output-device-job-state %d", (int)state);
		return exchange_refuse(x, IPP_STATUS_ERROR_ATTRIBUTES_OR_VALUES, "bad state");
	}
	if (!is_mine(x, j) && !job_refused_by(j, x->uuid)) {
		if (j->device == NULL && !job_is_final(j))
			record_violation(x, "unacknowledged-job", "job %d is not acknowledged",
			                 j->id);
		else
			record_notice(x, "late-status", "job %d is not this device's", j->id);
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE, "not your job");
	}
	up_keep_microsoft(x, j);
	status = check_final(x, j, state);
	if (status != 0 || job_is_final(j))
		return status;
	if (!is_mine(x, j)) /* refused; others may still take it */
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE, "not your job");
	if (job_is_fetchable(j) && !printer_quirk(j->printer, QUIRK_IPPSERVER_3) && !j->zombie)
		record_notice(x, "fetchable-again", "job %d is fetchable", j->id);
	status = state == IPP_JSTATE_COMPLETED ? check_completed(x, j) : 0;
	if (status != 0)
		return status;
	take_progress(x, j);
	if (state >= 0)
		j->device_state = (int)state;
	if (state >= IPP_JSTATE_CANCELED)
		j->final_told++;
	if (state >= 0)
		apply_device_state(j, (int)state);
	return IPP_STATUS_OK;
}

int infra_acknowledge_identify_printer(struct exchange *x)
{
	struct identify *identify = &x->printer->identify;
	const char *values[16];
	char *next, *one;
	int n = 0, status = need_device(x);

	if (status != 0)
		return status;
	if (!identify->pending)
		return exchange_refuse(x, IPP_STATUS_ERROR_NOT_POSSIBLE, "nothing to identify");
	identify->pending = false;
	AUTO(free_str) char *actions = xstrdup(identify->actions);
	for (next = actions; (one = strsep(&next, ",")) != NULL && n < 16;)
		values[n++] = one;
	ippAddStrings(x->answer, IPP_TAG_OPERATION, IPP_TAG_KEYWORD, "identify-actions", n, NULL,
	              values);
	if (identify->message != NULL)
		ippAddString(x->answer, IPP_TAG_OPERATION, IPP_TAG_TEXT, "message", NULL,
		             identify->message);
	events_printer(x->printer, EVENT_PRINTER_STATE);
	return IPP_STATUS_OK;
}
