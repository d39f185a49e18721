/* Following jobs, events and the state of queues, in virtual time. */
#include "connector/printer/queue_impl.h"
#include "tests/unit/fake_ipp.h"

#include "connector/base/attrs.h"

#define UUID "urn:uuid:11111111-2222-4333-8444-555555555555"

struct seen {
	struct local_watch w;
	unsigned count;
	struct local_job job;
	struct err err;
};

static void on_changed(struct local_watch *w, const struct local_job *job, const struct err *err)
{
	struct seen *s = w->data;

	s->count++;
	if (job != NULL)
		s->job = *job;
	if (err != NULL)
		s->err = *err;
}

static void watch(struct fixture *f, struct seen *s, int32_t job)
{
	*s = (struct seen){ .count = 0 };
	s->w = (struct local_watch){
		.changed = on_changed, .data = s, .user_name = "anna", .job = job, .job_uuid = UUID
	};
	queue_ops.watch(f->q, &s->w);
	pass(0);
}

static ipp_t *job_in(int32_t id, ipp_jstate_t state)
{
	return add_job(new_answer(), id, state, "none", UUID);
}

/* Answers what is asked of the job for that long; how often it was asked. */
static unsigned ask_for(int64_t ms, int32_t id, ipp_jstate_t state)
{
	int64_t end = fake.now + ms;
	unsigned n = 0;

	while (fake.now < end) {
		if (is_waiting(IPP_OP_GET_JOB_ATTRIBUTES)) {
			answer(IPP_OP_GET_JOB_ATTRIBUTES, job_in(id, state));
			n++;
		}
		pass(1);
	}
	return n;
}

/* A queue of CUPS that has been read. */
static int open_laser(void **state)
{
	static struct fixture f;

	open_fixture(&f, "laser");
	settle_fixture(&f);
	*state = &f;
	return 0;
}

static int close_laser(void **state)
{
	close_fixture(*state);
	return 0;
}

#define AT_LASER(test) cmocka_unit_test_setup_teardown(test, open_laser, close_laser)

/* ---- following ------------------------------------------------------------------------------ */

static void test_a_job_is_asked_for_at_once_and_told_when_it_changes(void **state)
{
	struct fixture *f = *state;
	struct seen s;
	ipp_t *m;

	watch(f, &s, 7);
	m = asked(IPP_OP_GET_JOB_ATTRIBUTES);
	assert_int_equal(ipp_get_int(m, IPP_TAG_OPERATION, "job-id", 0), 7);
	assert_string_equal(ipp_get_text(m, IPP_TAG_OPERATION, "requesting-user-name", ""), "anna");
	answer(IPP_OP_GET_JOB_ATTRIBUTES, job_in(7, IPP_JSTATE_PENDING));
	assert_int_equal(s.count, 1);
	pass(2);
	answer(IPP_OP_GET_JOB_ATTRIBUTES, job_in(7, IPP_JSTATE_PENDING));
	assert_int_equal(s.count, 1);
	pass(4);
	answer(IPP_OP_GET_JOB_ATTRIBUTES, job_in(7, IPP_JSTATE_PROCESSING));
	assert_int_equal(s.count, 2);
	pass(2);
	answer(IPP_OP_GET_JOB_ATTRIBUTES, job_in(7, IPP_JSTATE_COMPLETED));
	assert_int_equal(s.count, 3);
	assert_int_equal(s.job.outcome, OUTCOME_COMPLETED);
	queue_ops.unwatch(&s.w); /* fine when it ended */
	pass(60000);
	assert_false(is_waiting(IPP_OP_GET_JOB_ATTRIBUTES));
	drain();
}

