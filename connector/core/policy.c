#include "connector/core/policy.h"

#include "common/util.h"

static struct policy_out final(enum job_outcome outcome, const char *reasons)
{
	return (struct policy_out){ JOB_REPORTING, outcome, reasons };
}

static struct policy_out move(enum job_state to)
{
	return (struct policy_out){ to, OUTCOME_NONE, "" };
}

/* What is wrong with a document, in the words of RFC 8011 5.3.8 and PWG 5100.13. */
static const char *document_reasons(const struct err *err)
{
	static const struct {
		int code; /* RFC 8011 appendix B, PWG 5100.13 */
		const char *reasons;
	} known[] = {
		{ 0x040a, "aborted-by-system,unsupported-document-format" },
		{ 0x0411, "aborted-by-system,document-format-error" },
		{ 0x0418, "aborted-by-system,document-password-error" },
	};

	for (size_t i = 0; err->kind == ERR_REJECTED && i < ARRAY_SIZE(known); i++)
		if (known[i].code == err->code)
			return known[i].reasons;
	return "document-access-error";
}

/* Nothing came out: the kind of failure alone decides. */
static struct policy_out after_failure(const struct policy_in *in, const char *reasons)
{
	switch (in->err->kind) {
	case ERR_NONE:
		return move(JOB_HANDING);
	case ERR_TEMPORARY:
	case ERR_CORRUPT:
	case ERR_CANCELED: /* the daemon stops, or took it back: try again */
		return move(JOB_WAITING);
	case ERR_GONE:
		/* a queue may come back; a document that the cloud has dropped does not */
		return in->place == POLICY_DOCUMENT ? final(OUTCOME_ABORTED, reasons)
		                                    : move(JOB_WAITING);
	case ERR_DENIED:
		/* the cloud refusing our credentials is not the job's fault */
		return in->place == POLICY_DOCUMENT ? move(JOB_WAITING)
		                                    : final(OUTCOME_ABORTED, reasons);
	case ERR_REJECTED:
		/* a queue that was just changed or restarted gets one more chance, the cloud and
		 * what we see ourselves do not change */
		return in->place == POLICY_DOCUMENT || in->refused ? final(OUTCOME_ABORTED, reasons)
		                                                   : move(JOB_WAITING);
	}
	return move(JOB_WAITING);
}

static struct policy_out after_unknown(const struct policy_in *in)
{
	if (in->age_ms >= in->give_up_ms)
		return final(OUTCOME_ABORTED, "aborted-by-system");
	switch (in->when_unknown) {
	case CONFIG_UNKNOWN_HOLD:
		return move(JOB_HELD);
	case CONFIG_UNKNOWN_PRINT_AGAIN:
		return move(JOB_WAITING);
	case CONFIG_UNKNOWN_ABORT:
		return final(OUTCOME_ABORTED, "aborted-by-system");
	}
	return move(JOB_HELD);
}

static struct policy_out after_end(const struct policy_in *in)
{
	switch (in->outcome) {
	case OUTCOME_COMPLETED:
		return final(OUTCOME_COMPLETED, "job-completed-successfully");
	case OUTCOME_ABORTED:
		return final(OUTCOME_ABORTED, "aborted-by-system");
	case OUTCOME_CANCELED:
		if (in->cancel_requested)
			return final(OUTCOME_CANCELED, "job-canceled-by-user");
		if (in->timed_out)
			return final(OUTCOME_ABORTED, "aborted-by-system");
		return final(OUTCOME_CANCELED, "canceled-at-device");
	case OUTCOME_NONE:
	case OUTCOME_COUNT:
		break;
	}
	return after_unknown(in);
}

struct policy_out policy_after(const struct policy_in *in)
{
	if (in->place == POLICY_PRINTED)
		return after_end(in);
	if (in->cancel_requested)
		return final(OUTCOME_CANCELED, "job-canceled-by-user");
	switch (in->place) {
	case POLICY_UNKNOWN:
		return after_unknown(in);
	case POLICY_TOO_LATE:
		return final(OUTCOME_ABORTED, "aborted-by-system");
	case POLICY_DOCUMENT:
	case POLICY_NOTHING_SENT:
	case POLICY_PRINTED:
		break;
	}
	if (in->err && in->age_ms >= in->give_up_ms)
		return final(OUTCOME_ABORTED, "aborted-by-system");
	if (!in->err)
		return move(JOB_HANDING);
	return after_failure(in, in->place == POLICY_DOCUMENT && in->err ? document_reasons(in->err)
	                                                                 : "aborted-by-system");
}
