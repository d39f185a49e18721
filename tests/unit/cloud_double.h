/* cloud_double.h - a cloud for the unit tests of connector/cloud: takes the place of ipp_client.c
 * and of HTTP peers, records each request, and answers in virtual time: by the test's own function,
 * or when the test says so. Included once by a test program. */
#ifndef TESTS_UNIT_CLOUD_DOUBLE_H
#define TESTS_UNIT_CLOUD_DOUBLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/http.h"
#include "connector/base/ipp_client.h"
#include "connector/base/stream.h"
#include "connector/cloud/cloud.h"
#include "tests/lib/fake_clock.h"

#define DOUBLE_OPEN_MAX 64
#define DOUBLE_SEEN_MAX 4096

struct reply {
	int64_t delay_ms; /* -1: when the test says so */
	ipp_t *response;  /* with its status; consumed; NULL: err */
	struct err err;   /* of transport */
};

struct exchange { /* one that was not answered yet */
	struct ipp_op *op;
	struct timer timer;
	struct reply reply;
	int64_t started;
};

struct seen {
	ipp_op_t op;
	int64_t time;
	ipp_t *request; /* a copy */
};

static struct cloud_double {
	struct fake_clock clock;
	void (*answer)(struct ipp_op *op, struct reply *reply); /* NULL: when the test says so */
	struct exchange *open[DOUBLE_OPEN_MAX];
	struct seen seen[DOUBLE_SEEN_MAX];
	size_t seen_count;
	int fail_starts; /* so many ipp_op_start() return -1 */
	int peers, peers_ever;
} cloud_double;

/* ---- what stands in for base/ ---- */

static inline void double_finish(struct exchange *x)
{
	struct ipp_op *op = x->op;
	struct reply reply = x->reply;
	struct err err;
	ipp_status_t status;

	for (size_t i = 0; i < DOUBLE_OPEN_MAX; i++)
		if (cloud_double.open[i] == x)
			cloud_double.open[i] = NULL;
	timer_stop(&x->timer);
	free(x);
	if (!reply.response) {
		if (op->document)
			stream_fail(op->document, &reply.err);
		op->done(op, &reply.err);
		return;
	}
	if (op->response != reply.response) {
		ippDelete(op->response);
		op->response = reply.response;
	}
	status = op->ipp_status = ippGetStatusCode(reply.response);
	if (status <= 0xff) {
		if (op->document)
			stream_end(op->document);
		op->done(op, NULL);
		return;
	}
	ipp_status_err(status, ippErrorString(status), &err);
	if (op->document)
		stream_fail(op->document, &err);
	op->done(op, &err);
}

static inline void double_on_timer(struct timer *t)
{
	double_finish(t->data);
}

int ipp_op_start(struct ipp_op *op, struct err *err)
{
	struct exchange *x;
	struct seen *s = &cloud_double.seen[cloud_double.seen_count];
	size_t i = 0;

	assert_non_null(op->peer);
	assert_true(op->timeout_ms > 0 || op->idle_ms > 0);
	if (cloud_double.fail_starts > 0) {
		cloud_double.fail_starts--;
		ippDelete(op->request);
		op->request = NULL;
		return err_set(err, ERR_TEMPORARY, 0, "too many open files");
	}
	assert_true(cloud_double.seen_count < DOUBLE_SEEN_MAX);
	s->op = ippGetOperation(op->request);
	s->time = cloud_double.clock.now_ms;
	s->request = ippNew();
	ippCopyAttributes(s->request, op->request, 0, NULL, NULL);
	cloud_double.seen_count++;
	while (i < DOUBLE_OPEN_MAX && cloud_double.open[i])
		i++;
	assert_true(i < DOUBLE_OPEN_MAX);
	x = cloud_double.open[i] = xcalloc(1, sizeof(*x));
	x->op = op;
	x->started = s->time;
	timer_init(&x->timer, &cloud_double.clock.clock, double_on_timer, x);
	x->reply.delay_ms = -1;
	if (cloud_double.answer)
		cloud_double.answer(op, &x->reply);
	if (x->reply.delay_ms >= 0)
		timer_start(&x->timer, x->reply.delay_ms);
	return 0;
}

void ipp_op_cancel(struct ipp_op *op)
{
	for (size_t i = 0; i < DOUBLE_OPEN_MAX; i++) {
		struct exchange *x = cloud_double.open[i];

		if (!x || x->op != op)
			continue;
		ippDelete(x->reply.response == op->response ? NULL : x->reply.response);
		x->reply = (struct reply){ 0 };
		(void)err_set(&x->reply.err, ERR_CANCELED, 0, "canceled");
		timer_start(&x->timer, 0);
	}
}

