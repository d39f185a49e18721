/* policy.h - what becomes of a job after something happened to it. Events in, decision out: no
 * clock, no randomness, no side effects; tested as a table. job.c does what is decided here. */
#ifndef CONNECTOR_CORE_POLICY_H
#define CONNECTOR_CORE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/err.h"
#include "connector/base/records.h"

/* Where it happened decides what may have come out of the printer. */
enum policy_place {
	POLICY_NOTHING_SENT, /* the queue has nothing, or what it had was taken back unprinted */
	POLICY_DOCUMENT,     /* the cloud did not give the document; nothing printed */
	POLICY_UNKNOWN,      /* paper may have come out */
	POLICY_PRINTED,      /* the queue told the end: ->outcome */
	POLICY_TOO_LATE,     /* give-up-after has passed; nothing can still print */
};

struct policy_in {
	enum policy_place place;
	const struct err *err;    /* NULL when nothing failed */
	enum job_outcome outcome; /* PRINTED: what the queue says */
	bool cancel_requested;    /* in the cloud or by the administrator */
	bool refused;             /* the failure before this one was a refusal by the queue */
	bool timed_out;           /* PRINTED: canceled by the queue at job-cancel-after */
	enum config_unknown when_unknown;
	int64_t age_ms, give_up_ms; /* since the job was received */
};

struct policy_out {
	enum job_state to;        /* HANDING: at once; WAITING; HELD; REPORTING */
	enum job_outcome outcome; /* REPORTING */
	const char *reasons;      /* REPORTING: job-state-reasons, comma-separated */
};

struct policy_out policy_after(const struct policy_in *in);

#endif
