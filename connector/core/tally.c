#include "connector/core/tally.h"

#include "connector/core/core.h"

void tally_job(struct core_tally *t, const struct job_record *r)
{
	const struct {
		int64_t from, to; /* Unix ms; 0: never */
	} stages[CORE_STAGE_COUNT] = {
		[CORE_STAGE_CLOUD] = { r->cloud_created * 1000, r->received },
		[CORE_STAGE_CLAIM] = { r->received, r->acked },
		[CORE_STAGE_TRANSFER] = { r->acked, r->handed },
		[CORE_STAGE_QUEUE] = { r->handed, r->finished },
		[CORE_STAGE_REPORT] = { r->finished, r->reported },
	};

	t->finished[r->outcome]++;
	for (int i = 0; i < CORE_STAGE_COUNT; i++)
		if (stages[i].from && stages[i].to)
			histogram_add(&t->stages[i], (stages[i].to - stages[i].from) * 1000);
}
