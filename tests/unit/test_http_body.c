/* http_body.c: bodies that stream, with back-pressure both ways. */
#include "connector/base/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "connector/base/loop.h"
#include "connector/base/stream.h"
#include "tests/lib/http_case.h"
#include "tests/lib/tmpdir.h"

#define CAPACITY ((size_t)32768)

/* Writes so many bytes of the pattern as fast as there is room, then ends the stream. */
struct producer {
	struct stream *stream;
	struct timer timer;
	uint64_t total, written, sum;
	unsigned woken;
	bool stall; /* writes all, but never ends */
};

static void produce(struct timer *t)
{
	struct producer *p = t->data;
	unsigned char block[1000];

	while (p->written < p->total) {
		uint64_t left = p->total - p->written;
		size_t len = left < sizeof(block) ? (size_t)left : sizeof(block);

		fake_pattern(p->written, block, len);
		if (stream_write(p->stream, block, len) < 0)
			return;
		p->sum = fake_sum(p->sum, block, len);
		p->written += len;
	}
	if (!p->stall)
		stream_end(p->stream);
}

static void on_room(void *data)
{
	struct producer *p = data;

	p->woken++;
	timer_start(&p->timer, 0);
}

static void producer_open(struct producer *p, struct http_case *c, uint64_t total)
{
	memset(p, 0, sizeof(*p));
	p->stream = stream_new(CAPACITY);
	p->total = total;
	timer_init(&p->timer, loop_clock(c->loop), produce, p);
	timer_start(&p->timer, 0);
	stream_on_room(p->stream, on_room, p);
}

static void producer_close(struct producer *p)
{
	timer_stop(&p->timer);
	stream_on_room(p->stream, NULL, NULL);
	stream_free(p->stream);
}

static void upload(struct call *call, struct http_case *c, struct producer *p, int64_t len)
{
	call_init(call, c, "/x");
	call->req.body = p->stream;
	call->req.body_len = len;
	call->req.http1 = true;
	call_start(call);
}

static void test_a_body_of_unknown_length_goes_out_in_chunks(void **state)
{
	static const uint64_t sizes[] = { 0, 1, CAPACITY - 1, CAPACITY, CAPACITY + 1, 3000000 };
	struct http_case c;
	struct producer p;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		producer_open(&p, &c, sizes[i]);
		p.sum = fake_sum(0, "ping", 4);
		upload(&call, &c, &p, -1);
		call_wait(&call);
		assert_string_equal(call.err.text, "");
		assert_true(c.seen->chunked);
		assert_int_equal(c.seen->body_len, sizes[i] + 4);
		assert_int_equal(c.seen->body_sum, p.sum);
		assert_int_equal(call.req.sent, sizes[i] + 4);
		assert_int_equal(stream_state(p.stream), STREAM_ENDED);
		assert_null(strstr(c.seen->header, "Expect"));
		producer_close(&p);
		call_clear(&call);
	}
	assert_int_equal(c.seen->connections, 1);
	http_case_close(&c);
}

static void test_a_body_of_known_length_says_so(void **state)
{
	struct http_case c;
	struct producer p;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	for (int stall = 0; stall < 2; stall++) {
		producer_open(&p, &c, 1000000);
		p.stall = stall; /* all bytes are there: its end need not be awaited */
		p.sum = fake_sum(0, "ping", 4);
		upload(&call, &c, &p, 1000000);
		call_wait(&call);
		assert_int_equal(call.err.kind, ERR_NONE);
		assert_non_null(strstr(c.seen->header, "Content-Length: 1000004\r\n"));
		assert_int_equal(c.seen->body_sum, p.sum);
		assert_int_equal(stream_state(p.stream), stall ? STREAM_OPEN : STREAM_ENDED);
		producer_close(&p);
		call_clear(&call);
	}
	http_case_close(&c);
}

static void test_a_body_that_ends_early_is_never_taken_for_whole(void **state)
{
	struct http_case c;
	struct producer p;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	producer_open(&p, &c, 50000);
	upload(&call, &c, &p, 50001);
	call_wait(&call);
	assert_int_equal(call.err.kind, ERR_TEMPORARY);
	assert_non_null(strstr(call.err.text, "50000 of 50001"));
	assert_int_equal(c.seen->requests, 0);
	producer_close(&p);
	call_clear(&call);
	http_case_close(&c);
}

