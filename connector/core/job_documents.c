/* job_documents.c - handing: the documents of a job on their way, one after the other.
 *
 * Happy path, CUPS: each from the cloud straight to the queue. IPP printer: each into a transit
 * file, and when job_hand.c has made the local job, each from there to the printer.
 *
 * What can fail:
 *   from the cloud        into a file: nothing is at the printer, policy decides; to CUPS: the
 *                         local job is taken back
 *   to CUPS               the local job is taken back; canceled there: that is its end
 *   to an IPP printer     after the first byte nobody knows what it prints: held; an IPP error is
 *                         the printer's clear word: taken back; busy: its turn comes
 *   canceled meanwhile    as far as it can be taken back; what an IPP printer has is canceled while
 *                         it prints */
#include "connector/core/job_hand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/transit.h"

#define INTERNAL_CODE 0x0500 /* server-error-internal-error */
#define DEVICE_CODE   0x0504 /* server-error-device-error: the job is there, RFC 8011 B.1.5.5 */
#define CANCELED_CODE 0x0508 /* server-error-job-canceled: meanwhile, RFC 8011 B.1.5.9 */

/* An IPP printer that got some of a document: only an answer that refuses it says that nothing was
 * printed. */
static bool may_print(int status)
{
	return status == 0 || status == INTERNAL_CODE || status == DEVICE_CODE;
}

struct local_ticket job_ticket(struct job *j)
{
	bool hidden = job_settings(j)->job_name == CONFIG_JOB_NAME_HIDDEN || !*j->rec.job_name;
	int64_t left = j->core->set.config->give_up_after_ms - job_age_ms(j);

	(void)snprintf(j->hidden_name, sizeof(j->hidden_name), "job %lld", (long long)j->rec.id);
	return (struct local_ticket){
		.ticket = j->ticket,
		.mappings = &j->core->set.config->mappings,
		.job_uuid = j->local_uuid,
		.user_name = j->owner,
		.job_name = hidden ? j->hidden_name : j->rec.job_name,
		.cancel_after_s = (int32_t)(left > 1000 ? left / 1000 : 1),
	};
}

static void on_transferred(struct transfer *t, const struct err *err, bool at_queue);

static struct transfer *new_transfer(struct job *j, enum transfer_mode mode)
{
	const struct core_settings *set = &j->core->set;
	struct transfer *t = xcalloc(1, sizeof(*t));

	j->sent_ticket = job_ticket(j);
	t->mode = mode;
	t->clock = set->clock;
	t->cloud_ops = set->cloud_ops;
	t->queue_ops = set->queue_ops;
	t->channel = j->printer->channel;
	t->queue = j->printer->queue;
	t->transit = set->transit;
	t->convert = set->convert;
	t->to = job_sniff_queue(j);
	t->ticket = &j->sent_ticket;
	t->cloud_job = j->rec.cloud_job;
	t->number = j->document;
	t->local_job = j->rec.local_job;
	t->last = j->document == j->rec.documents;
	t->limit = (uint64_t)set->config->max_document_size;
	t->data = j;
	t->done = on_transferred;
	if (j->rec.documents == 1)
		(void)str_copy(t->format, sizeof(t->format), j->rec.format);
	return t;
}

static void start_document(struct job *j, enum transfer_mode mode)
{
	struct transfer *t = new_transfer(j, mode);
	struct err err;

	j->transfer = t;
	if (mode == TRANSFER_DELIVER) {
		t->file = j->files[j->document - 1];
		(void)str_copy(t->format, sizeof(t->format), j->formats[j->document - 1]);
		t->document_password = j->passwords[j->document - 1];
	} else if (mode == TRANSFER_COLLECT) {
		if (transit_create(j->core->set.transit, t->limit, &j->files[j->document - 1],
		                   &err) < 0) {
			job_hand_settle(j, POLICY_DOCUMENT, &err);
			return;
		}
		t->file = j->files[j->document - 1];
	}
	if ((mode != TRANSFER_DELIVER && job_is_replaced(j, &err)) || transfer_start(t, &err) < 0) {
		if (mode == TRANSFER_COLLECT)
			job_hand_settle(j, POLICY_DOCUMENT, &err);
		else
			job_undo(j, POLICY_DOCUMENT, &err);
		return;
	}
	if (mode == TRANSFER_PASS && j->rec.local_job)
		transfer_go(t, j->rec.local_job);
}

