#include "connector/core/doctor_findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/str.h"
#include "common/util.h"

static struct doctor_result results[64];
static size_t n;

static void add(enum doctor_step step, enum doctor_mark mark, const char *cloud,
                const char *subject)
{
	struct doctor_result *r = &results[n++];

	*r = (struct doctor_result){ .step = step, .mark = mark };
	(void)str_copy(r->cloud, sizeof(r->cloud), cloud);
	(void)str_copy(r->subject, sizeof(r->subject), subject);
	(void)snprintf(r->text, sizeof(r->text), "%s is wrong", subject);
}

static int set_up(void **state)
{
	(void)state;
	n = 0;
	return 0;
}

static void expect(size_t count, enum doctor_step first)
{
	size_t found = doctor_findings(results, n);

	assert_int_equal(found, count);
	if (count)
		assert_int_equal(results[0].step, first);
}

static void test_nothing_wrong_is_no_finding(void **state)
{
	(void)state;
	expect(0, DOCTOR_DISK);
	add(DOCTOR_NAME, DOCTOR_PASS, "a", "host");
	add(DOCTOR_CUPS, DOCTOR_PASS, "", "socket");
	expect(0, DOCTOR_DISK);
}

/* Each cause with all that it brings about, in a world of two clouds and many printers. */
static void test_what_follows_from_a_cause_is_not_told(void **state)
{
	static const struct {
		enum doctor_step cause;
		const char *cloud;
	} rows[] = { { DOCTOR_NAME, "a" },   { DOCTOR_PROXY, "a" }, { DOCTOR_CONNECT, "a" },
		     { DOCTOR_TLS, "a" },    { DOCTOR_CLOCK, "a" }, { DOCTOR_ANSWER, "a" },
		     { DOCTOR_SIGN_IN, "a" } };
	char queue[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		n = 0;
		for (int p = 0; p < 20; p++) {
			(void)snprintf(queue, sizeof(queue), "queue-%d", p);
			add(p % 2 ? DOCTOR_CHANNEL : DOCTOR_TOKEN, DOCTOR_FAIL, "a", queue);
		}
		add(rows[i].cause, DOCTOR_FAIL, rows[i].cloud, "host");
		expect(1, rows[i].cause);
	}
}

static void test_another_cloud_is_another_cause(void **state)
{
	(void)state;
	add(DOCTOR_CONNECT, DOCTOR_FAIL, "a", "host");
	add(DOCTOR_CHANNEL, DOCTOR_FAIL, "b", "queue");
	expect(2, DOCTOR_CONNECT);
}

static void test_a_warning_causes_nothing(void **state)
{
	(void)state;
	add(DOCTOR_CERTIFICATE, DOCTOR_WARN, "a", "queue");
	add(DOCTOR_TOKEN, DOCTOR_FAIL, "a", "queue");
	expect(2, DOCTOR_TOKEN); /* the gravest first */
	assert_int_equal(results[1].step, DOCTOR_CERTIFICATE);
}

static void test_the_same_with_several_is_one_that_counts_them(void **state)
{
	char queue[16];

	(void)state;
	for (int p = 0; p < 30; p++) {
		(void)snprintf(queue, sizeof(queue), "queue-%d", p);
		add(DOCTOR_DEVICE, p == 7 ? DOCTOR_FAIL : DOCTOR_WARN, "a", queue);
	}
	expect(1, DOCTOR_DEVICE);
	assert_string_equal(results[0].subject, "queue-7");
	assert_string_equal(results[0].text, "queue-7 is wrong (and 29 more)");
}

static void test_where_something_else_helps_is_another_cause(void **state)
{
	static const char *const stopped[] = { "laser", "ink" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(stopped); i++) {
		add(DOCTOR_QUEUE, DOCTOR_FAIL, "a", stopped[i]);
		(void)snprintf(results[n - 1].remedy, sizeof(results[n - 1].remedy),
		               "cupsenable %s", stopped[i]);
	}
	add(DOCTOR_QUEUE, DOCTOR_FAIL, "a", "gone");
	(void)snprintf(results[n - 1].remedy, sizeof(results[n - 1].remedy), "lpadmin -p gone");
	expect(2, DOCTOR_QUEUE);
	assert_string_equal(results[0].text, "laser is wrong (and 1 more)");
	assert_string_equal(results[1].subject, "gone");
}

static void test_cups_that_is_down_is_not_told_of_each_queue(void **state)
{
	(void)state;
	add(DOCTOR_CUPS, DOCTOR_FAIL, "", "/run/cups/cups.sock");
	add(DOCTOR_QUEUE, DOCTOR_FAIL, "a", "laser");
	add(DOCTOR_QUEUE, DOCTOR_FAIL, "b", "ink");
	expect(1, DOCTOR_CUPS);
}

static void test_a_stopped_queue_is_not_asked_whether_it_would_print(void **state)
{
	(void)state;
	add(DOCTOR_QUEUE, DOCTOR_FAIL, "a", "laser");
	add(DOCTOR_VALIDATE, DOCTOR_FAIL, "a", "laser");
	add(DOCTOR_VALIDATE, DOCTOR_FAIL, "a", "ink");
	expect(2, DOCTOR_QUEUE);
	assert_string_equal(results[1].subject, "ink");
}

static void test_a_long_text_stays_whole_when_others_are_counted(void **state)
{
	(void)state;
	add(DOCTOR_DEVICE, DOCTOR_FAIL, "a", "x");
	add(DOCTOR_DEVICE, DOCTOR_FAIL, "a", "y");
	memset(results[0].text, 'x', sizeof(results[0].text) - 1);
	expect(1, DOCTOR_DEVICE);
	assert_int_equal(strlen(results[0].text), sizeof(results[0].text) - 1);
}

static void test_each_step_has_a_name_and_a_remedy_with_its_subject(void **state)
{
	char text[256];

	(void)state;
	for (int i = 0; i < DOCTOR_STEP_COUNT; i++) {
		assert_true(*doctor_step_name((enum doctor_step)i));
		doctor_remedy((enum doctor_step)i, "la\x1bser", text, sizeof(text));
		assert_true(*text);
		assert_null(strstr(text, "{}"));
		assert_null(strchr(text, '\x1b'));
		doctor_remedy((enum doctor_step)i, "laser", text, 10);
		assert_true(strlen(text) < 10);
	}
	doctor_remedy(DOCTOR_QUEUE, "laser", text, sizeof(text));
	assert_string_equal(text, "cupsenable laser; cupsaccept laser");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_wrong_is_no_finding),
		TEST(test_what_follows_from_a_cause_is_not_told),
		TEST(test_another_cloud_is_another_cause),
		TEST(test_a_warning_causes_nothing),
		TEST(test_the_same_with_several_is_one_that_counts_them),
		TEST(test_where_something_else_helps_is_another_cause),
		TEST(test_cups_that_is_down_is_not_told_of_each_queue),
		TEST(test_a_stopped_queue_is_not_asked_whether_it_would_print),
		TEST(test_a_long_text_stays_whole_when_others_are_counted),
		TEST(test_each_step_has_a_name_and_a_remedy_with_its_subject),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
