/* job_line.c - jobs of the store stand in line to be talked about with the cloud: a start takes up
 * thousands, few have their turn at once. */
#include "connector/core/core_private.h"

#define TALKING_MAX 32 /* jobs of the store at once */

static void step_out(struct job *j)
{
	if (j->in_line)
		TAILQ_REMOVE(&j->core->line, j, line);
	j->in_line = false;
}

bool job_is_in_line(const struct job *j)
{
	return j->in_line && j->core->talking == TALKING_MAX;
}

bool job_may_talk(struct job *j)
{
	struct core *c = j->core;

	if (!j->from_store)
		return true;
	if (c->talking == TALKING_MAX) {
		if (!j->in_line)
			TAILQ_INSERT_TAIL(&c->line, j, line);
		j->in_line = true;
		return false;
	}
	step_out(j);
	c->talking++;
	j->from_store = false;
	j->talks = true;
	return true;
}

void job_talked(struct job *j)
{
	struct core *c = j->core;
	struct job *next;

	if (!j->talks)
		return;
	j->talks = false;
	c->talking--;
	while ((next = TAILQ_FIRST(&c->line))) {
		step_out(next);
		timer_start(&next->timer, 0);
		if (next->printer->channel_state == CHANNEL_ONLINE)
			return; /* the others go on when their channel is up */
	}
}

void job_leave_line(struct job *j)
{
	step_out(j);
	job_talked(j);
}
