/* dialect.h - what differs between the cloud services that speak IPP INFRA, as data. Pure. */
#ifndef CONNECTOR_CLOUD_DIALECT_H
#define CONNECTOR_CLOUD_DIALECT_H

#include <stdbool.h>
#include <stdint.h>

struct dialect {
	unsigned fetchable_states; /* bits 1 << ipp_jstate_t which a fetchable job may have */
	int lease_s;               /* asked of a subscription; 0: for ever */
	bool active_jobs;          /* Update-Active-Jobs is understood */
	bool refusal_ends_job;     /* a refused job is ended by Update-Job-Status too */
	bool document_status;      /* Update-Document-Status at the end */
	bool document_acknowledge; /* Acknowledge-Document at the end */
	bool one_document;         /* a job never has more */
	bool notify_wait;          /* Get-Notifications may wait; else it is asked as often as the
	                              server says, for the next number wanted */
	bool list_all;             /* Get-Jobs asks for all attributes */
	bool internal_is_final;    /* internal-error may mean that a job was in a final state */
	bool microsoft;            /* Microsoft's own attributes are told */
	int64_t spread_ms;         /* channels of a large cloud start within this */
	int64_t relist_ms;         /* a list as safety beside notifications, */
	int64_t relist_all_ms;     /* and in place of them */
	bool canceled_is_checked;  /* "canceled" may be ignored: look, then say "aborted" */
	const char *const *events; /* NULL-ended: what is subscribed to */
	/* NULL-ended: what Fetch-Document accepts, best first; none: not said */
	const char *const *compressions;
	/* NULL-ended: attributes that are never told; '*' at an end matches anything. */
	const char *const *withheld;
};

extern const struct dialect dialect_ipp_infra;
extern const struct dialect dialect_universal_print;

/* Whether this attribute of a queue is told to the cloud. */
bool dialect_takes(const struct dialect *d, const char *attribute);

#endif