static void test_asking_slows_down_to_two_seconds(void **state)
{
	struct fixture *f = *state;
	struct seen s;
	unsigned n;

	watch(f, &s, 7);
	n = ask_for(8, 7, IPP_JSTATE_PROCESSING);
	assert_in_range(n, 7, 9);
	n = ask_for(92, 7, IPP_JSTATE_PROCESSING);
	assert_in_range(n, 8, 14);
	n = ask_for(5900, 7, IPP_JSTATE_PROCESSING);
	assert_in_range(n, 16, 21);
	n = ask_for(20000, 7, IPP_JSTATE_PROCESSING);
	assert_in_range(n, 9, 11);
	queue_ops.unwatch(&s.w);
}

static void test_only_the_oldest_job_of_a_queue_is_asked_for_often(void **state)
{
	struct fixture *f = *state;
	struct seen a, b;
	unsigned i;

	watch(f, &a, 1);
	answer(IPP_OP_GET_JOB_ATTRIBUTES, job_in(1, IPP_JSTATE_PENDING));
	watch(f, &b, 2);
	answer(IPP_OP_GET_JOB_ATTRIBUTES, job_in(2, IPP_JSTATE_PENDING));
	for (i = 0; i < 100; i++) {
		pass(1);
		if (is_waiting(IPP_OP_GET_JOB_ATTRIBUTES)) {
			assert_int_equal(ipp_get_int(asked(IPP_OP_GET_JOB_ATTRIBUTES),
			                             IPP_TAG_OPERATION, "job-id", 0),
			                 1);
			answer(IPP_OP_GET_JOB_ATTRIBUTES, job_in(1, IPP_JSTATE_PENDING));
		}
	}
	while (!is_waiting(IPP_OP_GET_JOB_ATTRIBUTES))
		pass(1);
	answer(IPP_OP_GET_JOB_ATTRIBUTES, job_in(1, IPP_JSTATE_COMPLETED));
	pass(0); /* now it is the second's turn */
	assert_int_equal(
		ipp_get_int(asked(IPP_OP_GET_JOB_ATTRIBUTES), IPP_TAG_OPERATION, "job-id", 0), 2);
	answer(IPP_OP_GET_JOB_ATTRIBUTES, job_in(2, IPP_JSTATE_COMPLETED));
	assert_int_equal(b.job.outcome, OUTCOME_COMPLETED);
}

static void test_a_missing_job_is_gone(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	watch(f, &s, 7);
	refuse(IPP_OP_GET_JOB_ATTRIBUTES, IPP_STATUS_ERROR_NOT_FOUND, "no job");
	assert_int_equal(s.count, 1);
	assert_int_equal(s.err.kind, ERR_GONE);
	assert_null(s.w.private);
}

static void test_another_job_under_the_number_is_gone(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	watch(f, &s, 7);
	answer(IPP_OP_GET_JOB_ATTRIBUTES,
	       add_job(new_answer(), 7, IPP_JSTATE_COMPLETED, "none", "urn:uuid:other"));
	assert_int_equal(s.count, 1);
	assert_int_equal(s.err.kind, ERR_GONE);
	assert_int_equal(s.job.id, 0);
}

static void test_silence_is_not_told_and_asked_again(void **state)
{
	struct fixture *f = *state;
	struct seen s;
	unsigned i;

	watch(f, &s, 7);
	for (i = 0; i < 20; i++) {
		cut(IPP_OP_GET_JOB_ATTRIBUTES, ERR_TEMPORARY, 7);
		assert_false(is_waiting(IPP_OP_GET_JOB_ATTRIBUTES));
		pass(10000);
	}
	refuse(IPP_OP_GET_JOB_ATTRIBUTES, IPP_STATUS_ERROR_INTERNAL, "busy");
	pass(10000);
	answer(IPP_OP_GET_JOB_ATTRIBUTES, new_answer()); /* without a job */
	assert_int_equal(s.count, 0);
	pass(10000);
	answer(IPP_OP_GET_JOB_ATTRIBUTES, job_in(7, IPP_JSTATE_CANCELED));
	assert_int_equal(s.count, 1);
	assert_int_equal(s.job.outcome, OUTCOME_CANCELED);
	drain();
}

