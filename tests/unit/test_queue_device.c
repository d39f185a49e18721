/* The IPP printer behind a queue of CUPS: when it is asked, and what its words change. */
#include "tests/unit/fake_ipp.h"

#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"

#define DEVICE "ipp://10.0.0.9/ipp/print"

/* A queue on that device; NULL: on none that is said. */
static ipp_t *queue_on(const char *device, ipp_pstate_t state, const char *message)
{
	ipp_t *m = new_printer(state, message);

	if (device != NULL)
		ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_URI, "device-uri", NULL, device);
	return m;
}

static ipp_t *device_says(ipp_pstate_t state, const char *reason, const char *message)
{
	static const char *const actions[] = { "display", "sound" };
	static const int ops[] = { IPP_OP_PRINT_JOB, IPP_OP_IDENTIFY_PRINTER };
	ipp_t *m = new_answer();

	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "printer-state", (int)state);
	add_word(m, IPP_TAG_PRINTER, "printer-state-reasons", reason);
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-state-message", NULL, message);
	add_word(m, IPP_TAG_PRINTER, "media-ready", "iso_a5_148x210mm");
	ippAddStrings(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "identify-actions-supported", 2, NULL,
	              actions);
	ippAddIntegers(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "operations-supported", 2, ops);
	return m;
}

static size_t find(const char *uri)
{
	for (size_t i = 0; i < fake.count; i++)
		if (strcmp(ipp_get_text(fake.ops[i]->request, IPP_TAG_OPERATION, "printer-uri", ""),
		           uri) == 0)
			return i;
	return FAKE_OPS;
}

static bool is_asked(const char *uri)
{
	return find(uri) != FAKE_OPS;
}

static void says(const char *uri, ipp_t *message)
{
	assert_true(is_asked(uri));
	finish_op(find(uri), message, NULL);
}

static void is_silent(const char *uri)
{
	struct err err;

	assert_true(is_asked(uri));
	(void)err_set(&err, ERR_TEMPORARY, 7, "connection refused");
	finish_op(find(uri), NULL, &err);
}

#define QUEUE "ipp://localhost/printers/laser"

/* A queue on the device, read, subscribed; the device is asked. */
static void open_device(struct fixture *f)
{
	ipp_t *m = new_answer();

	open_fixture(f, "laser");
	says(QUEUE, queue_on(DEVICE, IPP_PSTATE_IDLE, ""));
	pass(0);
	ippAddInteger(m, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER, "notify-subscription-id", 9);
	answer(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS, m);
	says(QUEUE, queue_on(DEVICE, IPP_PSTATE_IDLE, ""));
	pass(10);
	assert_true(is_asked(DEVICE));
	f->told = 0;
}

static void assert_state(struct fixture *f, int expected, const char *reasons)
{
	ipp_t *m = attrs_ipp(queue_ops.state(f->q));
	char text[256];

	ipp_join_text(m, IPP_TAG_ZERO, "printer-state-reasons", text, sizeof(text));
	assert_string_equal(text, reasons);
	assert_int_equal(ipp_get_int(m, IPP_TAG_ZERO, "printer-state", 0), expected);
}

static void event(int number)
{
	ipp_t *m = new_answer();

	ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER, "notify-sequence-number",
	              number);
	add_word(m, IPP_TAG_EVENT_NOTIFICATION, "notify-subscribed-event", "printer-state-changed");
	ippAddString(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_NAME, "printer-name", NULL, "laser");
	pass(1000);
	answer(IPP_OP_GET_NOTIFICATIONS, m);
}

static void test_the_printer_itself_says_how_it_does(void **state)
{
	struct fixture f;

	(void)state;
	open_device(&f);
	says(DEVICE, device_says(IPP_PSTATE_STOPPED, "media-empty-error", "Load A4"));
	says(QUEUE, queue_on(DEVICE, IPP_PSTATE_IDLE, "")); /* read again, whole: it identifies */
	assert_state(&f, IPP_PSTATE_STOPPED, "media-empty-error");
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_HALTED);
	assert_non_null(strstr(queue_ops.status(f.q)->text, "Load A4"));
	assert_string_equal(
		ipp_get_text(attrs_ipp(queue_ops.state(f.q)), IPP_TAG_ZERO, "media-ready", ""),
		"iso_a5_148x210mm");
	assert_non_null(ippFindAttribute(attrs_ipp(queue_ops.capabilities(f.q)),
	                                 "identify-actions-supported", IPP_TAG_KEYWORD));
	pass(10000); /* in trouble: asked again soon */
	says(DEVICE, device_says(IPP_PSTATE_IDLE, "none", ""));
	says(QUEUE, queue_on(DEVICE, IPP_PSTATE_IDLE, ""));
	assert_state(&f, IPP_PSTATE_IDLE, "none");
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_READY);
	close_fixture(&f);
}

