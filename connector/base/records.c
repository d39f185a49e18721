#include "connector/base/records.h"

#include <assert.h>

#include "common/util.h"

static const char *const state_names[] = {
#define X(name, text) [JOB_##name] = text,
	JOB_STATES(X)
#undef X
};

static const char *const outcome_names[] = {
#define X(name, text) [OUTCOME_##name] = text,
	JOB_OUTCOMES(X)
#undef X
};

const char *job_state_name(enum job_state state)
{
	assert((size_t)state < ARRAY_SIZE(state_names));
	return state_names[state];
}

const char *job_outcome_name(enum job_outcome outcome)
{
	assert((size_t)outcome < ARRAY_SIZE(outcome_names));
	return outcome_names[outcome];
}