static void test_processing_that_begins_anew_is_seen(void **state)
{
	struct fixture *f = *state;
	struct seen s;
	ipp_t *m;
	int i;

	watch(f, &s, 7);
	for (i = 0; i < 2; i++) {
		m = job_in(7, IPP_JSTATE_PROCESSING);
		ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "time-at-processing", 100 + i);
		answer(IPP_OP_GET_JOB_ATTRIBUTES, m);
		assert_int_equal(s.job.printed_again, i > 0);
		pass(10);
	}
	m = job_in(7, IPP_JSTATE_COMPLETED);
	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "time-at-processing", 101);
	answer(IPP_OP_GET_JOB_ATTRIBUTES, m);
	assert_true(s.job.printed_again);
}

static void test_a_job_that_starts_without_end_is_stuck_and_asked_rarely(void **state)
{
	struct fixture *f = *state;
	struct seen s;
	ipp_t *m;
	int i;

	watch(f, &s, 7);
	for (i = 0; i < 9; i++) {
		m = job_in(7, IPP_JSTATE_PROCESSING);
		ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "time-at-processing", 100 + i);
		answer(IPP_OP_GET_JOB_ATTRIBUTES, m);
		assert_int_equal(s.job.looping, i >= 5);
		assert_int_equal(s.job.stuck, i >= 5);
		pass(i >= 5 ? 1900 : 1000);
		if (i >= 5) {
			queue_watch_event(f->q, 7); /* events change nothing */
			pass(0);
			assert_false(is_waiting(IPP_OP_GET_JOB_ATTRIBUTES));
			pass(100);
		}
	}
	assert_non_null(strstr(s.job.message, "again and again"));
	assert_int_equal(s.count, 6); /* no news from then on */
	m = job_in(7, IPP_JSTATE_COMPLETED);
	answer(IPP_OP_GET_JOB_ATTRIBUTES, m);
	assert_int_equal(s.job.outcome, OUTCOME_COMPLETED);
}

static void test_unwatch_while_asking_lets_go(void **state)
{
	struct fixture f;
	struct seen s;

	(void)state;
	open_fixture(&f, "laser");
	settle_fixture(&f);
	watch(&f, &s, 7);
	queue_ops.unwatch(&s.w);
	close_fixture(&f); /* the exchange ends after the queue was closed */
	assert_int_equal(s.count, 0);
}

/* ---- events --------------------------------------------------------------------------------- */

static ipp_t *add_event(ipp_t *m, int number, const char *event, const char *queue, int job)
{
	if (ippFirstAttribute(m) != NULL)
		ippAddSeparator(m);
	ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER, "notify-subscription-id", 9);
	ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER, "notify-sequence-number",
	              number);
	add_word(m, IPP_TAG_EVENT_NOTIFICATION, "notify-subscribed-event", event);
	ippAddString(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_NAME, "printer-name", NULL, queue);
	if (job > 0)
		ippAddInteger(m, IPP_TAG_EVENT_NOTIFICATION, IPP_TAG_INTEGER, "notify-job-id", job);
	return m;
}

static void test_one_subscription_tells_all_queues(void **state)
{
	struct queue_listener listener = { .changed = on_queue_changed };
	struct fixture f, other = { 0 };
	struct queue *q;

	(void)state;
	open_fixture(&f, "laser");
	settle_fixture(&f);
	listener.data = &other;
	q = queue_ops.open(f.qs, "matrix", "", &listener);
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	assert_int_equal(other.told, 1);
	pass(1000); /* once a second, also while nothing prints */
	assert_false(is_waiting(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS));
	assert_int_equal(ipp_get_int(asked(IPP_OP_GET_NOTIFICATIONS), IPP_TAG_OPERATION,
	                             "notify-sequence-numbers", 0),
	                 1);
	answer(IPP_OP_GET_NOTIFICATIONS,
	       add_event(new_answer(), 1, "printer-state-changed", "matrix", 0));
	assert_string_equal(ipp_get_text(asked(IPP_OP_GET_PRINTER_ATTRIBUTES), IPP_TAG_OPERATION,
	                                 "printer-uri", ""),
	                    "ipp://localhost/printers/matrix");
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_STOPPED, "broken"));
	assert_int_equal(queue_ops.status(q)->health, QUEUE_STOPPED);
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_READY);
	assert_int_equal(f.told, 0);
	assert_int_equal(other.told, 2);
	queue_ops.close(q);
	close_fixture(&f);
}

