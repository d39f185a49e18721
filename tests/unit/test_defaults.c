/* What is said of defaults of mapping files that a queue does not have. */
#include "tests/unit/core_case.h"

#include "common/config.h"
#include "connector/base/attrs.h"
#include "connector/core/core_private.h"
#include "connector/core/defaults.h"
#include "connector/printer/ticket_note.h"

#include <cups/ipp.h>

#define REMEDY                                                                                     \
	"; change that line, or map the value to an option of its driver "                         \
	"(man print-connector-mapping)"
#define SIDES                                                                                      \
	"cannot follow the default sides = two-sided-long-edge of office.conf:2: it has one-sided"
#define NUMBER_UP "takes 4 for the default number-up = 3 of office.conf:3: it has 1, 2, 4"

static const struct ticket_note sides = {
	.fate = TICKET_DROPPED,
	.site = true,
	.name = "sides",
	.asked = "two-sided-long-edge",
	.sent = "",
	.why = "it has one-sided",
	.place = "office.conf:2",
};
static const struct ticket_note number_up = {
	.fate = TICKET_CHANGED,
	.site = true,
	.name = "number-up",
	.asked = "3",
	.sent = "4",
	.why = "it has 1, 2, 4",
	.place = "office.conf:3",
};

static struct attrs *some_capabilities(void)
{
	return attrs_new(ippNew());
}

/* How often it was said of the queue. Each test has a name of its own for it, since the journal
 * counts lines that repeat. */
static unsigned said(struct fake_world *w, const char *queue, const char *what)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "log 4 %s %s" REMEDY, queue, what);
	return fake_count(w, line);
}

/* So many printers with a queue of this name, which lacks it. */
static struct fake_world *lack_sides(void **state, const char *queue, int printers)
{
	struct fake_world *w = *state;

	while (printers-- > 0)
		(void)fake_printer(w, queue);
	w->capabilities = some_capabilities();
	w->lost[0] = sides;
	fake_start(w);
	fake_run(w, MINUTE);
	return w;
}

static void end(struct fake_world *w, struct attrs *capabilities)
{
	fake_stop(w);
	attrs_unref(capabilities);
}

static void test_what_a_queue_lacks_is_said_once_when_it_starts(void **state)
{
	struct fake_world *w = lack_sides(state, "laser", 1);

	assert_int_equal(said(w, "laser", SIDES), 1);
	fake_health(w, 0, QUEUE_STOPPED);
	fake_run(w, MINUTE);
	fake_health(w, 0, QUEUE_READY);
	fake_run(w, MINUTE);
	assert_int_equal(said(w, "laser", SIDES), 1);
	end(w, w->capabilities);
}

static void test_a_queue_that_was_not_read_yet_lacks_nothing(void **state)
{
	struct fake_world *w = *state;

	(void)fake_printer(w, "unread");
	w->lost[0] = sides;
	fake_start(w);
	fake_run(w, MINUTE);
	assert_int_equal(said(w, "unread", SIDES), 0);
	w->capabilities = some_capabilities();
	fake_health(w, 0, QUEUE_READY);
	fake_run(w, MINUTE);
	assert_int_equal(said(w, "unread", SIDES), 1);
	end(w, w->capabilities);
}

static void test_it_is_said_again_with_each_reload(void **state)
{
	struct fake_world *w = lack_sides(state, "again", 1);

	core_reload(w->core, w->config);
	fake_run(w, MINUTE);
	assert_int_equal(said(w, "again", SIDES), 2);
	memset(w->lost, 0, sizeof(w->lost));
	core_reload(w->core, w->config);
	fake_run(w, MINUTE);
	assert_int_equal(said(w, "again", SIDES), 2);
	end(w, w->capabilities);
}

static void test_a_queue_with_another_driver_is_told_what_is_new(void **state)
{
	struct fake_world *w = lack_sides(state, "other", 1);
	struct attrs *before = w->capabilities;

	w->lost[1] = number_up;
	w->capabilities = some_capabilities();
	fake_health(w, 0, QUEUE_READY);
	fake_run(w, MINUTE);
	assert_int_equal(said(w, "other", SIDES), 1);
	assert_int_equal(said(w, "other", NUMBER_UP), 1);
	attrs_unref(before);
	end(w, w->capabilities);
}

static void test_a_queue_of_two_printers_is_told_once(void **state)
{
	struct fake_world *w = lack_sides(state, "both", 2);

	assert_int_equal(said(w, "both", SIDES), 1);
	end(w, w->capabilities);
}

static void test_the_doctor_hears_of_the_first_and_how_many_there_are(void **state)
{
	struct fake_world *w = lack_sides(state, "ill", 1);
	char text[TEXT_SIZE] = "";

	w->lost[1] = number_up;
	assert_int_equal(defaults_count(w->core->printers, text), 2);
	assert_string_equal(text, "ill " SIDES);
	memset(w->lost, 0, sizeof(w->lost));
	assert_int_equal(defaults_count(w->core->printers, text), 0);
	end(w, w->capabilities);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(test_what_a_queue_lacks_is_said_once_when_it_starts),
		in_world(test_a_queue_that_was_not_read_yet_lacks_nothing),
		in_world(test_it_is_said_again_with_each_reload),
		in_world(test_a_queue_with_another_driver_is_told_what_is_new),
		in_world(test_a_queue_of_two_printers_is_told_once),
		in_world(test_the_doctor_hears_of_the_first_and_how_many_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
