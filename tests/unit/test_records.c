#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "connector/base/records.h"

static void test_states_have_the_words_of_the_manual(void **state)
{
	static const char *const words[] = { "claiming", "handing",   "printing", "waiting",
		                             "held",     "reporting", "done" };

	(void)state;
	assert_int_equal(JOB_STATE_COUNT, 7);
	for (int i = 0; i < JOB_STATE_COUNT; i++)
		assert_string_equal(job_state_name((enum job_state)i), words[i]);
}

static void test_outcomes_have_the_words_of_the_manual(void **state)
{
	(void)state;
	assert_int_equal(OUTCOME_COUNT, 4);
	assert_string_equal(job_outcome_name(OUTCOME_NONE), "");
	assert_string_equal(job_outcome_name(OUTCOME_COMPLETED), "completed");
	assert_string_equal(job_outcome_name(OUTCOME_ABORTED), "aborted");
	assert_string_equal(job_outcome_name(OUTCOME_CANCELED), "canceled");
}

static void test_a_zeroed_record_is_a_job_that_is_being_claimed(void **state)
{
	struct job_record job = { 0 };

	(void)state;
	assert_string_equal(job_state_name(job.state), "claiming");
	assert_string_equal(job_outcome_name(job.outcome), "");
	assert_string_equal(err_kind_name(job.error_kind), "none");
}

static void test_no_two_words_are_the_same(void **state)
{
	(void)state;
	for (int a = 0; a < JOB_STATE_COUNT; a++)
		for (int b = 0; b < a; b++)
			assert_string_not_equal(job_state_name((enum job_state)a),
			                        job_state_name((enum job_state)b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states_have_the_words_of_the_manual),
		cmocka_unit_test(test_outcomes_have_the_words_of_the_manual),
		cmocka_unit_test(test_a_zeroed_record_is_a_job_that_is_being_claimed),
		cmocka_unit_test(test_no_two_words_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
