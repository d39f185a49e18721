/* dialect.h - what differs between the cloud services that speak IPP INFRA, as data. Pure. */
#ifndef CONNECTOR_CLOUD_DIALECT_H
#define CONNECTOR_CLOUD_DIALECT_H

#include <stdbool.h>

struct dialect {
	const char *name;          /* `type` of a cloud in the configuration */
	unsigned fetchable_states; /* bits 1 << ipp_jstate_t which a fetchable job may have */
	int lease_s;               /* asked of a subscription; 0: for ever */
	bool active_jobs;          /* Update-Active-Jobs is understood */
	bool refusal_ends_job;     /* a refused job is ended by Update-Job-Status too */
	bool document_status;      /* Update-Document-Status and Acknowledge-Document at the end */
	bool canceled_is_checked;  /* "canceled" may be ignored: look, then say "aborted" */
	const char *const *events; /* NULL-ended: what is subscribed to */
	const char *const *compressions; /* NULL-ended: what Fetch-Document accepts, best first */
	/* NULL-ended: attributes that are never told; '*' at an end matches anything. */
	const char *const *withheld;
};

extern const struct dialect dialect_ipp_infra;

const struct dialect *dialect_find(const char *name); /* NULL: unknown */
/* Whether this attribute of a queue is told to the cloud. */
bool dialect_takes(const struct dialect *d, const char *attribute);

#endif
