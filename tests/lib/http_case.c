#include "tests/lib/http_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "connector/base/loop.h"

#define GUARD_MS 20000

static void on_guard(struct timer *t)
{
	(void)t;
	print_error("the test does not come to its end\n");
	abort();
}

static void on_poll(struct timer *t)
{
	struct http_case *c = t->data;

	if (c->is(c->is_data))
		loop_stop(c->loop);
	else
		timer_start(t, 1);
}

void http_case_peer(struct http_case *c, const struct http_peer_settings *peer)
{
	static const struct http_peer_settings plain = { .proxy = "" };

	http_peer_free(c->peer);
	c->peer = http_peer_new(c->http, peer ? peer : &plain);
}

void http_case_serve(struct http_case *c, const struct fake_http_settings *server)
{
	if (c->server)
		fake_http_close(c->server);
	c->server = fake_http_open(c->loop, server);
	c->script = fake_http_script(c->server);
	c->seen = fake_http_seen(c->server);
}

void http_case_open(struct http_case *c, const struct fake_http_settings *server,
                    const struct http_peer_settings *peer)
{
	struct err err;

	memset(c, 0, sizeof(*c));
	assert_int_equal(loop_open(&c->loop, &err), 0);
	assert_int_equal(http_open(&c->http, c->loop, &err), 0);
	timer_init(&c->guard, loop_clock(c->loop), on_guard, c);
	timer_init(&c->poll, loop_clock(c->loop), on_poll, c);
	http_case_serve(c, server);
	http_case_peer(c, peer);
}

void http_case_close(struct http_case *c)
{
	http_peer_free(c->peer);
	http_close(c->http);
	fake_http_close(c->server);
	loop_close(c->loop);
}

void http_case_until(struct http_case *c, bool (*is)(void *data), void *data)
{
	c->is = is;
	c->is_data = data;
	timer_start(&c->guard, GUARD_MS);
	timer_start(&c->poll, 0);
	loop_run(c->loop);
	timer_stop(&c->guard);
	timer_stop(&c->poll);
}

static void on_time(struct timer *t)
{
	*(bool *)t->data = true;
}

static bool is_true(void *data)
{
	return *(bool *)data;
}

void http_case_run_ms(struct http_case *c, int ms)
{
	bool over = false;
	struct timer t;

	timer_init(&t, loop_clock(c->loop), on_time, &over);
	timer_start(&t, ms);
	http_case_until(c, is_true, &over);
}

static enum http_take on_take(struct http_req *r, const void *data, size_t len, struct err *err)
{
	struct call *call = r->data;

	call->takes++;
	if (call->stop) {
		(void)err_set(err, ERR_REJECTED, 7, "stopped by take");
		return HTTP_STOP;
	}
	if (call->pause_once) {
		call->pause_once = false;
		return HTTP_PAUSE;
	}
	assert_int_equal(buf_append(&call->reply, data, len), 0);
	return HTTP_TAKEN;
}

static void on_done(struct http_req *r, const struct err *err)
{
	static unsigned order;
	struct call *call = r->data;

	assert_false(call->c->inside);
	assert_null(r->private);
	call->done++;
	assert_int_equal(call->done, 1);
	call->order = ++order;
	if (err) {
		assert_int_not_equal(err->kind, ERR_NONE);
		assert_true(err->text[0]);
		call->err = *err;
	}
	if (call->then)
		call->then(call);
}

void call_init(struct call *call, struct http_case *c, const char *path)
{
	memset(call, 0, sizeof(*call));
	call->c = c;
	buf_init(&call->reply, 64 << 20);
	call->req = (struct http_req){ .peer = c->peer,
		                       .url = fake_http_url(c->server, path),
		                       .content_type = "application/ipp",
		                       .head = "ping",
		                       .head_len = 4,
		                       .timeout_ms = 15000,
		                       .take = on_take,
		                       .done = on_done,
		                       .data = call };
}

void call_start(struct call *call)
{
	struct err err;

	call->c->inside = true;
	if (http_start(call->c->http, &call->req, &err) < 0)
		fail_msg("%s", err.text);
	call->c->inside = false;
}

void call_cancel(struct call *call)
{
	call->c->inside = true;
	http_cancel(&call->req);
	call->c->inside = false;
}

static bool is_done(void *data)
{
	return ((struct call *)data)->done;
}

void call_wait(struct call *call)
{
	http_case_until(call->c, is_done, call);
}

void call_clear(struct call *call)
{
	buf_clear(&call->reply);
}

void call_run(struct call *call, struct http_case *c)
{
	call_init(call, c, "/x");
	call_start(call);
	call_wait(call);
}