static void test_a_body_that_is_too_long_is_noticed(void **state)
{
	struct http_case c;
	struct producer p;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	producer_open(&p, &c, 60000);
	upload(&call, &c, &p, 10);
	call_wait(&call);
	assert_int_equal(c.seen->body_len, 14);
	assert_int_equal(call.err.kind, ERR_TEMPORARY);
	assert_non_null(strstr(call.err.text, "longer than the 10 bytes"));
	assert_int_equal(stream_state(p.stream), STREAM_FAILED);
	producer_close(&p);
	call_clear(&call);
	http_case_close(&c);
}

static bool has_written(void *data)
{
	return ((struct producer *)data)->written >= 5000;
}

static void test_a_failing_body_ends_the_exchange_with_its_reason(void **state)
{
	struct http_case c;
	struct producer p;
	struct call call;
	struct err why;

	(void)state;
	http_case_open(&c, NULL, NULL);
	(void)err_set(&why, ERR_GONE, 42, "the document is gone");
	for (int early = 0; early < 2; early++) {
		producer_open(&p, &c, 5000);
		p.stall = true;
		if (early)
			stream_fail(p.stream, &why);
		upload(&call, &c, &p, -1);
		if (!early) {
			http_case_until(&c, has_written, &p);
			http_case_run_ms(&c, 5);
			assert_int_equal(call.done, 0);
			stream_fail(p.stream, &why);
		}
		call_wait(&call);
		assert_int_equal(call.err.kind, ERR_GONE);
		assert_int_equal(call.err.code, 42);
		assert_string_equal(call.err.text, "the document is gone");
		producer_close(&p);
		call_clear(&call);
	}
	assert_int_equal(c.seen->requests, 0);
	http_case_close(&c);
}

static void test_waiting_for_our_own_producer_is_not_idle(void **state)
{
	struct http_case c;
	struct producer p;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	producer_open(&p, &c, 5000);
	p.stall = true;
	call_init(&call, &c, "/x");
	call.req.body = p.stream;
	call.req.body_len = -1;
	call.req.idle_ms = 40;
	call_start(&call);
	http_case_run_ms(&c, 150);
	assert_int_equal(call.done, 0);
	stream_end(p.stream);
	call_wait(&call);
	assert_int_equal(call.err.kind, ERR_NONE);
	producer_close(&p);
	call_clear(&call);
	http_case_close(&c);
}

static void test_a_server_that_does_not_read_stops_the_producer(void **state)
{
	struct http_case c;
	struct producer p;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	c.script->deaf = true;
	producer_open(&p, &c, 64 << 20);
	call_init(&call, &c, "/x");
	call.req.body = p.stream;
	call.req.body_len = -1;
	call.req.idle_ms = 100;
	call_start(&call);
	call_wait(&call);
	assert_int_equal(call.err.kind, ERR_TEMPORARY);
	assert_int_equal(call.err.code, 28);
	/* the kernel's buffers took a few MB, we hold no more than the stream */
	assert_true(p.written < 32 << 20);
	assert_int_equal(stream_state(p.stream), STREAM_FAILED);
	assert_int_equal(stream_err(p.stream)->code, 28);
	producer_close(&p);
	call_clear(&call);
	http_case_close(&c);
}

static void test_an_early_refusal_ends_exchange_and_producer(void **state)
{
	static const struct {
		const char *answer;
		enum err_kind kind;
		bool close;
	} cases[] = {
		{ "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", ERR_DENIED, false },
		{ "HTTP/1.1 401 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", ERR_DENIED,
		  false },
		{ "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n", ERR_TEMPORARY, false },
		{ "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", ERR_NONE,
		  false },
		{ "HTTP/1.1 401 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
		  ERR_TEMPORARY, true },
	};
	struct http_case c;
	struct producer p;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	c.script->early = true;
	for (int stall = 0; stall < 2; stall++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			c.script->answer = cases[i].answer;
			c.script->close = cases[i].close;
			producer_open(&p, &c, stall ? 1000 : 64 << 20);
			p.stall = stall;
			upload(&call, &c, &p, -1);
			call_wait(&call);
			if (call.err.kind != cases[i].kind &&
			    !(cases[i].close && call.err.kind == ERR_DENIED))
				fail_msg("case %zu: %s %s", i, err_kind_name(call.err.kind),
				         call.err.text);
			assert_true(p.written < 32 << 20);
			assert_int_equal(stream_state(p.stream), STREAM_FAILED);
			producer_close(&p);
			call_clear(&call);
		}
	}
	http_case_close(&c);
}

