/* fake_ipp.h - for tests of printer/: doubles of ipp_client.h and http.h and a clock that a test
 * moves. Requests wait in a list until the test answers them; everything happens in virtual time.
 * Included by one file per test program; a program that uses it links none of the real ones. */
#ifndef TESTS_UNIT_FAKE_IPP_H
#define TESTS_UNIT_FAKE_IPP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <cups/cups.h>

#include "common/err.h"
#include "common/util.h"
#include "connector/base/clock.h"
#include "connector/base/ipp_client.h"
#include "connector/base/stream.h"
#include "connector/printer/queue.h"

#define FAKE_OPS 512

static struct {
	struct ipp_op *ops[FAKE_OPS]; /* under way, oldest first */
	bool canceled[FAKE_OPS];
	size_t count, started;
	unsigned peers, connections;
	struct http_peer_settings peer; /* of the latest peer */
	char socket[64], pin[64];
	bool refuse; /* starts fail */

	struct timer *timers[FAKE_OPS];
	int64_t due[FAKE_OPS];
	size_t timer_count;
	int64_t now;
	uint64_t random;
} fake;

/* ---- clock ---------------------------------------------------------------------------------- */

static int64_t fake_now(struct clock *c)
{
	(void)c;
	return fake.now;
}

static uint64_t fake_random(struct clock *c)
{
	(void)c;
	fake.random = fake.random * 6364136223846793005u + 1442695040888963407u;
	return fake.random >> 33;
}

static void fake_drop(size_t i)
{
	fake.timers[i]->armed = false;
	fake.timer_count--;
	fake.timers[i] = fake.timers[fake.timer_count];
	fake.due[i] = fake.due[fake.timer_count];
}

static void fake_stop(struct timer *t)
{
	size_t i;

	for (i = 0; i < fake.timer_count; i++) {
		if (fake.timers[i] != t)
			continue;
		fake_drop(i);
		return;
	}
}

static void fake_start(struct timer *t, int64_t delay_ms)
{
	assert_true(fake.timer_count < FAKE_OPS);
	fake_stop(t);
	fake.timers[fake.timer_count] = t;
	fake.due[fake.timer_count++] = fake.now + delay_ms;
	t->armed = true;
}

static struct clock fake_clock = { fake_now, fake_now, fake_random, fake_start, fake_stop };

/* The one that is due first; fake.timer_count: none. */
static size_t fake_next_timer(void)
{
	size_t i, best = fake.timer_count;

	for (i = 0; i < fake.timer_count; i++)
		if (best == fake.timer_count || fake.due[i] < fake.due[best])
			best = i;
	return best;
}

/* Lets ms pass; timers fire in order. */
__attribute__((unused)) static void pass(int64_t ms)
{
	int64_t end = fake.now + ms;
	size_t i, fired = 0;

	for (i = fake_next_timer(); i < fake.timer_count && fake.due[i] <= end;
	     i = fake_next_timer()) {
		struct timer *t = fake.timers[i];

		if (fake.due[i] > fake.now)
			fake.now = fake.due[i];
		fake_drop(i);
		t->fire(t);
		assert_true(++fired < 100000); /* else it never waits */
	}
	fake.now = end;
}

/* ---- http.h, ipp_client.h ------------------------------------------------------------------- */

struct http_peer *http_peer_new(struct http *h, const struct http_peer_settings *settings)
{
	(void)h;
	fake.peers++;
	fake.peer = *settings;
	(void)snprintf(fake.socket, sizeof(fake.socket), "%s",
	               settings->unix_socket != NULL ? settings->unix_socket : "");
	(void)snprintf(fake.pin, sizeof(fake.pin), "%s",
	               settings->pinned_key != NULL ? settings->pinned_key : "");
	return xcalloc(1, 1);
}

void http_peer_free(struct http_peer *p)
{
	if (p != NULL)
		fake.peers--;
	free(p);
}

void http_peer_pin(struct http_peer *p, const char *pinned_key)
{
	(void)p;
	(void)snprintf(fake.pin, sizeof(fake.pin), "%s", pinned_key != NULL ? pinned_key : "");
}

bool http_is_untrusted(const struct err *err)
{
	return err->kind == ERR_DENIED && (err->code == 60 || err->code == 90);
}

