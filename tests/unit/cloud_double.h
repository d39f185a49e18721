/* cloud_double.h - a cloud for the unit tests of connector/cloud: takes the place of ipp_client.c,
 * json_client.c and of HTTP peers, records each request, and answers in virtual time: by the test's
 * own function, or when the test says so. Included once by a test program. */
#ifndef TESTS_UNIT_CLOUD_DOUBLE_H
#define TESTS_UNIT_CLOUD_DOUBLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/http.h"
#include "connector/base/ipp_client.h"
#include "connector/base/json_client.h"
#include "connector/base/json_read.h"
#include "connector/base/stream.h"
#include "connector/cloud/cloud.h"
#include "tests/lib/fake_clock.h"

#define DOUBLE_OPEN_MAX 64
#define DOUBLE_SEEN_MAX 4096
#define DOUBLE_WEB_MAX  32 /* exchanges in JSON under way */

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

struct web_reply {
	int64_t delay_ms; /* -1: when the test says so */
	long status;      /* 0: err */
	char text[8192];  /* JSON */
	int retry_after_s;
	struct err err; /* of transport */
};

struct web { /* an exchange in JSON */
	struct json_op *op;
	struct timer timer;
	struct web_reply reply;
};

struct seen {
	ipp_op_t op;
	char url[256], bearer[64];
	int64_t time;
	ipp_t *request; /* a copy */
};

static struct cloud_double {
	struct fake_clock clock;
	void (*answer)(struct ipp_op *op, struct reply *reply); /* NULL: when the test says so */
	struct exchange *open[DOUBLE_OPEN_MAX];
	struct seen seen[DOUBLE_SEEN_MAX];
	size_t seen_count;
	int fail_starts; /* so many ipp_op_start() and json_op_start() return -1 */
	void (*web_answer)(struct json_op *op, struct web_reply *reply); /* as answer */
	struct web *web[DOUBLE_WEB_MAX];
	size_t web_count;                                     /* ever */
	char web_url[1024], web_body[65536], web_bearer[256]; /* of the last one */
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
	(void)snprintf(s->url, sizeof(s->url), "%s", op->url);
	(void)snprintf(s->bearer, sizeof(s->bearer), "%s", op->bearer ? op->bearer : "");
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

static inline enum err_kind double_kind(long status)
{
	if (status == 401 || status == 403)
		return ERR_DENIED;
	if (status == 404 || status == 410)
		return ERR_GONE;
	return status == 429 || status >= 500 ? ERR_TEMPORARY : ERR_REJECTED;
}

static inline void double_web_finish(struct web *w)
{
	struct json_op *op = w->op;
	struct web_reply reply = w->reply;
	char words[100];
	struct err unread;

	for (size_t i = 0; i < DOUBLE_WEB_MAX; i++)
		if (cloud_double.web[i] == w)
			cloud_double.web[i] = NULL;
	timer_stop(&w->timer);
	free(w);
	op->status = reply.status;
	if (!reply.status) {
		op->done(op, &reply.err);
		return;
	}
	if (json_decode(reply.text, strlen(reply.text), &op->answer, &unread) < 0 &&
	    reply.status / 100 == 2) {
		op->done(op, &unread);
		return;
	}
	if (reply.status / 100 == 2) {
		op->done(op, NULL);
		return;
	}
	if (op->answer)
		json_error(op->answer, op->error, sizeof(op->error), words, sizeof(words));
	(void)err_set(&reply.err, double_kind(reply.status), (int)reply.status, "%s%s%s (HTTP %ld)",
	              op->error, op->error[0] ? ": " : "", op->answer ? words : "", reply.status);
	reply.err.retry_after_s = reply.retry_after_s;
	op->done(op, &reply.err);
}

static inline void double_web_on_timer(struct timer *t)
{
	double_web_finish(t->data);
}

int json_op_start(struct json_op *op, struct err *err)
{
	struct web *w;
	size_t i = 0;

	assert_non_null(op->peer);
	assert_true(op->timeout_ms > 0);
	if (cloud_double.fail_starts > 0) {
		cloud_double.fail_starts--;
		buf_wipe(&op->body);
		return err_set(err, ERR_TEMPORARY, 0, "too many open files");
	}
	while (i < DOUBLE_WEB_MAX && cloud_double.web[i])
		i++;
	assert_true(i < DOUBLE_WEB_MAX);
	w = cloud_double.web[i] = xcalloc(1, sizeof(*w));
	w->op = op;
	cloud_double.web_count++;
	(void)snprintf(cloud_double.web_url, sizeof(cloud_double.web_url), "%s", op->url);
	(void)snprintf(cloud_double.web_body, sizeof(cloud_double.web_body), "%s",
	               buf_text(&op->body));
	(void)snprintf(cloud_double.web_bearer, sizeof(cloud_double.web_bearer), "%s",
	               op->bearer ? op->bearer : "");
	timer_init(&w->timer, &cloud_double.clock.clock, double_web_on_timer, w);
	w->reply.delay_ms = -1;
	if (cloud_double.web_answer)
		cloud_double.web_answer(op, &w->reply);
	if (w->reply.delay_ms >= 0)
		timer_start(&w->timer, w->reply.delay_ms);
	return 0;
}

void json_op_cancel(struct json_op *op)
{
	for (size_t i = 0; i < DOUBLE_WEB_MAX; i++) {
		struct web *w = cloud_double.web[i];

		if (!w || w->op != op)
			continue;
		w->reply.status = 0;
		(void)err_set(&w->reply.err, ERR_CANCELED, 0, "canceled");
		timer_start(&w->timer, 0);
	}
}

void json_op_clear(struct json_op *op)
{
	for (size_t i = 0; i < DOUBLE_WEB_MAX; i++)
		assert_true(!cloud_double.web[i] || cloud_double.web[i]->op != op);
	json_wipe(op->answer);
	buf_wipe(&op->body);
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

/* The oldest open exchange in JSON; fails when there is none. */
static inline struct web *double_web(void)
{
	for (size_t i = 0; i < DOUBLE_WEB_MAX; i++)
		if (cloud_double.web[i])
			return cloud_double.web[i];
	fail_msg("no exchange in JSON is under way");
	return NULL;
}

static inline void double_web_reply(long status, const char *text)
{
	struct web *w = double_web();

	w->reply.status = status;
	(void)snprintf(w->reply.text, sizeof(w->reply.text), "%s", text);
	double_web_finish(w);
}

static inline void double_web_break(enum err_kind kind, int code, int retry_after_s)
{
	struct web *w = double_web();

	(void)err_set(&w->reply.err, kind, code, "broken by the test (%d)", code);
	w->reply.err.retry_after_s = retry_after_s;
	double_web_finish(w);
}

static inline size_t double_open_count(void)
{
	size_t n = 0;

	for (size_t i = 0; i < DOUBLE_WEB_MAX; i++)
		n += cloud_double.web[i] != NULL;
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

static inline struct cloud_settings double_universal_settings(void)
{
	return (struct cloud_settings){
		.name = "up",
		.type = CLOUD_UNIVERSAL_PRINT,
		.login_url = "https://login.example",
		.registration_url = "https://register.example/",
		.print_url = "https://print.example",
		.notification_url = "https://notification.example",
		.tenant = "organizations",
		.client_id = "app-1",
		.scope = "https://print.example/Printers.Create",
		.resource = "https://print.example",
		.connector_name = "lab host",
		.clock = &cloud_double.clock.clock,
	};
}

static inline struct cloud *double_universal(void)
{
	struct cloud_settings settings = double_universal_settings();
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
