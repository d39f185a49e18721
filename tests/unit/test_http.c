#include "connector/base/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cmocka.h>

#include "connector/base/loop.h"
#include "tests/lib/http_case.h"
#include "tests/lib/tmpdir.h"

static void assert_succeeded(const struct call *call)
{
	assert_string_equal(call->err.text, "");
	assert_int_equal(call->err.kind, ERR_NONE);
	assert_int_equal(call->done, 1);
}

static void test_a_post_brings_its_body_and_gets_the_reply(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	call_run(&call, &c);
	assert_succeeded(&call);
	assert_string_equal(buf_text(&call.reply), "hello");
	assert_int_equal(call.req.status, 200);
	assert_string_equal(call.req.reply_type, "text/plain");
	assert_true(call.req.reply_framed);
	assert_int_equal(call.req.sent, 4);
	assert_int_equal(call.req.received, 5);
	assert_non_null(strstr(c.seen->header, "POST /x HTTP/1.1\r\n"));
	assert_non_null(strstr(c.seen->header, "Content-Type: application/ipp\r\n"));
	assert_non_null(strstr(c.seen->header, "Content-Length: 4\r\n"));
	assert_null(strstr(c.seen->header, "Expect"));
	assert_null(strstr(c.seen->header, "Authorization"));
	assert_int_equal(c.seen->body_sum, fake_sum(0, "ping", 4));
	call_clear(&call);
	http_case_close(&c);
}

static void test_a_get_has_no_body(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	call_init(&call, &c, "/some/where?a=b");
	call.req.get = true;
	call_start(&call);
	call_wait(&call);
	assert_succeeded(&call);
	assert_non_null(strstr(c.seen->header, "GET /some/where?a=b HTTP/1.1\r\n"));
	assert_null(strstr(c.seen->header, "Content-"));
	call_clear(&call);
	http_case_close(&c);
}

static void test_a_post_without_body_says_length_zero(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	call_init(&call, &c, "/x");
	call.req.head = NULL;
	call.req.head_len = 0;
	call.req.content_type = NULL;
	call_start(&call);
	call_wait(&call);
	assert_succeeded(&call);
	assert_non_null(strstr(c.seen->header, "Content-Length: 0\r\n"));
	assert_null(strstr(c.seen->header, "Content-Type"));
	call_clear(&call);
	http_case_close(&c);
}

static void test_a_connection_is_used_again(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	for (int i = 0; i < 5; i++) {
		call_run(&call, &c);
		assert_succeeded(&call);
		call_clear(&call);
	}
	assert_int_equal(c.seen->connections, 1);
	assert_int_equal(c.seen->requests, 5);
	assert_int_equal(http_stats(c.http).connections, 1);
	assert_int_equal(http_stats(c.http).requests, 5);
	assert_int_equal(http_stats(c.http).active, 0);
	http_case_close(&c);
}

static void test_a_kept_connection_that_the_server_closed_is_replaced(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	call_run(&call, &c);
	call_clear(&call);
	c.script->close_on_reuse = 2; /* closes without a byte when used again */
	call_run(&call, &c);
	assert_succeeded(&call);
	assert_string_equal(buf_text(&call.reply), "hello");
	assert_int_equal(c.seen->connections, 2);
	call_clear(&call);
	http_case_close(&c);
}

static void test_what_may_have_been_received_is_not_sent_again(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	for (int kept = 0; kept < 2; kept++) {
		call_init(&call, &c, "/");
		call.req.once = true;
		call_start(&call);
		call_wait(&call);
		if (!kept) {
			assert_succeeded(&call);
			assert_int_equal(c.seen->body_len, strlen("ping"));
			assert_int_equal(call.req.sent, strlen("ping"));
		} else {
			assert_int_equal(call.err.kind, ERR_TEMPORARY);
			assert_int_equal(call.err.code, HTTP_LOST);
			assert_non_null(strstr(call.err.text, "before it answered"));
		}
		call_clear(&call);
		c.script->close_on_reuse = 2; /* closes without a byte when used again */
	}
	assert_int_equal(c.seen->requests, 2);
	call_init(&call, &c, "/");
	call.req.once = true;
	call_start(&call);
	call_wait(&call);
	assert_succeeded(&call);
	call_clear(&call);
	http_case_close(&c);
}

