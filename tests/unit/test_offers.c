#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <cups/cups.h>

#include "common/util.h"
#include "connector/cloud/dialect.h"
#include "connector/cloud/offers.h"

static ipp_t *answer_new(void)
{
	ipp_t *m = ippNew();

	ippAddString(m, IPP_TAG_OPERATION, IPP_TAG_CHARSET, "attributes-charset", NULL, "utf-8");
	return m;
}

static void add_job(ipp_t *m, int id, int state, const char *reason, int priority)
{
	ippAddSeparator(m);
	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-id", id);
	if (state)
		ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_ENUM, "job-state", state);
	if (reason)
		ippAddString(m, IPP_TAG_JOB, IPP_TAG_KEYWORD, "job-state-reasons", NULL, reason);
	if (priority)
		ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-priority", priority);
}

static struct offers decode(ipp_t *m)
{
	struct offers o;

	offers_decode(m, &dialect_ipp_infra, &o);
	ippDelete(m);
	return o;
}

static void test_nothing_listed_is_nothing_offered(void **state)
{
	struct offers o = decode(answer_new());

	(void)state;
	assert_int_equal(o.count, 0);
	assert_int_equal(o.canceled_count, 0);
	offers_clear(&o);
}

static void test_offers_come_by_priority_then_job_id(void **state)
{
	static const int order[] = { 9, 2, 5, 7, 3 };
	ipp_t *m = answer_new();
	struct offers o;

	(void)state;
	add_job(m, 7, 6, "job-fetchable", 0);
	add_job(m, 3, 6, "job-fetchable", 1);
	add_job(m, 2, 6, "job-fetchable", 50);
	add_job(m, 9, 3, "job-fetchable", 100);
	add_job(m, 5, 6, "job-fetchable", 50);
	o = decode(m);
	assert_int_equal(o.count, ARRAY_SIZE(order));
	for (size_t i = 0; i < o.count; i++)
		assert_int_equal(o.jobs[i].job, order[i]);
	assert_int_equal(o.jobs[3].priority, 50);
	offers_clear(&o);
}

static void test_only_pending_and_stopped_jobs_are_fetchable(void **state)
{
	struct offers o;
	ipp_t *m = answer_new();

	(void)state;
	for (int s = 0; s <= 12; s++)
		add_job(m, 10 + s, s, "job-fetchable", 0);
	add_job(m, 40, -1, "job-fetchable", 0);
	add_job(m, 41, 1000, "job-fetchable", 0);
	o = decode(m);
	assert_int_equal(o.count, 2);
	assert_int_equal(o.jobs[0].job, 13);
	assert_int_equal(o.jobs[1].job, 16);
	assert_int_equal(o.canceled_count, 1);
	assert_int_equal(o.canceled[0], 17);
	offers_clear(&o);
}

static void test_a_server_that_ignores_the_filter_offers_nothing_more(void **state)
{
	ipp_t *m = answer_new();
	struct offers o;

	(void)state;
	add_job(m, 1, 3, "none", 0);
	add_job(m, 2, 6, "job-suspended", 0);
	add_job(m, 3, 3, NULL, 0);
	o = decode(m);
	assert_int_equal(o.count, 1); /* reasons were not told at all */
	assert_int_equal(o.jobs[0].job, 3);
	offers_clear(&o);
}

static void test_a_job_being_canceled_is_told_not_offered(void **state)
{
	ipp_t *m = answer_new();
	struct offers o;

	(void)state;
	add_job(m, 1, 6, "job-canceled-by-user", 0);
	add_job(m, 2, 5, "job-canceled-by-operator", 0);
	add_job(m, 3, 9, "job-canceled-by-user", 0);
	o = decode(m);
	assert_int_equal(o.count, 0);
	assert_int_equal(o.canceled_count, 2);
	offers_clear(&o);
}

static void test_identity_is_read_and_made_safe(void **state)
{
	ipp_t *m = answer_new();
	struct offers o;

	(void)state;
	add_job(m, 1, 6, "job-fetchable", 777);
	ippAddString(m, IPP_TAG_JOB, IPP_TAG_URI, "job-uuid", NULL, "urn:uuid:\x1b[31m-a");
	ippAddDate(m, IPP_TAG_JOB, "date-time-at-creation", ippTimeToDate(1700000000));
	add_job(m, 2, 6, "job-fetchable", 0);
	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-uuid", 5);
	o = decode(m);
	assert_int_equal(o.count, 2);
	assert_string_equal(o.jobs[0].uuid, "urn:uuid:?[31m-a");
	assert_int_equal(o.jobs[0].created, 1700000000);
	assert_int_equal(o.jobs[0].priority, 50);
	assert_string_equal(o.jobs[1].uuid, "");
	assert_int_equal(o.jobs[1].created, 0);
	offers_clear(&o);
}

static void test_wrong_ids_and_wrong_types_are_no_jobs(void **state)
{
	ipp_t *m = answer_new();
	struct offers o;

	(void)state;
	add_job(m, 0, 6, "job-fetchable", 0);
	add_job(m, -5, 6, "job-fetchable", 0);
	ippAddSeparator(m);
	ippAddString(m, IPP_TAG_JOB, IPP_TAG_KEYWORD, "job-id", NULL, "7");
	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_ENUM, "job-state", 6);
	o = decode(m);
	assert_int_equal(o.count, 0);
	offers_clear(&o);
}

static void test_a_job_listed_twice_is_offered_once(void **state)
{
	ipp_t *m = answer_new();
	struct offers o;

	(void)state;
	add_job(m, 4, 6, "job-fetchable", 0);
	add_job(m, 4, 6, "job-fetchable", 0);
	o = decode(m);
	assert_int_equal(o.count, 1);
	offers_clear(&o);
}

static void test_a_flood_is_cut(void **state)
{
	ipp_t *m = answer_new();
	struct offers o;

	(void)state;
	for (int i = 1; i <= OFFERS_MAX + 10; i++)
		add_job(m, i, i % 2 ? 6 : 7, "job-fetchable", 0);
	o = decode(m);
	assert_int_equal(o.count + o.canceled_count, OFFERS_MAX);
	offers_clear(&o);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_listed_is_nothing_offered),
		cmocka_unit_test(test_offers_come_by_priority_then_job_id),
		cmocka_unit_test(test_only_pending_and_stopped_jobs_are_fetchable),
		cmocka_unit_test(test_a_server_that_ignores_the_filter_offers_nothing_more),
		cmocka_unit_test(test_a_job_being_canceled_is_told_not_offered),
		cmocka_unit_test(test_identity_is_read_and_made_safe),
		cmocka_unit_test(test_wrong_ids_and_wrong_types_are_no_jobs),
		cmocka_unit_test(test_a_job_listed_twice_is_offered_once),
		cmocka_unit_test(test_a_flood_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
