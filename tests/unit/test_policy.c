#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "connector/core/policy.h"

#define ANY  (-1)
#define GIVE 1000

/* What ends the job is written as its outcome, else where it goes. */
#define GO(state)    JOB_##state, OUTCOME_NONE
#define END(outcome) JOB_REPORTING, OUTCOME_##outcome

/* The first line that fits decides; written from design 5, not from the code. */
static const struct rule {
	int place, kind; /* kind ERR_NONE: nothing failed */
	int outcome;     /* of the queue */
	int canceled, timed_out, unknown, too_old;
	enum job_state to;
	enum job_outcome end;
	const char *reasons;
} rules[] = {
	/* the queue told the end */
	{ POLICY_PRINTED, ANY, OUTCOME_COMPLETED, ANY, ANY, ANY, ANY, END(COMPLETED),
	  "job-completed-successfully" },
	{ POLICY_PRINTED, ANY, OUTCOME_ABORTED, ANY, ANY, ANY, ANY, END(ABORTED),
	  "aborted-by-system" },
	{ POLICY_PRINTED, ANY, OUTCOME_CANCELED, 1, ANY, ANY, ANY, END(CANCELED),
	  "job-canceled-by-user" },
	{ POLICY_PRINTED, ANY, OUTCOME_CANCELED, 0, 1, ANY, ANY, END(ABORTED),
	  "aborted-by-system" },
	{ POLICY_PRINTED, ANY, OUTCOME_CANCELED, 0, 0, ANY, ANY, END(CANCELED),
	  "canceled-at-device" },
	{ POLICY_PRINTED, ANY, OUTCOME_NONE, ANY, ANY, ANY, 1, END(ABORTED), "aborted-by-system" },
	{ POLICY_PRINTED, ANY, OUTCOME_NONE, ANY, ANY, CONFIG_UNKNOWN_HOLD, 0, GO(HELD), "" },
	{ POLICY_PRINTED, ANY, OUTCOME_NONE, ANY, ANY, CONFIG_UNKNOWN_PRINT_AGAIN, 0, GO(WAITING),
	  "" },
	{ POLICY_PRINTED, ANY, OUTCOME_NONE, ANY, ANY, CONFIG_UNKNOWN_ABORT, 0, END(ABORTED),
	  "aborted-by-system" },
	/* somebody asked, and nobody knows that it printed */
	{ ANY, ANY, ANY, 1, ANY, ANY, ANY, END(CANCELED), "job-canceled-by-user" },
	/* paper may have come out */
	{ POLICY_UNKNOWN, ANY, ANY, 0, ANY, ANY, 1, END(ABORTED), "aborted-by-system" },
	{ POLICY_UNKNOWN, ANY, ANY, 0, ANY, CONFIG_UNKNOWN_HOLD, 0, GO(HELD), "" },
	{ POLICY_UNKNOWN, ANY, ANY, 0, ANY, CONFIG_UNKNOWN_PRINT_AGAIN, 0, GO(WAITING), "" },
	{ POLICY_UNKNOWN, ANY, ANY, 0, ANY, CONFIG_UNKNOWN_ABORT, 0, END(ABORTED),
	  "aborted-by-system" },
	{ POLICY_TOO_LATE, ANY, ANY, 0, ANY, ANY, ANY, END(ABORTED), "aborted-by-system" },
	/* nothing came out */
	{ POLICY_NOTHING_SENT, ERR_NONE, ANY, 0, ANY, ANY, ANY, GO(HANDING), "" },
	{ POLICY_DOCUMENT, ERR_NONE, ANY, 0, ANY, ANY, ANY, GO(HANDING), "" },
	{ ANY, ANY, ANY, 0, ANY, ANY, 1, END(ABORTED), "aborted-by-system" },
	{ ANY, ERR_TEMPORARY, ANY, 0, ANY, ANY, 0, GO(WAITING), "" },
	{ ANY, ERR_CORRUPT, ANY, 0, ANY, ANY, 0, GO(WAITING), "" },
	{ ANY, ERR_CANCELED, ANY, 0, ANY, ANY, 0, GO(WAITING), "" },
	{ POLICY_DOCUMENT, ERR_GONE, ANY, 0, ANY, ANY, 0, END(ABORTED), "document-access-error" },
	{ POLICY_NOTHING_SENT, ERR_GONE, ANY, 0, ANY, ANY, 0, GO(WAITING), "" },
	{ POLICY_DOCUMENT, ERR_DENIED, ANY, 0, ANY, ANY, 0, GO(WAITING), "" },
	{ POLICY_NOTHING_SENT, ERR_DENIED, ANY, 0, ANY, ANY, 0, END(ABORTED), "aborted-by-system" },
	{ POLICY_DOCUMENT, ERR_REJECTED, ANY, 0, ANY, ANY, 0, END(ABORTED),
	  "document-access-error" },
	{ POLICY_NOTHING_SENT, ERR_REJECTED, ANY, 0, ANY, ANY, 0, GO(WAITING), "" },
};

static int fits(int want, int is)
{
	return want == ANY || want == is;
}

static const struct rule *rule_of(const struct policy_in *in)
{
	int kind = in->err ? (int)in->err->kind : (int)ERR_NONE;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct rule *r = &rules[i];

		if (fits(r->place, (int)in->place) && fits(r->kind, kind) &&
		    fits(r->outcome, (int)in->outcome) && fits(r->canceled, in->cancel_requested) &&
		    fits(r->timed_out, in->timed_out) && fits(r->unknown, (int)in->when_unknown) &&
		    fits(r->too_old, in->age_ms >= in->give_up_ms))
			return r;
	}
	return NULL;
}

