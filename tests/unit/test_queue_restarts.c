/* Whether cupsd was restarted while it had a job, in virtual time. */
#include "tests/unit/fake_ipp.h"

#define UUID "urn:uuid:11111111-2222-4333-8444-555555555555"
#define ID   "0123456789abcdef"
#define OURS 5

struct seen {
	struct local_watch w;
	unsigned count;
	struct local_job job;
};

static void on_changed(struct local_watch *w, const struct local_job *job, const struct err *err)
{
	struct seen *s = w->data;

	assert_null(err);
	s->count++;
	s->job = *job;
}

static void watch(struct fixture *f, struct seen *s)
{
	*s = (struct seen){ .count = 0 };
	s->w = (struct local_watch){
		.changed = on_changed, .data = s, .user_name = "anna", .job = 7, .job_uuid = UUID
	};
	queue_ops.watch(f->q, &s->w);
	pass(0);
}

static ipp_t *job(ipp_jstate_t state, int created, int processing)
{
	ipp_t *m = add_job(new_answer(), 7, state, "none", UUID);

	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "time-at-creation", created);
	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "time-at-processing", processing);
	return m;
}

static void add_subscription(ipp_t *m, int number, const char *data)
{
	if (ippFirstAttribute(m) != NULL)
		ippAddSeparator(m);
	ippAddOctetString(m, IPP_TAG_SUBSCRIPTION, "notify-user-data", data, (int)strlen(data));
	ippAddInteger(m, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER, "notify-subscription-id", number);
}

/* Get-Notifications of our subscription, not of the one to everything else. */
static size_t ours(void)
{
	for (size_t i = 0; i < fake.count; i++)
		if (op_code(i) == IPP_OP_GET_NOTIFICATIONS &&
		    ipp_get_int(fake.ops[i]->request, IPP_TAG_OPERATION, "notify-subscription-ids",
		                0) == OURS)
			return i;
	fail_msg("nobody asks for starts");
	return 0;
}

static void answer_starts(int a, int b)
{
	ipp_t *m = new_answer();

	for (int i = 0; i < 2; i++) {
		ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER,
		              "notify-sequence-number", i + 1);
		ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER, "printer-up-time",
		              i ? b : a);
		ippAddSeparator(m);
	}
	finish_op(ours(), m, NULL);
}

/* Ours is there from an earlier life, after somebody else's. */
static void open_known(struct fixture *f, int a, int b)
{
	ipp_t *m = new_answer();

	fake_id = ID;
	open_fixture(f, "laser");
	add_subscription(m, 4, "0123456789abcdee");
	add_subscription(m, OURS, ID);
	add_subscription(m, 6, "another");
	answer(IPP_OP_GET_SUBSCRIPTIONS, m);
	answer(IPP_OP_RENEW_SUBSCRIPTION, new_answer());
	answer_starts(a, b);
	settle_fixture(f);
}