static void test_an_event_for_the_job_asks_at_once(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	watch(f, &s, 7);
	(void)ask_for(995, 7, IPP_JSTATE_PROCESSING); /* within the first second after watch() */
	while (is_waiting(IPP_OP_GET_JOB_ATTRIBUTES))
		answer(IPP_OP_GET_JOB_ATTRIBUTES, job_in(7, IPP_JSTATE_PROCESSING));
	pass(10);
	answer(IPP_OP_GET_NOTIFICATIONS, add_event(new_answer(), 1, "job-completed", "laser", 7));
	pass(0);
	answer(IPP_OP_GET_JOB_ATTRIBUTES, job_in(7, IPP_JSTATE_COMPLETED));
	assert_int_equal(s.job.outcome, OUTCOME_COMPLETED);
}

static void test_a_gap_in_the_numbers_reads_everything_again(void **state)
{
	(void)state;
	pass(10000);
	answer(IPP_OP_GET_NOTIFICATIONS, add_event(new_answer(), 40, "job-created", "x", 3));
	assert_true(is_waiting(IPP_OP_GET_PRINTER_ATTRIBUTES));
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	pass(10000);
	assert_int_equal(ipp_get_int(asked(IPP_OP_GET_NOTIFICATIONS), IPP_TAG_OPERATION,
	                             "notify-sequence-numbers", 0),
	                 41);
	answer(IPP_OP_GET_NOTIFICATIONS, add_event(new_answer(), 40, "job-created", "x", 3));
	assert_false(is_waiting(IPP_OP_GET_PRINTER_ATTRIBUTES)); /* known */
}

static void test_a_restarted_cupsd_gets_a_new_subscription(void **state)
{
	ipp_t *m = new_answer();

	(void)state;
	pass(10000);
	refuse(IPP_OP_GET_NOTIFICATIONS, IPP_STATUS_ERROR_NOT_FOUND, "no subscription");
	pass(0);
	ippAddInteger(m, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER, "notify-subscription-id", 1);
	answer(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS, m);
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	pass(10000);
	assert_int_equal(ipp_get_int(asked(IPP_OP_GET_NOTIFICATIONS), IPP_TAG_OPERATION,
	                             "notify-subscription-ids", 0),
	                 1);
}

static void test_the_lease_is_renewed_in_time(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 40 && !is_waiting(IPP_OP_RENEW_SUBSCRIPTION); i++) {
		pass(10000);
		if (is_waiting(IPP_OP_GET_NOTIFICATIONS))
			answer(IPP_OP_GET_NOTIFICATIONS, new_answer());
		while (is_waiting(IPP_OP_GET_PRINTER_ATTRIBUTES))
			answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	}
	assert_true(fake.now < 600000);
	answer(IPP_OP_RENEW_SUBSCRIPTION, new_answer());
	pass(10000);
	assert_true(is_waiting(IPP_OP_GET_NOTIFICATIONS));
}

static void test_without_a_subscription_queues_are_polled(void **state)
{
	struct fixture f;
	unsigned i;

	(void)state;
	open_fixture(&f, "laser");
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	pass(0);
	refuse(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS, IPP_STATUS_ERROR_FORBIDDEN, "policy");
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	for (i = 0; i < 5; i++) {
		assert_false(is_waiting(IPP_OP_GET_PRINTER_ATTRIBUTES));
		pass(10000);
		answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	}
	assert_false(is_waiting(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS));
	pass(600000);
	assert_true(is_waiting(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS));
	close_fixture(&f);
}

