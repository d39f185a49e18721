/* places.h - the queue and cloud that a job's printer means, looked up once for all jobs of an
 * answer. Loop thread only. */
#ifndef CONNECTOR_CONTROL_PLACES_H
#define CONNECTOR_CONTROL_PLACES_H

#include <stddef.h>

#include <cJSON.h>

#include "connector/core/core.h"

struct places {
	struct core *core;   /* borrowed */
	struct place *items; /* owned, by the printer's id */
	size_t n, room;
};

void places_init(struct places *p, struct core *core);
void places_clear(struct places *p);
/* As type Job of the interface; the caller owns it. */
cJSON *places_job(const struct places *p, const struct job_record *job);

#endif