static void test_a_unix_socket_serves_as_well(void **state)
{
	char *dir = tmpdir_new();
	char path[100];
	struct fake_http_settings server = { .unix_path = path };
	struct http_peer_settings peer = { .unix_socket = path };
	struct http_case c;
	struct call call;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/sock", dir);
	http_case_open(&c, &server, &peer);
	call_run(&call, &c);
	assert_succeeded(&call);
	assert_non_null(strstr(c.seen->header, "Host: localhost\r\n"));
	call_clear(&call);
	c.script->answer = "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";
	call_run(&call, &c);
	assert_non_null(strstr(call.err.text, path));
	call_clear(&call);
	http_case_close(&c);
	tmpdir_free(dir);
}

static void test_credentials_go_out_with_the_first_request(void **state)
{
	struct http_peer_settings peer = { .proxy = "", .username = "me", .password = "secret" };
	struct http_case c;
	struct call call;
	struct err err;

	(void)state;
	http_case_open(&c, NULL, &peer);
	call_run(&call, &c);
	assert_succeeded(&call);
	assert_int_equal(c.seen->requests, 1);
	assert_non_null(strstr(c.seen->header, "Authorization: Basic bWU6c2VjcmV0\r\n"));
	call_clear(&call);
	call_init(&call, &c, "/x");
	call.req.bearer = "abc.def";
	call_start(&call);
	call_wait(&call);
	assert_non_null(strstr(c.seen->header, "Authorization: Bearer abc.def\r\n"));
	assert_null(strstr(c.seen->header, "Basic"));
	call_clear(&call);
	call_init(&call, &c, "/x");
	call.req.bearer = "abc\r\nX-Evil: 1";
	assert_int_equal(http_start(c.http, &call.req, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_null(strstr(err.text, "abc"));
	call_clear(&call);
	http_case_close(&c);
}

static void test_the_environments_proxy_does_not_catch_printers(void **state)
{
	struct http_peer_settings by_environment = { 0 };
	struct http_case c;
	struct call call;

	(void)state;
	(void)setenv("http_proxy", "http://127.0.0.1:1/", 1);
	http_case_open(&c, NULL, NULL);
	call_run(&call, &c);
	assert_succeeded(&call);
	call_clear(&call);
	http_case_peer(&c, &by_environment);
	call_run(&call, &c);
	assert_int_equal(call.err.kind, ERR_TEMPORARY);
	call_clear(&call);
	(void)unsetenv("http_proxy");
	http_case_close(&c);
}

static void test_nobody_listening_is_temporary(void **state)
{
	struct http_case c;
	struct call call;
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char url[64];

	(void)state;
	/* bound, not listening: nobody else gets the port meanwhile */
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", ntohs(in.sin_port));
	http_case_open(&c, NULL, NULL);
	call_init(&call, &c, "/x");
	call.req.url = url;
	call_start(&call);
	call_wait(&call);
	assert_int_equal(call.err.kind, ERR_TEMPORARY);
	assert_int_equal(call.err.code, 7); /* CURLE_COULDNT_CONNECT */
	assert_non_null(strstr(call.err.text, "127.0.0.1:"));
	call_clear(&call);
	http_case_close(&c);
	(void)close(fd);
}

static void test_a_bad_url_is_rejected(void **state)
{
	static const char *const urls[] = { "http://", "ftp://127.0.0.1/", "http://a b/",
		                            "file:///etc/passwd" };
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		call_init(&call, &c, "/x");
		call.req.url = urls[i];
		call_start(&call);
		call_wait(&call);
		assert_int_equal(call.err.kind, ERR_REJECTED);
		call_clear(&call);
	}
	http_case_close(&c);
}

/* ---- waiting in line ------------------------------------------------------------------------- */

static void test_a_full_peer_lets_the_others_wait_in_order(void **state)
{
	struct http_peer_settings peer = { .proxy = "", .max_active = 2 };
	struct http_case c;
	struct call calls[9];

	(void)state;
	http_case_open(&c, NULL, &peer);
	for (int i = 0; i < 9; i++) {
		call_init(&calls[i], &c, "/x");
		call_start(&calls[i]);
	}
	assert_int_equal(http_stats(c.http).active, 2);
	assert_int_equal(http_stats(c.http).waiting, 7);
	call_cancel(&calls[4]);
	for (int i = 0; i < 9; i++)
		if (!calls[i].done)
			call_wait(&calls[i]);
	for (int i = 0; i < 9; i++) {
		assert_int_equal(calls[i].err.kind, i == 4 ? ERR_CANCELED : ERR_NONE);
		if (i >= 2 && i != 4 && i != 6)
			assert_true(calls[i].order > calls[i - 2].order);
	}
	assert_true(c.seen->connections <= 2);
	assert_int_equal(http_stats(c.http).waiting, 0);
	http_case_close(&c);
	for (int i = 0; i < 9; i++)
		call_clear(&calls[i]);
}

static struct call another;

static void start_another(struct call *call)
{
	call_init(&another, call->c, "/again");
	call->c->inside = false;
	call_start(&another);
}

static void test_done_may_start_the_next_exchange(void **state)
{
	struct http_peer_settings peer = { .proxy = "", .max_active = 1 };
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, &peer);
	call_init(&call, &c, "/x");
	call.then = start_another;
	call_start(&call);
	call_wait(&call);
	call_wait(&another);
	assert_succeeded(&another);
	call_clear(&call);
	call_clear(&another);
	http_case_close(&c);
}