/* As cupsd does when its disk is full. */
static void test_an_answer_before_a_local_server_breaks_off_is_heard(void **state)
{
	char *dir = tmpdir_new();
	char path[100];
	struct fake_http_settings server = { .unix_path = path };
	struct http_peer_settings peer = { .unix_socket = path };
	struct http_case c;
	struct producer p;
	struct call call;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/sock", dir);
	http_case_open(&c, &server, &peer);
	c.script->early = c.script->deaf = c.script->close = true;
	c.script->answer = "HTTP/1.1 413 Too large\r\nContent-Length: 0\r\n\r\n";
	for (int i = 0; i < 20; i++) {
		producer_open(&p, &c, 64 << 20);
		upload(&call, &c, &p, -1);
		call_wait(&call);
		assert_int_equal(call.err.code, 413);
		producer_close(&p);
		call_clear(&call);
	}
	http_case_close(&c);
	tmpdir_free(dir);
}

static void test_a_streamed_body_is_not_sent_twice(void **state)
{
	struct http_case c;
	struct producer p;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	call_run(&call, &c);
	call_clear(&call);
	c.script->close_on_reuse = 2;
	producer_open(&p, &c, 5000);
	upload(&call, &c, &p, 5000);
	call_wait(&call);
	assert_int_equal(call.err.kind, ERR_TEMPORARY);
	assert_int_equal(c.seen->requests, 2);
	assert_int_equal(call.req.sent, 5004); /* the server has it all, whatever it says */
	producer_close(&p);
	call_clear(&call);
	http_case_close(&c);
}

/* libcurl connects again before it asks for the body again: that error must not hide the first. */
static void test_what_was_sent_before_the_server_went_away_counts(void **state)
{
	struct http_case c;
	struct producer p;
	struct call call;

	(void)state;
	for (int chunked = 0; chunked < 2; chunked++) {
		http_case_open(&c, NULL, NULL);
		call_run(&call, &c);
		call_clear(&call);
		c.script->close_on_reuse = 2;
		c.script->gone = true;
		producer_open(&p, &c, 5000);
		upload(&call, &c, &p, chunked ? -1 : 5000);
		call_wait(&call);
		assert_int_equal(call.err.kind, ERR_TEMPORARY);
		assert_int_equal(call.err.code, HTTP_LOST);
		assert_non_null(strstr(call.err.text, "closed the connection before it answered"));
		assert_int_equal(call.req.sent, 5004);
		producer_close(&p);
		call_clear(&call);
		http_case_close(&c);
	}
}

static void test_cancel_while_sending_wakes_the_producer(void **state)
{
	struct http_case c;
	struct producer p;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	for (int stall = 0; stall < 2; stall++) {
		c.script->deaf = !stall;
		producer_open(&p, &c, stall ? 5000 : 64 << 20);
		p.stall = stall;
		upload(&call, &c, &p, -1);
		http_case_until(&c, has_written, &p);
		http_case_run_ms(&c, 10);
		call_cancel(&call);
		call_wait(&call);
		assert_int_equal(call.err.kind, ERR_CANCELED);
		assert_int_equal(stream_state(p.stream), STREAM_FAILED);
		assert_int_equal(stream_err(p.stream)->kind, ERR_CANCELED);
		producer_close(&p);
		call_clear(&call);
	}
	http_case_close(&c);
}

/* ---- from one exchange into another ---------------------------------------------------------- */

struct relay {
	struct call from, to;
	struct stream *stream;
	uint64_t sum;
	size_t most; /* bytes ever in the stream */
};

static void on_relay_room(void *data)
{
	struct relay *r = data;

	http_unpause(&r->from.req);
}

static enum http_take relay_take(struct http_req *req, const void *data, size_t len,
                                 struct err *err)
{
	struct relay *r = (struct relay *)req->data; /* from is its first member */
	size_t held;

	if (stream_state(r->stream) == STREAM_FAILED) {
		*err = *stream_err(r->stream);
		return HTTP_STOP;
	}
	if (stream_write(r->stream, data, len) < 0)
		return HTTP_PAUSE;
	held = CAPACITY - stream_room(r->stream);
	r->most = held > r->most ? held : r->most;
	r->sum = fake_sum(r->sum, data, len);
	return HTTP_TAKEN;
}

static void relay_fetched(struct call *from)
{
	struct relay *r = (struct relay *)from;

	stream_on_room(r->stream, NULL, NULL);
	if (from->err.kind != ERR_NONE)
		stream_fail(r->stream, &from->err);
	else
		stream_end(r->stream);
}