static void test_cups_that_is_down_is_told_once_and_read_when_back(void **state)
{
	struct fixture *f = *state;
	unsigned i, n = 0;

	pass(10000);
	cut(IPP_OP_GET_NOTIFICATIONS, ERR_TEMPORARY, 7);
	pass(0);
	assert_int_equal(f->told, 1);
	assert_int_equal(queue_ops.status(f->q)->health, QUEUE_DOWN);
	assert_non_null(strstr(queue_ops.status(f->q)->text, "/run/cups/cups.sock"));
	assert_int_equal(
		ipp_get_int(attrs_ipp(queue_ops.state(f->q)), IPP_TAG_PRINTER, "printer-state", 0),
		IPP_PSTATE_STOPPED);
	assert_non_null(queue_ops.capabilities(f->q)); /* kept */
	for (i = 0; i < 200; i++, pass(1000)) {
		if (is_waiting(IPP_OP_GET_NOTIFICATIONS)) {
			cut(IPP_OP_GET_NOTIFICATIONS, ERR_TEMPORARY, 7);
			n++;
		}
		if (is_waiting(IPP_OP_GET_PRINTER_ATTRIBUTES)) {
			cut(IPP_OP_GET_PRINTER_ATTRIBUTES, ERR_TEMPORARY, 7);
			n++;
		}
	}
	assert_in_range(n, 6, 60); /* backs off */
	assert_int_equal(f->told, 1);
	pass(60000);
	if (is_waiting(IPP_OP_GET_PRINTER_ATTRIBUTES))
		answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	answer(IPP_OP_GET_NOTIFICATIONS, new_answer());
	while (is_waiting(IPP_OP_GET_PRINTER_ATTRIBUTES))
		answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	assert_int_equal(queue_ops.status(f->q)->health, QUEUE_READY);
	assert_int_equal(f->told, 2);
}

/* ---- state ---------------------------------------------------------------------------------- */

static void test_a_missing_queue_is_missing_until_it_is_there(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, "laser");
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_UNKNOWN);
	assert_non_null(queue_ops.state(f.q));
	assert_null(queue_ops.capabilities(f.q));
	refuse(IPP_OP_GET_PRINTER_ATTRIBUTES, IPP_STATUS_ERROR_NOT_FOUND, "?");
	assert_int_equal(f.told, 1);
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_MISSING);
	assert_non_null(strstr(queue_ops.status(f.q)->text, "CUPS has no queue laser"));
	queue_ops.refresh(f.q);
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_READY);
	assert_int_equal(f.told, 2);
	close_fixture(&f);
}

static void test_the_state_of_an_ipp_printer_with_jobs_is_read_every_second(void **state)
{
	struct fixture f;
	struct seen s;
	unsigned i;

	(void)state;
	open_fixture(&f, "ipps://printer.example/ipp/print");
	settle_fixture(&f);
	watch(&f, &s, 1);
	for (i = 0; i < 5; i++) {
		assert_false(is_waiting(IPP_OP_GET_PRINTER_ATTRIBUTES));
		(void)ask_for(1000, 1, IPP_JSTATE_PROCESSING);
		answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	}
	assert_int_equal(f.told, 0);
	queue_ops.unwatch(&s.w);
	close_fixture(&f);
}

static void test_short_jobs_do_not_put_the_question_off(void **state)
{
	struct fixture f;
	struct seen s;
	unsigned i, asked_for = 0;

	(void)state;
	open_fixture(&f, "ipps://printer.example/ipp/print");
	settle_fixture(&f);
	for (i = 1; i <= 30; i++) { /* a new one every 100 ms, each ends at once */
		watch(&f, &s, (int32_t)i);
		answer(IPP_OP_GET_JOB_ATTRIBUTES, job_in((int32_t)i, IPP_JSTATE_COMPLETED));
		pass(100);
		if (is_waiting(IPP_OP_GET_PRINTER_ATTRIBUTES)) {
			answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
			asked_for++;
		}
	}
	assert_in_range(asked_for, 2, 3);
	close_fixture(&f);
}