/* Whether an exchange ended before two patient ones that began before it. */
static bool overtakes(struct http_case *c)
{
	struct call calls[3];
	bool first;

	for (int i = 0; i < 3; i++) {
		call_init(&calls[i], c, "/x");
		calls[i].req.patient = i < 2;
		call_start(&calls[i]);
	}
	for (int i = 0; i < 3; i++) {
		if (!calls[i].done)
			call_wait(&calls[i]);
		assert_succeeded(&calls[i]);
		assert_string_equal(buf_text(&calls[i].reply), "hello");
	}
	first = calls[2].order < calls[0].order && calls[2].order < calls[1].order;
	for (int i = 0; i < 3; i++)
		call_clear(&calls[i]);
	return first;
}

static void test_patient_exchanges_let_others_go_first(void **state)
{
	struct http_case c;
	int tries = 0;

	(void)state;
	http_case_open(&c, NULL, NULL);
	while (!overtakes(&c)) /* this machine may have been busy with others for so long */
		assert_true(++tries < 20);
	assert_int_equal(c.seen->connections, 3);
	http_case_close(&c);
}

/* ---- cancel and close ------------------------------------------------------------------------ */

static bool has_request(void *data)
{
	return ((struct http_case *)data)->seen->requests > 0;
}

static bool has_taken(void *data)
{
	return ((struct call *)data)->takes > 0;
}

static void assert_canceled(struct call *call)
{
	unsigned before = call->done;

	assert_int_equal(before, 0);
	call_cancel(call);
	call_cancel(call); /* twice is once */
	call_wait(call);
	assert_int_equal(call->err.kind, ERR_CANCELED);
	call_cancel(call); /* too late is nothing */
	http_case_run_ms(call->c, 5);
	assert_int_equal(call->done, 1);
	call_clear(call);
}

static void test_cancel_works_in_each_phase(void **state)
{
	struct http_peer_settings one = { .proxy = "", .max_active = 1 };
	struct http_case c;
	struct call call, blocker;

	(void)state;
	http_case_open(&c, NULL, &one);
	call_init(&call, &c, "/x");
	call_start(&call);
	assert_canceled(&call); /* before anything happened: connecting */

	c.script->silent = true;
	call_init(&blocker, &c, "/x");
	blocker.req.patient = true;
	call_start(&blocker);
	call_init(&call, &c, "/x");
	call_start(&call);
	assert_int_equal(http_stats(c.http).waiting, 1);
	assert_canceled(&call); /* waiting in line */
	http_case_until(&c, has_request, &c);
	assert_canceled(&blocker); /* sent, no answer yet */

	c.script->silent = false;
	c.script->endless = true;
	call_init(&call, &c, "/x");
	c.script->answer = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n";
	call_start(&call);
	http_case_until(&c, has_taken, &call);
	assert_canceled(&call); /* receiving */

	call_init(&call, &c, "/x");
	call.pause_once = true;
	call_start(&call);
	http_case_until(&c, has_taken, &call);
	assert_int_equal(call.reply.len, 0);
	assert_canceled(&call); /* paused */
	assert_int_equal(http_stats(c.http).active, 0);
	http_case_close(&c);
}

static void test_close_ends_what_runs_and_what_waits(void **state)
{
	struct http_peer_settings peer = { .proxy = "", .max_active = 2 };
	struct http_case c;
	struct call calls[5];
	struct err err;

	(void)state;
	http_case_open(&c, NULL, &peer);
	c.script->silent = true;
	for (int i = 0; i < 5; i++) {
		call_init(&calls[i], &c, "/x");
		calls[i].req.patient = i == 0;
		call_start(&calls[i]);
	}
	http_case_until(&c, has_request, &c);
	call_cancel(&calls[1]);
	http_close(c.http);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(calls[i].done, 1);
		assert_int_equal(calls[i].err.kind, ERR_CANCELED);
		call_clear(&calls[i]);
	}
	http_peer_free(c.peer);
	c.peer = NULL;
	assert_int_equal(http_open(&c.http, c.loop, &err), 0);
	http_case_close(&c);
}