static void relay_start(struct relay *r, struct http_case *c, struct fake_http *target)
{
	memset(r, 0, sizeof(*r));
	r->stream = stream_new(CAPACITY);
	call_init(&r->from, c, "/document");
	call_init(&r->to, c, "/x");
	r->from.req.take = relay_take;
	r->from.req.http1 = true;
	r->from.then = relay_fetched;
	r->to.req.url = fake_http_url(target, "/queue");
	r->to.req.head = NULL;
	r->to.req.head_len = 0;
	r->to.req.body = r->stream;
	r->to.req.body_len = -1;
	stream_on_room(r->stream, on_relay_room, r);
	call_start(&r->from);
	call_start(&r->to);
}

static void relay_close(struct relay *r)
{
	stream_free(r->stream);
	call_clear(&r->from);
	call_clear(&r->to);
}

static void test_a_document_passes_through_in_bounded_memory(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n";
	struct http_case c;
	struct fake_http *target;
	struct relay r;

	(void)state;
	http_case_open(&c, NULL, NULL);
	target = fake_http_open(c.loop, NULL);
	c.script->answer = answer;
	c.script->big = 20000000;
	relay_start(&r, &c, target);
	r.from.req.idle_ms = 5000;
	call_wait(&r.to);
	assert_int_equal(r.from.err.kind, ERR_NONE);
	assert_int_equal(r.to.err.kind, ERR_NONE);
	assert_int_equal(fake_http_seen(target)->body_len, 20000000);
	assert_int_equal(fake_http_seen(target)->body_sum, r.sum);
	assert_true(r.most <= CAPACITY);
	relay_close(&r);
	fake_http_close(target);
	http_case_close(&c);
}

static void test_a_slow_reader_holds_back_the_sender(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n";
	struct http_case c;
	struct fake_http *target;
	struct relay r;

	(void)state;
	http_case_open(&c, NULL, NULL);
	target = fake_http_open(c.loop, NULL);
	fake_http_script(target)->deaf = true;
	c.script->answer = answer;
	c.script->big = 99999999999;
	relay_start(&r, &c, target);
	r.from.req.idle_ms = 50; /* the sender's side is not at fault */
	r.to.req.idle_ms = 300;
	call_wait(&r.to);
	assert_int_equal(r.to.err.code, 28);
	if (!r.from.done)
		call_wait(&r.from);
	assert_int_equal(r.from.err.code, 28);
	assert_string_equal(r.from.err.text, r.to.err.text); /* its reason, not one of its own */
	assert_true(c.seen->answered < 64 << 20);
	relay_close(&r);
	fake_http_close(target);
	http_case_close(&c);
}

static void test_a_cut_source_fails_the_target(void **state)
{
	struct http_case c;
	struct fake_http *target;
	struct relay r;

	(void)state;
	http_case_open(&c, NULL, NULL);
	target = fake_http_open(c.loop, NULL);
	c.script->answer = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
	c.script->big = 1000000;
	c.script->cut_at = 500000;
	relay_start(&r, &c, target);
	call_wait(&r.to);
	assert_int_equal(r.from.err.kind, ERR_TEMPORARY);
	assert_int_equal(r.to.err.kind, ERR_TEMPORARY);
	assert_string_equal(r.from.err.text, r.to.err.text);
	assert_int_equal(fake_http_seen(target)->requests, 0); /* never a whole one */
	relay_close(&r);
	fake_http_close(target);
	http_case_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_body_of_unknown_length_goes_out_in_chunks),
		cmocka_unit_test(test_a_body_of_known_length_says_so),
		cmocka_unit_test(test_a_body_that_ends_early_is_never_taken_for_whole),
		cmocka_unit_test(test_a_body_that_is_too_long_is_noticed),
		cmocka_unit_test(test_a_failing_body_ends_the_exchange_with_its_reason),
		cmocka_unit_test(test_waiting_for_our_own_producer_is_not_idle),
		cmocka_unit_test(test_a_server_that_does_not_read_stops_the_producer),
		cmocka_unit_test(test_an_early_refusal_ends_exchange_and_producer),
		cmocka_unit_test(test_an_answer_before_a_local_server_breaks_off_is_heard),
		cmocka_unit_test(test_a_streamed_body_is_not_sent_twice),
		cmocka_unit_test(test_what_was_sent_before_the_server_went_away_counts),
		cmocka_unit_test(test_cancel_while_sending_wakes_the_producer),
		cmocka_unit_test(test_a_document_passes_through_in_bounded_memory),
		cmocka_unit_test(test_a_slow_reader_holds_back_the_sender),
		cmocka_unit_test(test_a_cut_source_fails_the_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