void ipp_op_clear(struct ipp_op *op)
{
	for (size_t i = 0; i < DOUBLE_OPEN_MAX; i++)
		assert_true(!cloud_double.open[i] || cloud_double.open[i]->op != op);
	ippDelete(op->request);
	ippDelete(op->response);
	memset(op, 0, sizeof(*op));
}

struct http_peer {
	struct http_peer_settings settings;
};

struct http_peer *http_peer_new(struct http *h, const struct http_peer_settings *settings)
{
	struct http_peer *p = xcalloc(1, sizeof(*p));

	(void)h;
	p->settings = *settings;
	cloud_double.peers++;
	cloud_double.peers_ever++;
	return p;
}

void http_peer_free(struct http_peer *p)
{
	if (p)
		cloud_double.peers--;
	free(p);
}

/* ---- for tests ---- */

static inline ipp_t *double_response(ipp_status_t status)
{
	ipp_t *m = ippNew();

	ippSetStatusCode(m, status);
	ippAddString(m, IPP_TAG_OPERATION, IPP_TAG_CHARSET, "attributes-charset", NULL, "utf-8");
	ippAddString(m, IPP_TAG_OPERATION, IPP_TAG_LANGUAGE, "attributes-natural-language", NULL,
	             "en");
	return m;
}

/* The oldest open exchange of this operation; fails when there is none. */
static inline struct exchange *double_find(ipp_op_t op, bool must)
{
	struct exchange *found = NULL;

	for (size_t i = 0; i < DOUBLE_OPEN_MAX; i++) {
		struct exchange *x = cloud_double.open[i];

		if (x && ippGetOperation(x->op->request) == op &&
		    (!found || x->started < found->started))
			found = x;
	}
	if (must && !found)
		fail_msg("no %s is under way", ippOpString(op));
	return found;
}

static inline void double_reply(ipp_op_t op, ipp_t *response)
{
	struct exchange *x = double_find(op, true);

	ippDelete(x->reply.response);
	x->reply.response = response;
	double_finish(x);
}

static inline void double_status(ipp_op_t op, ipp_status_t status)
{
	double_reply(op, double_response(status));
}

static inline void double_break(ipp_op_t op, enum err_kind kind, int code, int retry_after_s)
{
	struct exchange *x = double_find(op, true);

	ippDelete(x->reply.response);
	x->reply.response = NULL;
	(void)err_set(&x->reply.err, kind, code, "broken by the test (%d)", code);
	x->reply.err.retry_after_s = retry_after_s;
	double_finish(x);
}

static inline size_t double_open_count(void)
{
	size_t n = 0;

	for (size_t i = 0; i < DOUBLE_OPEN_MAX; i++)
		n += cloud_double.open[i] != NULL;
	return n;
}

static inline size_t double_count(ipp_op_t op)
{
	size_t n = 0;

	for (size_t i = 0; i < cloud_double.seen_count; i++)
		n += cloud_double.seen[i].op == op;
	return n;
}

/* The last request of this operation. */
static inline ipp_t *double_last(ipp_op_t op)
{
	for (size_t i = cloud_double.seen_count; i-- > 0;)
		if (cloud_double.seen[i].op == op)
			return cloud_double.seen[i].request;
	fail_msg("%s was never sent", ippOpString(op));
	return NULL;
}

static inline void double_forget_seen(void)
{
	for (size_t i = 0; i < cloud_double.seen_count; i++)
		ippDelete(cloud_double.seen[i].request);
	cloud_double.seen_count = 0;
}

static inline void double_init(uint64_t seed)
{
	memset(&cloud_double, 0, sizeof(cloud_double));
	fake_clock_init(&cloud_double.clock, seed);
}

static inline void double_clear(void)
{
	assert_int_equal(double_open_count(), 0);
	assert_int_equal(fake_clock_clear(&cloud_double.clock), 0);
	assert_int_equal(cloud_double.peers, 0);
	double_forget_seen();
}

static inline struct cloud *double_cloud(void)
{
	struct cloud_settings settings = { .name = "test", .clock = &cloud_double.clock.clock };
	struct cloud *c = NULL;
	struct err err;

	assert_int_equal(cloud_ops.open(&c, &settings, &err), 0);
	return c;
}

#define DOUBLE_UUID "11111111-2222-3333-4444-555555555555"

static inline struct channel_settings double_settings(void)
{
	return (struct channel_settings){ .uri = "ipps://cloud.example/ipp/print/a",
		                          .device_uuid = DOUBLE_UUID };
}

static inline void assert_text(ipp_t *m, ipp_tag_t group, const char *name, const char *value)
{
	assert_string_equal(ipp_get_text(m, group, name, "(none)"), value);
}

#endif