static void test_a_restart_while_cups_had_the_job_is_told_whoever_was_there(void **state)
{
	static const struct {
		int created, processing;
		bool told;
	} cases[] = { { 90, 95, true },   { 90, 100, true },   { 90, 300, true },
		      { 100, 100, true }, { 101, 101, false }, { 90, 0, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		struct seen s;

		open_known(&f, 40, 100);
		watch(&f, &s);
		answer(IPP_OP_GET_JOB_ATTRIBUTES,
		       job(IPP_JSTATE_COMPLETED, cases[i].created, cases[i].processing));
		assert_int_equal(s.job.outcome, OUTCOME_COMPLETED);
		assert_int_equal(s.job.printed_again, cases[i].told);
		close_fixture(&f);
	}
}

static void test_a_job_that_cups_lost_sight_of_is_not_waited_for(void **state)
{
	struct fixture f;
	struct seen s;

	(void)state;
	open_known(&f, 40, 100);
	watch(&f, &s);
	for (int64_t end = fake.now + 20000; fake.now < end; pass(100)) {
		if (is_waiting(IPP_OP_GET_JOB_ATTRIBUTES))
			answer(IPP_OP_GET_JOB_ATTRIBUTES, job(IPP_JSTATE_PENDING, 90, 95));
		assert_true(!s.job.incoming || fake.now > end - 6000);
	}
	assert_true(s.job.incoming);
	queue_ops.unwatch(&s.w);
	close_fixture(&f);
}

/* Only the last start is told: it may have been started before that as well. */
static void test_what_began_since_it_was_asked_before_may_have_begun_twice(void **state)
{
	for (int late = 0; late < 2; late++) {
		struct fixture f;
		struct seen s;

		(void)state;
		open_known(&f, 1, 1);
		fake.now = 93000; /* seconds by the clock on the wall */
		fake.connections++;
		watch(&f, &s);
		answer(IPP_OP_GET_JOB_ATTRIBUTES, job(IPP_JSTATE_PROCESSING, 80, 90));
		answer_starts(1, 1);
		pass(0);
		answer(IPP_OP_GET_JOB_ATTRIBUTES, job(IPP_JSTATE_PROCESSING, 80, 90));
		fake.now = 101000;
		pass(2000);
		fake.connections++;
		answer(IPP_OP_GET_JOB_ATTRIBUTES, job(IPP_JSTATE_COMPLETED, 80, late ? 95 : 90));
		answer_starts(1, 100);
		pass(0);
		answer(IPP_OP_GET_JOB_ATTRIBUTES, job(IPP_JSTATE_COMPLETED, 80, late ? 95 : 90));
		assert_int_equal(s.job.outcome, OUTCOME_COMPLETED);
		assert_int_equal(s.job.printed_again, late);
		close_fixture(&f);
	}
}

static void test_after_a_new_connection_nothing_is_believed_before_cups_was_asked(void **state)
{
	struct fixture f;
	struct seen s;

	(void)state;
	open_known(&f, 40, 40);
	watch(&f, &s);
	answer(IPP_OP_GET_JOB_ATTRIBUTES, job(IPP_JSTATE_PENDING, 90, 0));
	pass(10);
	fake.connections++;
	answer(IPP_OP_GET_JOB_ATTRIBUTES, job(IPP_JSTATE_COMPLETED, 90, 101));
	assert_int_equal(s.count, 1);
	answer_starts(40, 100);
	pass(0);
	answer(IPP_OP_GET_JOB_ATTRIBUTES, job(IPP_JSTATE_COMPLETED, 90, 101));
	assert_int_equal(s.count, 2);
	assert_true(s.job.printed_again);
	close_fixture(&f);
}

static void test_without_an_answer_it_is_asked_again(void **state)
{
	struct fixture f;
	struct seen s;

	(void)state;
	open_known(&f, 40, 40);
	watch(&f, &s);
	fake.connections++;
	answer(IPP_OP_GET_JOB_ATTRIBUTES, job(IPP_JSTATE_COMPLETED, 90, 95));
	cut(IPP_OP_GET_NOTIFICATIONS, ERR_TEMPORARY, 7);
	pass(0);
	answer(IPP_OP_GET_JOB_ATTRIBUTES, job(IPP_JSTATE_COMPLETED, 90, 95));
	assert_int_equal(s.count, 0);
	answer_starts(40, 40);
	pass(0);
	answer(IPP_OP_GET_JOB_ATTRIBUTES, job(IPP_JSTATE_COMPLETED, 90, 95));
	assert_int_equal(s.count, 1);
	assert_false(s.job.printed_again);
	close_fixture(&f);
}

static void subscribe(bool refused)
{
	ipp_t *m = new_answer();
	int len;

	answer(IPP_OP_GET_SUBSCRIPTIONS, new_answer());
	assert_memory_equal(
		ippGetOctetString(ippFindAttribute(asked(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS),
	                                           "notify-user-data", IPP_TAG_STRING),
	                          0, &len),
		ID, strlen(ID));
	if (refused) {
		ippDelete(m);
		refuse(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS, IPP_STATUS_ERROR_TOO_MANY_SUBSCRIPTIONS,
		       "too many");
		return;
	}
	ippAddInteger(m, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER, "notify-subscription-id", OURS);
	answer(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS, m);
}

static void test_before_the_subscription_anything_may_have_been(void **state)
{
	(void)state;
	for (int refused = 0; refused < 2; refused++)
		for (int slow = 0; slow < 2; slow++) {
			struct fixture f;
			struct seen s;

			fake_id = ID;
			open_fixture(&f, "laser");
			fake.now = 100000; /* by the clock on the wall */
			subscribe(refused);
			settle_fixture(&f);
			watch(&f, &s);
			answer(IPP_OP_GET_JOB_ATTRIBUTES,
			       job(IPP_JSTATE_COMPLETED, 90, slow ? 95 : 90));
			assert_int_equal(s.count, 1);
			assert_int_equal(s.job.printed_again, slow && !refused);
			close_fixture(&f);
		}
}

static void test_a_subscription_that_is_gone_is_made_again(void **state)
{
	struct fixture f;
	struct seen s;
	struct err gone;

	(void)state;
	open_known(&f, 40, 40);
	pass(100000);
	watch(&f, &s);
	fake.connections++;
	answer(IPP_OP_GET_JOB_ATTRIBUTES, job(IPP_JSTATE_PROCESSING, 90, 95));
	ipp_status_err(IPP_STATUS_ERROR_NOT_FOUND, "gone", &gone);
	finish_op(ours(), new_answer(), &gone);
	subscribe(false);
	pass(0);
	answer(IPP_OP_GET_JOB_ATTRIBUTES, job(IPP_JSTATE_PROCESSING, 90, 95));
	assert_true(s.job.printed_again);
	queue_ops.unwatch(&s.w);
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_restart_while_cups_had_the_job_is_told_whoever_was_there),
		cmocka_unit_test(test_a_job_that_cups_lost_sight_of_is_not_waited_for),
		cmocka_unit_test(test_what_began_since_it_was_asked_before_may_have_begun_twice),
		cmocka_unit_test(
			test_after_a_new_connection_nothing_is_believed_before_cups_was_asked),
		cmocka_unit_test(test_without_an_answer_it_is_asked_again),
		cmocka_unit_test(test_before_the_subscription_anything_may_have_been),
		cmocka_unit_test(test_a_subscription_that_is_gone_is_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