static void test_an_ipp_printer_that_is_off_is_asked_with_growing_pauses(void **state)
{
	struct fixture f;
	unsigned i, n = 0;

	(void)state;
	open_fixture(&f, "ipp://printer.example/ipp/print");
	settle_fixture(&f);
	pass(10000);
	for (i = 0; i < 1000; i++, pass(1000)) {
		if (is_waiting(IPP_OP_GET_PRINTER_ATTRIBUTES)) {
			cut(IPP_OP_GET_PRINTER_ATTRIBUTES, ERR_TEMPORARY, 7);
			n++;
		}
	}
	assert_in_range(n, 17, 70);
	assert_int_equal(f.told, 1);
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_DOWN);
	pass(60000);
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_READY);
	close_fixture(&f);
}

static void test_a_printer_with_another_key_is_not_trusted_until_it_is_said(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, "ipps://printer.example/ipp/print");
	settle_fixture(&f);
	pass(10000);
	cut(IPP_OP_GET_PRINTER_ATTRIBUTES, ERR_DENIED, 90);
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_UNTRUSTED);
	assert_non_null(strstr(queue_ops.status(f.q)->text, "cannot be trusted"));
	assert_string_equal(ipp_get_text(attrs_ipp(queue_ops.state(f.q)), IPP_TAG_ZERO,
	                                 "printer-state-reasons", ""),
	                    "connecting-to-device");
	queue_ops.trust(f.q, "sha256//BBBB");
	assert_string_equal(fake.pin, "sha256//BBBB");
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_READY);
	queue_ops.trust(f.q, "");
	assert_string_equal(fake.pin, "");
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	close_fixture(&f);
}

static ipp_t *new_connecting(void)
{
	ipp_t *m = new_printer(IPP_PSTATE_PROCESSING, "");

	ippDeleteAttribute(m, ippFindAttribute(m, "printer-state-reasons", IPP_TAG_ZERO));
	add_word(m, IPP_TAG_PRINTER, "printer-state-reasons", "connecting-to-device");
	return m;
}

static void test_connecting_for_long_is_unreachable(void **state)
{
	struct fixture *f = *state;

	queue_ops.refresh(f->q);
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_connecting());
	assert_int_equal(queue_ops.status(f->q)->health, QUEUE_READY);
	pass(5000);
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_connecting());
	assert_int_equal(queue_ops.status(f->q)->health, QUEUE_UNREACHABLE);
	pass(5000);
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	assert_int_equal(queue_ops.status(f->q)->health, QUEUE_READY);
}

static void test_a_changed_configuration_is_read_whole(void **state)
{
	struct attrs *before;
	struct fixture *f = *state;
	ipp_t *m;

	before = attrs_ref(queue_ops.capabilities(f->q));
	queue_ops.refresh(f->q);
	m = new_printer(IPP_PSTATE_IDLE, "");
	ippDeleteAttribute(m, ippFindAttribute(m, "printer-config-change-time", IPP_TAG_ZERO));
	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "printer-config-change-time", 6);
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, m);
	assert_int_equal(f->told, 1); /* who asks hears an answer */
	m = new_printer(IPP_PSTATE_IDLE, "");
	add_word(m, IPP_TAG_PRINTER, "print-color-mode-supported", "color");
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, m);
	assert_int_equal(f->told, 2);
	assert_false(attrs_equal(before, queue_ops.capabilities(f->q)));
	attrs_unref(before);
}