unsigned http_peer_connections(const struct http_peer *p)
{
	(void)p;
	return fake.connections;
}

int ipp_op_start(struct ipp_op *op, struct err *err)
{
	assert_null(op->response);
	if (fake.refuse)
		return err_set(err, ERR_TEMPORARY, 7, "cannot start");
	assert_true(fake.count < FAKE_OPS);
	fake.canceled[fake.count] = false;
	fake.ops[fake.count++] = op;
	fake.started++;
	return 0;
}

void ipp_op_cancel(struct ipp_op *op)
{
	size_t i;

	for (i = 0; i < fake.count; i++)
		if (fake.ops[i] == op)
			fake.canceled[i] = true;
}

void ipp_op_clear(struct ipp_op *op)
{
	size_t i;

	for (i = 0; i < fake.count; i++)
		assert_ptr_not_equal(fake.ops[i], op);
	ippDelete(op->request);
	ippDelete(op->response);
	*op = (struct ipp_op){ 0 };
}

void ipp_status_err(ipp_status_t status, const char *message, struct err *err)
{
	enum err_kind kind = ERR_REJECTED;

	if (status >= 0x0401 && status <= 0x0403)
		kind = ERR_DENIED;
	else if (status == 0x0406 || status == 0x0407)
		kind = ERR_GONE;
	else if (status == 0x0408 || (status >= 0x0500 && status <= 0x0507))
		kind = ERR_TEMPORARY;
	(void)err_set(err, kind, (int)status, "%s", message);
}

int ipp_http_url(const char *uri, char *ret, size_t size, struct err *err)
{
	if (strncmp(uri, "ipp://bad", 9) == 0)
		return err_set(err, ERR_REJECTED, 0, "not an address");
	(void)snprintf(ret, size, "http%s", strchr(uri, ':'));
	return 0;
}

/* ---- what a test does ----------------------------------------------------------------------- */

static ipp_op_t op_code(size_t i)
{
	return ippGetOperation(fake.ops[i]->request);
}

/* The oldest request of that kind that waits; fails the test when there is none. */
static size_t waiting(ipp_op_t code)
{
	size_t i;

	for (i = 0; i < fake.count; i++)
		if (op_code(i) == code)
			return i;
	fail_msg("no %s waits", ippOpString(code));
	return 0;
}

__attribute__((unused)) static bool is_waiting(ipp_op_t code)
{
	size_t i;

	for (i = 0; i < fake.count; i++)
		if (op_code(i) == code)
			return true;
	return false;
}

__attribute__((unused)) static ipp_t *asked(ipp_op_t code)
{
	return fake.ops[waiting(code)]->request;
}

static void finish_op(size_t i, ipp_t *answer, const struct err *err)
{
	struct ipp_op *op = fake.ops[i];
	struct err canceled;

	if (fake.canceled[i] && err == NULL) {
		(void)err_set(&canceled, ERR_CANCELED, 0, "canceled");
		err = &canceled;
		ippDelete(answer);
		answer = NULL;
	}
	for (fake.count--; i < fake.count; i++) {
		fake.ops[i] = fake.ops[i + 1];
		fake.canceled[i] = fake.canceled[i + 1];
	}
	op->response = answer;
	op->ipp_status = answer != NULL ? ippGetStatusCode(answer) : 0;
	op->done(op, err);
}

/* Answers the oldest request of that kind. Consumes the answer. */
static void answer(ipp_op_t code, ipp_t *message)
{
	finish_op(waiting(code), message, NULL);
}

__attribute__((unused)) static void refuse(ipp_op_t code, ipp_status_t status, const char *text)
{
	ipp_t *message = ippNew();
	struct err err;

	ippSetStatusCode(message, status);
	ipp_status_err(status, text, &err);
	finish_op(waiting(code), message, &err);
}

__attribute__((unused)) static void cut(ipp_op_t code, enum err_kind kind, int number)
{
	struct err err;

	(void)err_set(&err, kind, number, "connection refused");
	finish_op(waiting(code), NULL, &err);
}

/* Ends everything that was canceled, as the loop would. */
static void drain(void)
{
	size_t i;

	for (i = 0; i < fake.count;) {
		if (fake.canceled[i]) {
			finish_op(i, NULL, NULL);
			i = 0;
		} else {
			i++;
		}
	}
}