void job_documents_start(struct job *j, enum transfer_mode mode)
{
	size_t count = (size_t)j->rec.documents;

	j->document = 1;
	if (mode == TRANSFER_COLLECT) {
		j->files = xcalloc(count, sizeof(struct transit_file *));
		j->formats = xcalloc(count, sizeof(*j->formats));
		j->passwords = xcalloc(count, sizeof(struct sealed *));
	}
	start_document(j, mode);
}

static void end_transfer(struct job *j)
{
	struct transfer *t = TAKE(j->transfer);

	transfer_clear(t);
	free(t);
}

void job_documents_clear(struct job *j)
{
	if (j->transfer)
		end_transfer(j);
	for (int i = 0; j->files && i < j->rec.documents; i++) {
		transit_free(j->files[i]);
		free(j->passwords[i]);
	}
	free(TAKE(j->files));
	free(TAKE(j->passwords));
	free(TAKE(j->formats));
	j->document = 0;
}

static void say_converted(struct job *j)
{
	if (*j->transfer->from_format)
		job_event(j, "connector", "made %s of %s", j->transfer->format,
		          j->transfer->from_format);
}

static void on_collected(struct job *j)
{
	say_converted(j);
	(void)str_copy(j->formats[j->document - 1], NAME_SIZE, j->transfer->format);
	j->passwords[j->document - 1] = TAKE(j->transfer->fetch.document_password);
	end_transfer(j);
	if (j->document < j->rec.documents) {
		j->document++;
		start_document(j, TRANSFER_COLLECT);
		return;
	}
	job_hand_collected(j);
}

static void on_sent(struct job *j)
{
	bool whole = j->transfer->mode == TRANSFER_DELIVER;

	say_converted(j);
	if (whole && !j->rec.local_job)
		j->rec.local_job = j->transfer->send.job.id; /* Print-Job */
	if (whole && *j->transfer->send.job.own_uuid)
		(void)str_copy(j->rec.local_job_uuid, sizeof(j->rec.local_job_uuid),
		               j->transfer->send.job.own_uuid);
	if (whole && *j->transfer->send.dropped)
		(void)str_copy(j->rec.dropped, sizeof(j->rec.dropped), j->transfer->send.dropped);
	(void)str_copy(j->rec.format, sizeof(j->rec.format), j->transfer->format);
	end_transfer(j);
	if (j->document < j->rec.documents) {
		j->document++;
		start_document(j, whole ? TRANSFER_DELIVER : TRANSFER_PASS);
		return;
	}
	job_hand_sent(j);
}

/* The transfer of one document ended. */
static void on_transferred(struct transfer *t, const struct err *err, bool at_queue)
{
	struct job *j = t->data;
	struct err why;

	if (!err && t->mode != TRANSFER_DELIVER)
		j->rec.bytes += (int64_t)t->bytes;
	if (j->dead) {
		end_transfer(j);
		job_run(j);
		return;
	}
	if (!err && !j->rec.cancel_requested) {
		if (t->mode == TRANSFER_COLLECT)
			on_collected(j);
		else
			on_sent(j);
		return;
	}
	if (err)
		why = *err;
	else
		(void)err_set(&why, ERR_CANCELED, 0, "canceled");
	if (!at_queue && why.kind == ERR_GONE && !job_is_unknown_there(j, &why))
		why.kind = ERR_TEMPORARY;
	if (t->mode == TRANSFER_DELIVER && err && at_queue && !t->local_job &&
	    t->send.ipp.ipp_status == JOB_BUSY_CODE) {
		end_transfer(j);
		job_hand_refused_busy(j);
	} else if (t->mode == TRANSFER_COLLECT) {
		job_hand_settle(j, POLICY_DOCUMENT, &why);
	} else if (err && at_queue && t->send.ipp.ipp_status == CANCELED_CODE) {
		job_hand_canceled(j);
	} else if (t->mode == TRANSFER_DELIVER && err && t->first_byte &&
	           t->send.ipp.req.sent > 0 && may_print(t->send.ipp.ipp_status)) {
		/* after the first byte: it may print what it has */
		job_hand_unknown(j, &why);
	} else if (!err && t->mode == TRANSFER_DELIVER) {
		on_sent(j); /* too late to take it back: it is canceled while it prints */
	} else {
		job_undo(j, at_queue ? POLICY_NOTHING_SENT : POLICY_DOCUMENT, &why);
	}
}