static void test_two_of_many_queues_are_read_at_a_time(void **state)
{
	struct queue_listener listener = { .changed = on_queue_changed };
	struct queue *q[40];
	char name[16];
	struct fixture *f = *state;
	unsigned i, n = 0;

	listener.data = f;
	for (i = 0; i < ARRAY_SIZE(q); i++) {
		(void)snprintf(name, sizeof(name), "q%u", i);
		q[i] = queue_ops.open(f->qs, name, "", &listener);
	}
	assert_int_equal(fake.count, 2);
	queue_ops.close(q[1]); /* while it is read */
	queue_ops.close(q[5]); /* while it waits */
	drain();
	while (is_waiting(IPP_OP_GET_PRINTER_ATTRIBUTES)) {
		assert_true(fake.count <= 2);
		answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
		n++;
	}
	assert_int_equal(n, ARRAY_SIZE(q) - 2);
	assert_int_equal(f->told, ARRAY_SIZE(q) - 2);
	for (i = 0; i < ARRAY_SIZE(q); i++)
		if (i != 1 && i != 5)
			queue_ops.close(q[i]);
}

static void test_what_cannot_be_asked_is_told_from_the_loop(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, "ipp://bad");
	assert_int_equal(f.told, 0);
	pass(60000);
	assert_int_equal(f.told, 1);
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_DOWN);
	close_fixture(&f);
}

static void test_the_socket_and_the_pin_reach_the_peer(void **state)
{
	struct queue_listener listener = { .changed = on_queue_changed };
	struct fixture f;
	struct queue *q;

	(void)state;
	open_fixture(&f, "laser");
	assert_string_equal(fake.socket, "/run/cups/cups.sock");
	assert_string_equal(fake.peer.proxy, "");
	listener.data = &f;
	q = queue_ops.open(f.qs, "ipps://p.example/", "sha256//AAAA", &listener);
	assert_string_equal(fake.pin, "sha256//AAAA");
	assert_string_equal(fake.peer.proxy, "");
	assert_int_equal(fake.peers, 3);
	queue_ops.close(q);
	drain();
	assert_int_equal(fake.peers, 2);
	close_fixture(&f);
	assert_true(queue_is_uri("ipp://x"));
	assert_true(queue_is_uri("IPPS://x"));
	assert_false(queue_is_uri("ipp"));
	assert_false(queue_is_uri("http://x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_LASER(test_a_job_is_asked_for_at_once_and_told_when_it_changes),
		AT_LASER(test_asking_slows_down_to_two_seconds),
		AT_LASER(test_only_the_oldest_job_of_a_queue_is_asked_for_often),
		AT_LASER(test_a_missing_job_is_gone),
		AT_LASER(test_another_job_under_the_number_is_gone),
		AT_LASER(test_silence_is_not_told_and_asked_again),
		AT_LASER(test_processing_that_begins_anew_is_seen),
		AT_LASER(test_a_job_that_starts_without_end_is_stuck_and_asked_rarely),
		cmocka_unit_test(test_unwatch_while_asking_lets_go),
		cmocka_unit_test(test_one_subscription_tells_all_queues),
		AT_LASER(test_an_event_for_the_job_asks_at_once),
		AT_LASER(test_a_gap_in_the_numbers_reads_everything_again),
		AT_LASER(test_a_restarted_cupsd_gets_a_new_subscription),
		AT_LASER(test_the_lease_is_renewed_in_time),
		cmocka_unit_test(test_without_a_subscription_queues_are_polled),
		AT_LASER(test_cups_that_is_down_is_told_once_and_read_when_back),
		cmocka_unit_test(test_a_missing_queue_is_missing_until_it_is_there),
		cmocka_unit_test(test_the_state_of_an_ipp_printer_with_jobs_is_read_every_second),
		cmocka_unit_test(test_short_jobs_do_not_put_the_question_off),
		cmocka_unit_test(test_an_ipp_printer_that_is_off_is_asked_with_growing_pauses),
		cmocka_unit_test(test_a_printer_with_another_key_is_not_trusted_until_it_is_said),
		AT_LASER(test_connecting_for_long_is_unreachable),
		AT_LASER(test_a_changed_configuration_is_read_whole),
		AT_LASER(test_two_of_many_queues_are_read_at_a_time),
		cmocka_unit_test(test_what_cannot_be_asked_is_told_from_the_loop),
		cmocka_unit_test(test_the_socket_and_the_pin_reach_the_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