/* Every place x kind x outcome x flags. */
static void each_case(void (*check)(const struct policy_in *in, const struct policy_out *out))
{
	for (unsigned n = 0; n < 5u * 7 * 4 * 2 * 2 * 3 * 3; n++) {
		static const int64_t ages[] = { 0, GIVE - 1, GIVE };
		unsigned left = n;
		struct err err = { .kind = (enum err_kind)(left % 7), .text = "why" };
		struct policy_in in = { .err = err.kind ? &err : NULL, .give_up_ms = GIVE };
		struct policy_out out;

		in.place = (enum policy_place)((left /= 7) % 5);
		in.outcome = (enum job_outcome)((left /= 5) % 4);
		in.cancel_requested = (left /= 4) % 2;
		in.timed_out = (left /= 2) % 2;
		in.when_unknown = (enum config_unknown)((left /= 2) % 3);
		in.age_ms = ages[(left / 3) % 3];
		out = policy_after(&in);
		check(&in, &out);
	}
}

static void check_rule(const struct policy_in *in, const struct policy_out *out)
{
	const struct rule *r = rule_of(in);

	if (!r || r->to != out->to || r->end != out->outcome ||
	    strcmp(r->reasons, out->reasons) != 0)
		fail_msg("place %d kind %d outcome %d cancel %d timed out %d unknown %d age %d: "
		         "%s %s %s, rule %d",
		         in->place, in->err ? (int)in->err->kind : 0, in->outcome,
		         in->cancel_requested, in->timed_out, in->when_unknown, (int)in->age_ms,
		         job_state_name(out->to), job_outcome_name(out->outcome), out->reasons,
		         r ? (int)(r - rules) : -1);
}

static void test_every_case_ends_where_the_table_says(void **state)
{
	(void)state;
	each_case(check_rule);
}

static void test_a_second_refusal_by_the_queue_is_final(void **state)
{
	struct err err = { .kind = ERR_REJECTED, .text = "no" };
	struct policy_in in = { .place = POLICY_NOTHING_SENT, .err = &err, .give_up_ms = GIVE };

	(void)state;
	assert_int_equal(policy_after(&in).to, JOB_WAITING);
	in.refused = true;
	assert_int_equal(policy_after(&in).outcome, OUTCOME_ABORTED);
	err.kind = ERR_TEMPORARY; /* what passes is never final */
	assert_int_equal(policy_after(&in).to, JOB_WAITING);
}

static void check_completed(const struct policy_in *in, const struct policy_out *out)
{
	if (out->outcome == OUTCOME_COMPLETED) {
		assert_int_equal(in->place, POLICY_PRINTED);
		assert_int_equal(in->outcome, OUTCOME_COMPLETED);
	}
}

static void test_completed_is_said_only_when_the_queue_says_so(void **state)
{
	(void)state;
	each_case(check_completed);
}

static void check_again(const struct policy_in *in, const struct policy_out *out)
{
	bool may_have_printed = in->place == POLICY_UNKNOWN || in->place == POLICY_PRINTED;

	if (may_have_printed && (out->to == JOB_HANDING || out->to == JOB_WAITING))
		assert_int_equal(in->when_unknown, CONFIG_UNKNOWN_PRINT_AGAIN);
}

static void test_what_may_have_printed_prints_again_only_by_setting(void **state)
{
	(void)state;
	each_case(check_again);
}

static void check_canceled(const struct policy_in *in, const struct policy_out *out)
{
	if (out->outcome == OUTCOME_CANCELED)
		assert_true(in->cancel_requested ||
		            (in->place == POLICY_PRINTED && in->outcome == OUTCOME_CANCELED &&
		             !in->timed_out));
}

static void test_canceled_is_said_only_when_somebody_asked(void **state)
{
	(void)state;
	each_case(check_canceled);
}

static void check_end(const struct policy_in *in, const struct policy_out *out)
{
	(void)in;
	assert_non_null(out->reasons);
	assert_true((out->to == JOB_REPORTING) == (out->outcome != OUTCOME_NONE));
	assert_true((out->to == JOB_REPORTING) == (*out->reasons != '\0'));
	assert_true(out->to == JOB_HANDING || out->to == JOB_WAITING || out->to == JOB_HELD ||
	            out->to == JOB_REPORTING);
}

static void test_an_end_has_outcome_and_reasons_and_nothing_else_has(void **state)
{
	(void)state;
	each_case(check_end);
}

static void check_old(const struct policy_in *in, const struct policy_out *out)
{
	if (in->age_ms >= in->give_up_ms && (in->err || in->place == POLICY_UNKNOWN))
		assert_int_equal(out->to, JOB_REPORTING);
}

static void test_a_failure_after_give_up_after_is_the_end(void **state)
{
	(void)state;
	each_case(check_old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_second_refusal_by_the_queue_is_final),
		cmocka_unit_test(test_every_case_ends_where_the_table_says),
		cmocka_unit_test(test_completed_is_said_only_when_the_queue_says_so),
		cmocka_unit_test(test_what_may_have_printed_prints_again_only_by_setting),
		cmocka_unit_test(test_canceled_is_said_only_when_somebody_asked),
		cmocka_unit_test(test_an_end_has_outcome_and_reasons_and_nothing_else_has),
		cmocka_unit_test(test_a_failure_after_give_up_after_is_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