static void test_an_idle_printer_is_asked_rarely_and_after_an_event_at_once(void **state)
{
	struct fixture f;

	(void)state;
	open_device(&f);
	says(DEVICE, device_says(IPP_PSTATE_IDLE, "none", ""));
	says(QUEUE, queue_on(DEVICE, IPP_PSTATE_IDLE, ""));
	for (int s = 0; s < 200; s++) {
		pass(1000);
		if (is_waiting(IPP_OP_GET_NOTIFICATIONS))
			answer(IPP_OP_GET_NOTIFICATIONS, new_answer());
		assert_false(is_asked(DEVICE));
	}
	event(1);
	says(QUEUE, queue_on(DEVICE, IPP_PSTATE_IDLE, ""));
	pass(0);
	says(DEVICE, device_says(IPP_PSTATE_IDLE, "toner-low-warning", ""));
	says(QUEUE, queue_on(DEVICE, IPP_PSTATE_IDLE, ""));
	assert_state(&f, IPP_PSTATE_IDLE, "toner-low-warning");
	close_fixture(&f);
}

static void test_while_it_prints_it_is_asked_every_two_seconds(void **state)
{
	struct fixture f;
	unsigned asked = 0;

	(void)state;
	open_device(&f);
	says(DEVICE, device_says(IPP_PSTATE_IDLE, "none", ""));
	says(QUEUE, queue_on(DEVICE, IPP_PSTATE_IDLE, ""));
	event(1);
	says(QUEUE, queue_on(DEVICE, IPP_PSTATE_PROCESSING, "Printing."));
	for (int s = 0; s < 200; s++) {
		pass(100);
		if (is_waiting(IPP_OP_GET_NOTIFICATIONS))
			answer(IPP_OP_GET_NOTIFICATIONS, new_answer());
		if (!is_asked(DEVICE))
			continue;
		says(DEVICE, device_says(IPP_PSTATE_PROCESSING, "media-jam-error", "Jam"));
		if (is_asked(QUEUE))
			says(QUEUE, queue_on(DEVICE, IPP_PSTATE_PROCESSING, "Printing."));
		asked++;
	}
	assert_in_range(asked, 9, 12);
	assert_state(&f, IPP_PSTATE_PROCESSING, "media-jam-error");
	assert_string_equal(ipp_get_text(attrs_ipp(queue_ops.state(f.q)), IPP_TAG_ZERO,
	                                 "printer-state-message", ""),
	                    "Jam");
	close_fixture(&f);
}

static void test_silence_changes_nothing_and_what_was_said_is_forgotten(void **state)
{
	struct fixture f;

	(void)state;
	open_device(&f);
	says(DEVICE, device_says(IPP_PSTATE_STOPPED, "media-empty-error", ""));
	says(QUEUE, queue_on(DEVICE, IPP_PSTATE_IDLE, ""));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(queue_ops.status(f.q)->health, QUEUE_HALTED);
		for (int s = 0; s < 90 && !is_asked(DEVICE); s++) {
			pass(1000);
			if (is_waiting(IPP_OP_GET_NOTIFICATIONS))
				answer(IPP_OP_GET_NOTIFICATIONS, new_answer());
		}
		is_silent(DEVICE);
	}
	says(QUEUE, queue_on(DEVICE, IPP_PSTATE_IDLE, ""));
	assert_state(&f, IPP_PSTATE_IDLE, "none");
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_READY);
	assert_null(ippFindAttribute(attrs_ipp(queue_ops.capabilities(f.q)),
	                             "identify-actions-supported", IPP_TAG_ZERO));
	close_fixture(&f);
}

static void test_a_device_that_never_answers_leaves_the_queue_ready(void **state)
{
	struct fixture f;

	(void)state;
	open_device(&f);
	is_silent(DEVICE);
	event(1); /* events do not make us hurry */
	says(QUEUE, queue_on(DEVICE, IPP_PSTATE_PROCESSING, ""));
	pass(2000);
	assert_false(is_asked(DEVICE));
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_READY);
	close_fixture(&f);
}