static ipp_t *new_answer(void)
{
	ipp_t *message = ippNew();

	ippSetStatusCode(message, IPP_STATUS_OK);
	return message;
}

static void add_word(ipp_t *m, ipp_tag_t group, const char *name, const char *word)
{
	ippAddString(m, group, IPP_TAG_KEYWORD, name, NULL, word);
}

/* A printer as CUPS describes it. */
__attribute__((unused)) static ipp_t *new_printer(ipp_pstate_t state, const char *message)
{
	static const int ops[] = { IPP_OP_PRINT_JOB,  IPP_OP_VALIDATE_JOB,
		                   IPP_OP_CREATE_JOB, IPP_OP_SEND_DOCUMENT,
		                   IPP_OP_CANCEL_JOB, IPP_OP_GET_JOB_ATTRIBUTES };
	static const char *const formats[] = { "application/octet-stream", "application/pdf",
		                               "image/urf" };
	ipp_t *m = new_answer();

	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "printer-state", (int)state);
	add_word(m, IPP_TAG_PRINTER, "printer-state-reasons", "none");
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-state-message", NULL, message);
	ippAddBoolean(m, IPP_TAG_PRINTER, "printer-is-accepting-jobs", 1);
	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "printer-config-change-time", 5);
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-make-and-model", NULL, "Model 1");
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_URI, "printer-uuid", NULL, "urn:uuid:1");
	ippAddIntegers(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "operations-supported", ARRAY_SIZE(ops),
	               ops);
	ippAddStrings(m, IPP_TAG_PRINTER, IPP_TAG_MIMETYPE, "document-format-supported",
	              ARRAY_SIZE(formats), NULL, formats);
	ippAddRange(m, IPP_TAG_PRINTER, "copies-supported", 1, 99);
	add_word(m, IPP_TAG_PRINTER, "sides-supported", "one-sided");
	return m;
}

__attribute__((unused)) static ipp_t *add_job(ipp_t *m, int id, ipp_jstate_t state,
                                              const char *reason, const char *uuid)
{
	if (ippFirstAttribute(m) != NULL)
		ippAddSeparator(m);
	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-id", id);
	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_ENUM, "job-state", (int)state);
	add_word(m, IPP_TAG_JOB, "job-state-reasons", reason);
	if (uuid != NULL)
		ippAddString(m, IPP_TAG_JOB, IPP_TAG_URI, "job-uuid", NULL, uuid);
	return m;
}

/* ---- queues --------------------------------------------------------------------------------- */

struct fixture {
	struct queues *qs;
	struct queue *q;
	unsigned told; /* listener */
};

static void on_queue_changed(void *data)
{
	struct fixture *f = data;

	f->told++;
}

static const char *fake_id; /* of the connector at cupsd; NULL: none */

static void open_fixture(struct fixture *f, const char *name)
{
	struct queues_settings settings = { .http = NULL,
		                            .clock = &fake_clock,
		                            .cups_server = "/run/cups/cups.sock",
		                            .id = fake_id };
	struct queue_listener listener = { .changed = on_queue_changed, .data = f };
	struct err err;

	memset(&fake, 0, sizeof(fake));
	fake.now = 1000;
	fake.random = 1;
	*f = (struct fixture){ .told = 0 };
	assert_int_equal(queue_ops.open_all(&f->qs, &settings, &err), 0);
	f->q = queue_ops.open(f->qs, name, "", &listener);
}

static void close_fixture(struct fixture *f)
{
	queue_ops.close(f->q);
	queue_ops.close_all(f->qs);
	drain();
	assert_int_equal(fake.count, 0);
	assert_int_equal(fake.timer_count, 0);
	assert_int_equal(fake.peers, 0);
}

/* Answers the first reading and, for CUPS, the subscription. */
__attribute__((unused)) static void settle_fixture(struct fixture *f)
{
	ipp_t *m;

	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	pass(0);
	if (is_waiting(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS)) {
		m = new_answer();
		ippAddInteger(m, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER, "notify-subscription-id",
		              9);
		answer(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS, m);
		answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	}
	f->told = 0;
}

#endif
