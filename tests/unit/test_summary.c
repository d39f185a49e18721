/* test_summary.c - the line of systemctl status, over a core that a test sets. */
#include "connector/summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "connector/core/core.h"

struct core {
	struct core_counts counts;
	unsigned clouds;
	struct core_health health[3];
	size_t problems;
};

void core_clouds(struct core *c, void (*each)(void *data, const struct core_cloud *cl), void *data)
{
	for (unsigned i = 0; i < c->clouds; i++)
		each(data, &(struct core_cloud){ .name = "office" });
}

void core_health(struct core *c, void (*each)(void *data, const struct core_health *h), void *data)
{
	for (size_t i = 0; i < c->problems; i++)
		each(data, &c->health[i]);
}

struct core_counts core_counts(const struct core *c)
{
	return c->counts;
}

static void expect(struct core core, const char *expected)
{
	char text[SUMMARY_SIZE];

	summary_write(&core, text);
	assert_string_equal(text, expected);
}

static void test_nothing_configured_is_said(void **state)
{
	(void)state;
	expect((struct core){ 0 }, "no printer is registered; no cloud is configured");
	expect((struct core){ .clouds = 1 }, "no printer is registered");
}

static void test_only_what_there_is_is_counted(void **state)
{
	struct core core = { .clouds = 1 };

	(void)state;
	core.counts.printers_online = 1;
	expect(core, "1 printer online");
	core.counts.printers_offline = 2;
	core.counts.printers_refused = 1;
	core.counts.jobs[JOB_HELD] = 1;
	expect(core, "1 printer online, 3 offline; 1 job held");
	core.counts.printers_online = 0;
	core.counts.printers_paused = 4;
	core.counts.jobs[JOB_HANDING] = 1;
	core.counts.jobs[JOB_PRINTING] = 1;
	core.counts.jobs[JOB_WAITING] = 5;
	expect(core, "3 printers offline, 4 paused; 2 jobs printing, 5 waiting, 1 held");
}

static void test_the_worst_comes_first_and_the_others_are_counted(void **state)
{
	struct core core = { .clouds = 1, .problems = 1 };

	(void)state;
	core.counts.printers_offline = 1;
	core.health[0] = (struct core_health){ .code = HEALTH_PRINTER_PAUSED, .subject = "ink" };
	expect(core, "1 printer offline");
	core.health[1] = (struct core_health){ .code = HEALTH_QUEUE_STOPPED, .subject = "laser" };
	core.problems = 2;
	expect(core, "1 printer offline; queue laser is stopped or rejects jobs");
	core.health[2] =
		(struct core_health){ .code = HEALTH_CLOUD_UNREACHABLE, .subject = "office" };
	core.problems = 3;
	expect(core, "1 printer offline; cloud office does not answer (and 1 more, see "
	             "print-connector status)");
}

static void test_a_long_name_is_cut(void **state)
{
	struct core core = { .clouds = 1, .problems = 2 };
	char name[1000], text[SUMMARY_SIZE];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i < 2; i++)
		core.health[i] =
			(struct core_health){ .code = HEALTH_QUEUE_STOPPED, .subject = name };
	summary_write(&core, text);
	assert_true(strlen(text) < SUMMARY_SIZE);
	assert_non_null(strstr(text, "(and 1 more"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_configured_is_said),
		cmocka_unit_test(test_only_what_there_is_is_counted),
		cmocka_unit_test(test_the_worst_comes_first_and_the_others_are_counted),
		cmocka_unit_test(test_a_long_name_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
