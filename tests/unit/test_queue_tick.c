/* How soon it is known that an idle IPP printer does otherwise, and what that costs. */
#include "connector/printer/queue_impl.h"
#include "tests/unit/fake_ipp.h"

#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"

#define PRINTER "ipp://printer.example/ipp/print"

static bool is_glance(ipp_t *request)
{
	ipp_attribute_t *names = ippFindAttribute(request, "requested-attributes", IPP_TAG_KEYWORD);

	return ippGetCount(names) < 10 && ippContainsString(names, "printer-state-reasons");
}

/* Lets ms pass and answers whatever is asked for, like an idle printer. */
static void idle(int64_t ms, unsigned *glances, unsigned *states)
{
	*glances = *states = 0;
	for (; ms > 0; ms -= 10) {
		pass(10);
		while (is_waiting(IPP_OP_GET_PRINTER_ATTRIBUTES)) {
			++*(is_glance(asked(IPP_OP_GET_PRINTER_ATTRIBUTES)) ? glances : states);
			answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
		}
	}
}

static void test_an_idle_printer_is_glanced_at_every_second_and_read_every_minute(void **state)
{
	unsigned glances, states;
	struct fixture f;

	(void)state;
	open_fixture(&f, PRINTER);
	settle_fixture(&f);
	idle(600000, &glances, &states);
	assert_in_range(glances, 588, 592);
	assert_in_range(states, 9, 10);
	assert_int_equal(f.told, 0);
	close_fixture(&f);
}

static void test_what_changed_is_read_at_once(void **state)
{
	struct fixture f;
	ipp_t *m;

	(void)state;
	open_fixture(&f, PRINTER);
	settle_fixture(&f);
	pass(1000);
	assert_true(is_glance(asked(IPP_OP_GET_PRINTER_ATTRIBUTES)));
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_STOPPED, "jam"));
	assert_int_equal(f.told, 0); /* it said too little to be told */
	m = asked(IPP_OP_GET_PRINTER_ATTRIBUTES);
	assert_false(is_glance(m));
	assert_true(ippContainsString(ippFindAttribute(m, "requested-attributes", IPP_TAG_KEYWORD),
	                              "printer-supply"));
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_STOPPED, "jam"));
	assert_int_equal(f.told, 1);
	assert_int_equal(
		ipp_get_int(attrs_ipp(queue_ops.state(f.q)), IPP_TAG_PRINTER, "printer-state", 0),
		IPP_PSTATE_STOPPED);
	pass(1000);
	assert_true(is_glance(asked(IPP_OP_GET_PRINTER_ATTRIBUTES)));
	close_fixture(&f);
}

/* Somebody has changed its configuration. */
static ipp_t *configured_printer(void)
{
	ipp_t *m = new_printer(IPP_PSTATE_IDLE, "");
	ipp_attribute_t *time = ippFindAttribute(m, "printer-config-change-time", IPP_TAG_INTEGER);

	ippSetInteger(m, &time, 0, 6);
	return m;
}

static void test_a_changed_configuration_is_read_whole_after_a_glance(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, PRINTER);
	settle_fixture(&f);
	pass(1000);
	assert_true(is_glance(asked(IPP_OP_GET_PRINTER_ATTRIBUTES)));
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, configured_printer());
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, configured_printer());
	assert_true(ippContainsString(ippFindAttribute(asked(IPP_OP_GET_PRINTER_ATTRIBUTES),
	                                               "requested-attributes", IPP_TAG_KEYWORD),
	                              "all"));
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, configured_printer());
	close_fixture(&f);
}

static bool is_whole(ipp_t *request)
{
	return ippContainsString(ippFindAttribute(request, "requested-attributes", IPP_TAG_KEYWORD),
	                         "all");
}

/* What it says may have been wrong when it was read. */
static void
test_all_of_it_is_read_again_every_hour_though_nothing_is_said_to_have_changed(void **state)
{
	unsigned whole = 0;
	struct fixture f;

	(void)state;
	open_fixture(&f, PRINTER);
	settle_fixture(&f);
	for (int s = 0; s < 2 * 3600 + 60; s++) {
		pass(1000);
		while (is_waiting(IPP_OP_GET_PRINTER_ATTRIBUTES)) {
			whole += is_whole(asked(IPP_OP_GET_PRINTER_ATTRIBUTES));
			answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
		}
	}
	assert_int_equal(whole, 2);
	assert_int_equal(f.told, 0);
	close_fixture(&f);
}

