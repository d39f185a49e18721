#include "connector/printer/outcome.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "connector/printer/printer_text.h"

const char *const outcome_names[] = {
	"job-id",
	"job-uuid",
	"job-state",
	"job-state-reasons",
	"job-state-message",
	"job-printer-state-message",
	"job-printer-state-reasons",
	"time-at-creation",
	"time-at-processing",
	"time-at-completed",
	"job-impressions-completed",
	"job-media-sheets-completed",
	"number-of-documents",
};
const int outcome_name_count = (int)ARRAY_SIZE(outcome_names);

/* CUPS' words for "the IPP printer aborted or canceled it, not we". */
static const char canceled_at_printer[] = "canceled at printer";

/* The last warning of CUPS' lpd backend, which calls it success when the printer hangs up in place
 * of confirming the document, and says no more of a try that went well after one that did not. */
static const struct {
	const char *message, *meaning;
} unconfirmed[] = {
	{ "The printer did not respond.",
	  "unknown whether it printed: the printer hung up without confirming the document" },
	{ "Remote host did not accept data file",
	  "unknown whether it printed: the printer hung up in the middle of the document, and CUPS "
	  "does not say how the next try went" },
};

struct reading {
	struct local_job job;
	char printer_message[TEXT_SIZE], printer_reasons[NAME_SIZE];
};

static void join(ipp_attribute_t *attr, char *out, size_t size)
{
	int i;

	out[0] = '\0';
	for (i = 0; i < ippGetCount(attr); i++) {
		const char *word = ippGetString(attr, i, NULL);

		if (word == NULL || strcmp(word, "none") == 0 ||
		    strlen(out) + strlen(word) + 2 > size)
			continue;
		if (out[0] != '\0')
			printer_text_add(out, size, ",");
		printer_text_add(out, size, word);
	}
}

static void take_text(struct reading *r, const char *name, ipp_attribute_t *attr, bool cups)
{
	struct local_job *job = &r->job;
	const char *text = ippGetString(attr, 0, NULL);

	if (strcmp(name, "job-uuid") == 0 && cups)
		printer_text_copy(job->job_uuid, sizeof(job->job_uuid), text);
	else if (strcmp(name, "job-uuid") == 0)
		printer_text_copy(job->own_uuid, sizeof(job->own_uuid), text);
	else if (strcmp(name, "job-state-reasons") == 0)
		join(attr, job->reasons, sizeof(job->reasons));
	else if (strcmp(name, "job-state-message") == 0)
		printer_text_copy(job->message, sizeof(job->message), text);
	else if (strcmp(name, "job-printer-state-message") == 0)
		printer_text_copy(r->printer_message, sizeof(r->printer_message), text);
	else if (strcmp(name, "job-printer-state-reasons") == 0)
		join(attr, r->printer_reasons, sizeof(r->printer_reasons));
}

static void take_number(struct reading *r, const char *name, int number)
{
	struct local_job *job = &r->job;

	if (strcmp(name, "job-id") == 0)
		job->id = number;
	else if (strcmp(name, "job-state") == 0)
		job->state =
			number >= IPP_JSTATE_PENDING && number <= IPP_JSTATE_COMPLETED ? number : 0;
	else if (strcmp(name, "time-at-creation") == 0)
		job->created_at = number;
	else if (strcmp(name, "time-at-processing") == 0)
		job->processing_at = number;
	else if (strcmp(name, "time-at-completed") == 0)
		job->completed_at = number;
	else if (strcmp(name, "job-impressions-completed") == 0 && number > 0)
		job->impressions = number;
	else if (strcmp(name, "job-media-sheets-completed") == 0 && number > 0)
		job->sheets = number;
}

static void take(struct reading *r, ipp_attribute_t *attr, bool cups)
{
	const char *name = ippGetName(attr);
	ipp_tag_t tag = ippGetValueTag(attr);

	if (tag == IPP_TAG_INTEGER || tag == IPP_TAG_ENUM)
		take_number(r, name, ippGetInteger(attr, 0));
	else if (tag == IPP_TAG_KEYWORD || tag == IPP_TAG_URI || tag == IPP_TAG_TEXT ||
	         tag == IPP_TAG_TEXTLANG || tag == IPP_TAG_NAME)
		take_text(r, name, attr, cups);
}

static bool has(const struct reading *r, const char *reason)
{
	return printer_text_has(r->job.reasons, reason);
}

/* Held for a reason that only a person at the queue can take away. */
static void decide_held(struct reading *r)
{
	struct local_job *job = &r->job;
	const char *what = NULL;

	if (job->incoming)
		return;
	if (has(r, "cups-held-for-authentication"))
		what = "the queue wants a user name and password for its device: set them at the "
		       "queue, then release the job";
	else if (has(r, "job-password-wait"))
		what = "the printer waits for the job's password";
	else if (has(r, "job-hold-until-specified"))
		what = "held at the queue: release it there";
	else if (has(r, "account-authorization-failed") || has(r, "account-info-needed") ||
	         has(r, "account-closed") || has(r, "account-limit-reached"))
		what = "the printer's accounting holds the job: see to the user's account";
	if (what == NULL)
		return;
	job->stuck = true;
	printer_text_copy(job->message, sizeof(job->message), what);
}

