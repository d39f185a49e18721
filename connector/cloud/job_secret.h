/* job_secret.h - what a user tells only the printer (job-password, document-password), on its way
 * from the cloud's answer: sealed, and wiped where it stood in the plain. Loop thread only. */
#ifndef CONNECTOR_CLOUD_JOB_SECRET_H
#define CONNECTOR_CLOUD_JOB_SECRET_H

#include <stdbool.h>

#include <cups/ipp.h>

struct sealed;
struct vault;

/* NULL: the answer has no attribute of this name. Else for free(); of length 0 when there is one
 * that cannot be kept, so that the job is not printed as if there were none. */
struct sealed *job_secret_take(const struct vault *v, ipp_t *answer, const char *name);

/* Whether a ticket must not have an attribute of this name from outside. */
bool job_secret_is(const char *name);

#endif