static void test_a_device_that_is_the_queue_itself_is_left_alone(void **state)
{
	struct fixture f;

	(void)state;
	open_device(&f);
	says(DEVICE, queue_on(DEVICE, IPP_PSTATE_STOPPED, "")); /* the same printer-uuid */
	pass(1200000);
	assert_false(is_asked(DEVICE));
	event(1);
	says(QUEUE, queue_on(DEVICE, IPP_PSTATE_IDLE, ""));
	pass(5000);
	assert_false(is_asked(DEVICE));
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_READY);
	close_fixture(&f);
}

static void test_only_ipp_printers_are_asked(void **state)
{
	static const char *const devices[] = {
		"socket://10.0.0.9", "file:///x", "dnssd://x/_ipp", "ipp://bad/it", "",
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		open_fixture(&f, "laser");
		says(QUEUE, queue_on(devices[i], IPP_PSTATE_IDLE, ""));
		assert_int_equal(fake.peers, 2); /* those of CUPS */
		close_fixture(&f);
	}
}

static void test_another_device_takes_the_place_of_the_first(void **state)
{
	struct fixture f;

	(void)state;
	open_device(&f); /* is being asked */
	queue_ops.reread(f.q);
	says(QUEUE, queue_on("ipp://10.0.0.10/ipp/print?waitjob=false", IPP_PSTATE_IDLE, ""));
	pass(100);
	drain();
	assert_false(is_asked(DEVICE));
	assert_true(is_asked("ipp://10.0.0.10/ipp/print"));
	assert_int_equal(fake.peers, 3);
	close_fixture(&f);
}

/* ---- identify ------------------------------------------------------------------------------- */

static struct {
	int done;
	struct err err;
} identified;

static void on_identified(struct local_op *op, const struct err *err)
{
	(void)op;
	identified.done++;
	identified.err = err != NULL ? *err : (struct err){ .kind = ERR_NONE };
}

static void test_a_queue_is_identified_by_the_printer_behind_it(void **state)
{
	struct local_op op = { .done = on_identified };
	struct fixture f;
	char actions[64];
	struct err err;

	(void)state;
	identified.done = 0;
	open_device(&f);
	assert_int_equal(queue_ops.identify(f.q, &op, "sound", NULL, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	says(DEVICE, device_says(IPP_PSTATE_IDLE, "none", ""));
	says(QUEUE, queue_on(DEVICE, IPP_PSTATE_IDLE, ""));
	assert_int_equal(queue_ops.identify(f.q, &op, "flash,sound,display", "it\nis me", &err), 0);
	ipp_join_text(asked(IPP_OP_IDENTIFY_PRINTER), IPP_TAG_OPERATION, "identify-actions",
	              actions, sizeof(actions));
	assert_string_equal(actions, "display,sound");
	assert_string_equal(
		ipp_get_text(asked(IPP_OP_IDENTIFY_PRINTER), IPP_TAG_OPERATION, "printer-uri", ""),
		DEVICE);
	assert_string_equal(
		ipp_get_text(asked(IPP_OP_IDENTIFY_PRINTER), IPP_TAG_OPERATION, "message", ""),
		"it is me");
	answer(IPP_OP_IDENTIFY_PRINTER, new_answer());
	assert_int_equal(identified.done, 1);
	assert_int_equal(identified.err.kind, ERR_NONE);
	assert_int_equal(queue_ops.identify(f.q, &op, "flash", NULL, &err), 0);
	assert_null(ippFindAttribute(asked(IPP_OP_IDENTIFY_PRINTER), "identify-actions",
	                             IPP_TAG_ZERO)); /* it chooses */
	queue_ops.reread(f.q);                       /* the device goes while it is asked */
	says(QUEUE, queue_on(NULL, IPP_PSTATE_IDLE, ""));
	cut(IPP_OP_IDENTIFY_PRINTER, ERR_TEMPORARY, 7);
	assert_int_equal(identified.done, 2);
	assert_int_equal(identified.err.kind, ERR_TEMPORARY);
	queue_ops.op_clear(&op);
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_printer_itself_says_how_it_does),
		cmocka_unit_test(test_an_idle_printer_is_asked_rarely_and_after_an_event_at_once),
		cmocka_unit_test(test_while_it_prints_it_is_asked_every_two_seconds),
		cmocka_unit_test(test_silence_changes_nothing_and_what_was_said_is_forgotten),
		cmocka_unit_test(test_a_device_that_never_answers_leaves_the_queue_ready),
		cmocka_unit_test(test_a_device_that_is_the_queue_itself_is_left_alone),
		cmocka_unit_test(test_only_ipp_printers_are_asked),
		cmocka_unit_test(test_another_device_takes_the_place_of_the_first),
		cmocka_unit_test(test_a_queue_is_identified_by_the_printer_behind_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