static void decide_ended(struct reading *r)
{
	struct local_job *job = &r->job;
	bool by_printer = strcasestr(r->printer_message, canceled_at_printer) != NULL ||
	                  strcasestr(job->message, canceled_at_printer) != NULL;

	if (by_printer && r->printer_message[0] != '\0')
		printer_text_copy(job->message, sizeof(job->message), r->printer_message);
	job->outcome =
		by_printer || has(r, "aborted-by-system") ? OUTCOME_ABORTED : OUTCOME_CANCELED;
}

/* CUPS that was restarted keeps an open job as held, but no longer says why: it waits for its last
 * document for ever. One that it will try again by itself has begun before. */
static bool is_open_since_restart(const struct reading *r)
{
	return r->job.state == IPP_JSTATE_HELD && r->job.processing_at == 0 &&
	       (r->job.reasons[0] == '\0' || strcmp(r->job.reasons, "none") == 0);
}

/* CUPS takes a document for a job that was canceled meanwhile: the job is open again, prints at its
 * next start and not before, and still says when it had ended. */
static bool is_awake_again(const struct reading *r)
{
	return (r->job.state == IPP_JSTATE_HELD || r->job.state == IPP_JSTATE_PENDING) &&
	       r->job.completed_at != 0 && r->job.processing_at == 0;
}

static void decide_completed(struct reading *r, bool cups)
{
	struct local_job *job = &r->job;

	job->outcome = OUTCOME_COMPLETED;
	for (size_t i = 0; cups && i < ARRAY_SIZE(unconfirmed); i++) {
		const char *message = unconfirmed[i].message;

		if (strncmp(r->printer_message, message, strlen(message)) != 0)
			continue;
		job->unconfirmed = true;
		printer_text_copy(job->message, sizeof(job->message), unconfirmed[i].meaning);
	}
}

static void decide(struct reading *r, bool cups)
{
	struct local_job *job = &r->job;

	if (cups && is_awake_again(r)) {
		job->outcome = OUTCOME_CANCELED;
		return;
	}

	job->incoming = has(r, "job-incoming") || has(r, "job-data-insufficient") ||
	                (cups && is_open_since_restart(r));
	switch ((ipp_jstate_t)job->state) {
	case IPP_JSTATE_HELD:
		decide_held(r);
		break;
	case IPP_JSTATE_STOPPED:
		if (has(r, "job-completed-with-errors"))
			job->outcome = OUTCOME_ABORTED;
		break;
	case IPP_JSTATE_CANCELED:
		decide_ended(r);
		break;
	case IPP_JSTATE_ABORTED:
		job->outcome = OUTCOME_ABORTED;
		break;
	case IPP_JSTATE_COMPLETED:
		decide_completed(r, cups);
		break;
	case IPP_JSTATE_PENDING:
	case IPP_JSTATE_PROCESSING:
		break;
	}
	/* the printer's words say more than CUPS' "Job aborted." */
	if (!job->stuck && job->outcome != OUTCOME_COMPLETED && r->printer_message[0] != '\0')
		printer_text_copy(job->message, sizeof(job->message), r->printer_message);
}

static bool is_job_attribute(ipp_attribute_t *attr)
{
	return ippGetName(attr) != NULL && ippGetGroupTag(attr) == IPP_TAG_JOB;
}

void outcome_each(ipp_t *answer, bool cups, void (*each)(void *data, const struct local_job *job),
                  void *data)
{
	ipp_attribute_t *attr = ippFirstAttribute(answer);

	while (attr != NULL) {
		struct reading r = { .job = { .impressions = -1, .sheets = -1 } };
		bool any = false;

		for (; attr != NULL && is_job_attribute(attr); attr = ippNextAttribute(answer)) {
			take(&r, attr, cups);
			any = true;
		}
		if (any) {
			decide(&r, cups);
			each(data, &r.job);
		} else {
			attr = ippNextAttribute(answer);
		}
	}
}

struct first {
	struct local_job *ret;
	bool taken;
};

static void keep_first(void *data, const struct local_job *job)
{
	struct first *f = data;

	if (!f->taken)
		*f->ret = *job;
	f->taken = true;
}

bool outcome_read(ipp_t *answer, bool cups, struct local_job *ret)
{
	struct first f = { .ret = ret };

	outcome_each(answer, cups, keep_first, &f);
	return f.taken;
}

bool outcome_equal(const struct local_job *a, const struct local_job *b)
{
	return a->id == b->id && a->state == b->state && a->incoming == b->incoming &&
	       a->outcome == b->outcome && a->unconfirmed == b->unconfirmed &&
	       a->stuck == b->stuck && a->printed_again == b->printed_again &&
	       a->looping == b->looping && a->created_at == b->created_at &&
	       (a->looping || a->processing_at == b->processing_at) &&
	       a->completed_at == b->completed_at && a->impressions == b->impressions &&
	       a->sheets == b->sheets && strcmp(a->job_uuid, b->job_uuid) == 0 &&
	       strcmp(a->own_uuid, b->own_uuid) == 0 && strcmp(a->reasons, b->reasons) == 0 &&
	       strcmp(a->message, b->message) == 0;
}