/* ---- time ------------------------------------------------------------------------------------ */

static void test_a_silent_server_ends_by_the_whole_timeout(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	c.script->silent = true;
	call_init(&call, &c, "/x");
	call.req.timeout_ms = 60;
	call_start(&call);
	call_wait(&call);
	assert_int_equal(call.err.kind, ERR_TEMPORARY);
	assert_int_equal(call.err.code, 28); /* CURLE_OPERATION_TIMEDOUT */
	call_clear(&call);
	http_case_close(&c);
}

static void test_waiting_in_line_counts_for_the_timeout(void **state)
{
	struct http_peer_settings one = { .proxy = "", .max_active = 1 };
	struct http_case c;
	struct call first, second;

	(void)state;
	http_case_open(&c, NULL, &one);
	c.script->silent = true;
	call_init(&first, &c, "/x");
	call_start(&first);
	call_init(&second, &c, "/x");
	second.req.timeout_ms = 40;
	call_start(&second);
	call_wait(&second);
	assert_int_equal(second.err.kind, ERR_TEMPORARY);
	assert_int_equal(first.done, 0);
	call_cancel(&first);
	call_wait(&first);
	http_case_close(&c);
}

static void test_a_stalled_transfer_ends_by_the_idle_time(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	c.script->silent = true;
	call_init(&call, &c, "/x");
	call.req.idle_ms = 60;
	call_start(&call);
	call_wait(&call);
	assert_int_equal(call.err.kind, ERR_TEMPORARY);
	assert_int_equal(call.err.code, 28);
	call_clear(&call);
	http_case_close(&c);
}

static void test_a_slow_but_living_transfer_is_not_idle(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	c.script->drip = true; /* 76 bytes, 15 ms apart: longer than the idle time */
	call_init(&call, &c, "/x");
	call.req.idle_ms = 800;
	call_start(&call);
	call_wait(&call);
	assert_succeeded(&call);
	assert_string_equal(buf_text(&call.reply), "hello");
	call_clear(&call);
	http_case_close(&c);
}

static void test_our_own_pause_is_not_idle_time(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	call_init(&call, &c, "/x");
	call.req.idle_ms = 50;
	call.pause_once = true;
	call_start(&call);
	http_case_until(&c, has_taken, &call);
	http_case_run_ms(&c, 150);
	assert_int_equal(call.done, 0);
	http_unpause(&call.req);
	http_unpause(&call.req);
	call_wait(&call);
	assert_succeeded(&call);
	assert_string_equal(buf_text(&call.reply), "hello");
	assert_int_equal(call.takes, 2);
	call_clear(&call);
	http_case_close(&c);
}

static void test_the_whole_timeout_counts_pauses(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	call_init(&call, &c, "/x");
	call.req.timeout_ms = 80;
	call.pause_once = true;
	call_start(&call);
	call_wait(&call);
	assert_int_equal(call.err.code, 28);
	call_clear(&call);
	http_case_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_post_brings_its_body_and_gets_the_reply),
		cmocka_unit_test(test_a_get_has_no_body),
		cmocka_unit_test(test_a_post_without_body_says_length_zero),
		cmocka_unit_test(test_a_connection_is_used_again),
		cmocka_unit_test(test_a_kept_connection_that_the_server_closed_is_replaced),
		cmocka_unit_test(test_what_may_have_been_received_is_not_sent_again),
		cmocka_unit_test(test_a_unix_socket_serves_as_well),
		cmocka_unit_test(test_credentials_go_out_with_the_first_request),
		cmocka_unit_test(test_the_environments_proxy_does_not_catch_printers),
		cmocka_unit_test(test_nobody_listening_is_temporary),
		cmocka_unit_test(test_a_bad_url_is_rejected),
		cmocka_unit_test(test_a_full_peer_lets_the_others_wait_in_order),
		cmocka_unit_test(test_done_may_start_the_next_exchange),
		cmocka_unit_test(test_patient_exchanges_let_others_go_first),
		cmocka_unit_test(test_cancel_works_in_each_phase),
		cmocka_unit_test(test_close_ends_what_runs_and_what_waits),
		cmocka_unit_test(test_a_silent_server_ends_by_the_whole_timeout),
		cmocka_unit_test(test_waiting_in_line_counts_for_the_timeout),
		cmocka_unit_test(test_a_stalled_transfer_ends_by_the_idle_time),
		cmocka_unit_test(test_a_slow_but_living_transfer_is_not_idle),
		cmocka_unit_test(test_our_own_pause_is_not_idle_time),
		cmocka_unit_test(test_the_whole_timeout_counts_pauses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