static void test_a_printer_that_goes_off_is_down_with_the_next_glance(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, PRINTER);
	settle_fixture(&f);
	pass(1000);
	cut(IPP_OP_GET_PRINTER_ATTRIBUTES, ERR_TEMPORARY, 7);
	assert_int_equal(f.told, 1);
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_DOWN);
	close_fixture(&f);
}

static void test_a_slow_printer_keeps_most_of_its_time(void **state)
{
	struct fixture f;
	int i, n = 0;

	(void)state;
	open_fixture(&f, PRINTER);
	settle_fixture(&f);
	for (i = 0; i < 200; i++) { /* 1.5 s for each answer */
		if (!is_waiting(IPP_OP_GET_PRINTER_ATTRIBUTES)) {
			pass(100);
			continue;
		}
		pass(1500);
		answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
		n++;
	}
	assert_true(n > 1);
	assert_true(n * 6000 <= fake.now + 6000);
	close_fixture(&f);
}

static void test_many_printers_share_a_tick_and_a_budget(void **state)
{
	enum { MANY = 100 };
	struct queue_listener listener = { .changed = on_queue_changed };
	struct queue *q[MANY];
	unsigned i, most = 0, times = 0, all = 0;
	char name[64];
	struct fixture f;

	(void)state;
	open_fixture(&f, PRINTER);
	settle_fixture(&f);
	listener.data = &f;
	for (i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "ipp://p%u.example/ipp/print", i);
		q[i] = queue_ops.open(f.qs, name, "", &listener);
		answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	}
	idle(6000, &i, &i);         /* each finds its place in the round */
	for (i = 0; i < 600; i++) { /* 6 s */
		unsigned n = 0;

		pass(10);
		while (is_waiting(IPP_OP_GET_PRINTER_ATTRIBUTES)) {
			assert_int_equal(fake.now % 1000, 0);
			answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
			n++;
		}
		times += n > 0;
		all += n;
		most = n > most ? n : most;
	}
	assert_int_equal(times, 6);            /* it woke up six times */
	assert_int_equal(all, 2 * (MANY + 1)); /* each was asked every three seconds */
	assert_in_range(most, 1, 40);
	for (i = 0; i < MANY; i++)
		queue_ops.close(q[i]);
	idle(3000, &i, &i); /* what was planned before */
	for (i = 0; i < 5; i++) {
		pass(1000);
		answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	}
	close_fixture(&f);
}

static void test_a_printer_with_events_is_asked_for_them_instead(void **state)
{
	static const int ops[] = { IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS, IPP_OP_GET_NOTIFICATIONS };
	struct fixture f;
	unsigned i;
	ipp_t *m;

	(void)state;
	open_fixture(&f, PRINTER);
	m = new_printer(IPP_PSTATE_IDLE, "");
	ippDeleteAttribute(m, ippFindAttribute(m, "operations-supported", IPP_TAG_ENUM));
	ippAddIntegers(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "operations-supported", ARRAY_SIZE(ops),
	               ops);
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, m);
	pass(0);
	m = new_answer();
	ippAddInteger(m, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER, "notify-subscription-id", 9);
	answer(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS, m);
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	for (i = 0; i < 5; i++) {
		pass(1000);
		assert_false(is_waiting(IPP_OP_GET_PRINTER_ATTRIBUTES));
		answer(IPP_OP_GET_NOTIFICATIONS, new_answer());
	}
	pass(1000);
	m = new_answer();
	ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER, "notify-sequence-number", 1);
	add_word(m, IPP_TAG_EVENT_NOTIFICATION, "notify-subscribed-event", "printer-state-changed");
	answer(IPP_OP_GET_NOTIFICATIONS, m);
	assert_false(is_glance(asked(IPP_OP_GET_PRINTER_ATTRIBUTES)));
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_STOPPED, "jam"));
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_HALTED);
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_an_idle_printer_is_glanced_at_every_second_and_read_every_minute),
		cmocka_unit_test(test_what_changed_is_read_at_once),
		cmocka_unit_test(test_a_changed_configuration_is_read_whole_after_a_glance),
		cmocka_unit_test(
			test_all_of_it_is_read_again_every_hour_though_nothing_is_said_to_have_changed),
		cmocka_unit_test(test_a_printer_that_goes_off_is_down_with_the_next_glance),
		cmocka_unit_test(test_a_slow_printer_keeps_most_of_its_time),
		cmocka_unit_test(test_many_printers_share_a_tick_and_a_budget),
		cmocka_unit_test(test_a_printer_with_events_is_asked_for_them_instead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
