/* There is no room for more: at CUPS, or in the process itself. */
#include "tests/unit/core_case.h"

struct wanted {
	enum health_code code;
	unsigned times;
	char subject[64], text[TEXT_SIZE];
};

static void keep(void *data, const struct core_health *h)
{
	struct wanted *wanted = data;

	if (h->code != wanted->code)
		return;
	wanted->times++;
	(void)snprintf(wanted->subject, sizeof(wanted->subject), "%s", h->subject);
	(void)snprintf(wanted->text, sizeof(wanted->text), "%s", h->text ? h->text : "");
}

static struct wanted health_of(struct fake_world *w, enum health_code code)
{
	struct wanted wanted = { .code = code };

	core_health(w->core, keep, &wanted);
	return wanted;
}

static void test_a_job_that_cups_has_no_room_for_is_shown_until_it_has(void **state)
{
	struct fake_world *w = *state;
	struct wanted full;

	fake_fail(w, "queue.create", 7, ERR_TEMPORARY, FAKE_BEFORE)->code = 0x0404;
	world_begin(state, CUPS);
	fake_until(w, "store.save 7 waiting");
	full = health_of(w, HEALTH_QUEUE_FULL);
	assert_int_equal(full.times, 1);
	assert_string_equal(full.subject, CUPS);
	assert_non_null(strstr(full.text, "fails by script"));
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_int_equal(health_of(w, HEALTH_QUEUE_FULL).times, 0);
}

static void test_a_job_that_waits_for_something_else_says_nothing_of_room(void **state)
{
	struct fake_world *w = *state;

	fake_fail(w, "queue.create", 7, ERR_TEMPORARY, FAKE_BEFORE)->code = 0x0500;
	world_begin(state, CUPS);
	fake_until(w, "store.save 7 waiting");
	assert_int_equal(health_of(w, HEALTH_QUEUE_FULL).times, 0);
}

static const char *missing;

static const char *what_is_missing(void)
{
	return missing;
}

static void test_short_of_something_nothing_is_claimed_until_there_is_enough(void **state)
{
	struct fake_world *w = *state;

	missing = "memory";
	w->settings.short_of = what_is_missing;
	world_begin(state, CUPS);
	fake_run(w, 10 * MINUTE);
	assert_no_line(w, "> cloud.fetch 7");
	assert_string_equal(health_of(w, HEALTH_LIMIT_REACHED).subject, "memory");
	missing = NULL;
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
	assert_int_equal(health_of(w, HEALTH_LIMIT_REACHED).times, 0);
}

static void test_it_can_be_stopped_while_it_is_short_of_something(void **state)
{
	struct fake_world *w = *state;

	missing = "memory";
	w->settings.short_of = what_is_missing;
	world_begin(state, CUPS);
	fake_run(w, MINUTE);
	fake_stop(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(test_a_job_that_cups_has_no_room_for_is_shown_until_it_has),
		in_world(test_a_job_that_waits_for_something_else_says_nothing_of_room),
		in_world(test_short_of_something_nothing_is_claimed_until_there_is_enough),
		in_world(test_it_can_be_stopped_while_it_is_short_of_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
