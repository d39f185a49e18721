/* http_answer.c: what answers, and the lack of them, mean. */
#include "connector/base/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/http_case.h"

static const struct {
	int status;
	const char *fields;
	enum err_kind kind;
	int retry_after_s;
} statuses[] = {
	{ 200, "", ERR_NONE, 0 },
	{ 201, "", ERR_NONE, 0 },
	{ 301, "Location: http://127.0.0.1:1/\r\n", ERR_REJECTED, 0 },
	{ 302, "Location: /elsewhere\r\n", ERR_REJECTED, 0 },
	{ 307, "Location: /elsewhere\r\n", ERR_REJECTED, 0 },
	{ 400, "", ERR_REJECTED, 0 },
	{ 401, "WWW-Authenticate: Basic realm=\"x\"\r\n", ERR_DENIED, 0 },
	{ 401, "WWW-Authenticate: Negotiate\r\n", ERR_DENIED, 0 },
	{ 403, "", ERR_DENIED, 0 },
	{ 404, "", ERR_GONE, 0 },
	{ 405, "", ERR_REJECTED, 0 },
	{ 407, "", ERR_DENIED, 0 },
	{ 408, "", ERR_TEMPORARY, 0 },
	{ 410, "", ERR_GONE, 0 },
	{ 413, "", ERR_TEMPORARY, 0 },
	{ 413, "Retry-After: 30\r\n", ERR_TEMPORARY, 30 },
	{ 425, "", ERR_TEMPORARY, 0 },
	{ 426, "Upgrade: TLS/1.2\r\n", ERR_REJECTED, 0 },
	{ 429, "Retry-After: 5\r\n", ERR_TEMPORARY, 5 },
	{ 429, "retry-after:   7  \r\n", ERR_TEMPORARY, 7 },
	{ 429, "Retry-After: 0\r\n", ERR_TEMPORARY, 1 },
	{ 429, "Retry-After: -5\r\n", ERR_TEMPORARY, 1 },
	{ 429, "Retry-After: 99999999999999999999999999\r\n", ERR_TEMPORARY, 3600 },
	{ 429, "Retry-After: soon\r\n", ERR_TEMPORARY, 0 },
	{ 429, "Retry-After: \r\n", ERR_TEMPORARY, 0 },
	{ 503,
	  "Date: Sun, 22 Nov 2026 10:00:00 GMT\r\nRetry-After: Sun, 22 Nov 2026 10:02:00 GMT\r\n",
	  ERR_TEMPORARY, 120 },
	{ 503,
	  "Retry-After: Sun, 22 Nov 2026 10:02:00 GMT\r\nDate: Sun, 22 Nov 2026 10:00:00 GMT\r\n",
	  ERR_TEMPORARY, 120 },
	{ 503,
	  "Date: Sun, 22 Nov 2026 10:00:00 GMT\r\nRetry-After: Sun, 22 Nov 2026 09:00:00 GMT\r\n",
	  ERR_TEMPORARY, 1 },
	{ 503,
	  "Date: Sun, 22 Nov 2026 10:00:00 GMT\r\nRetry-After: Mon, 23 Nov 2026 10:00:00 GMT\r\n",
	  ERR_TEMPORARY, 3600 },
	{ 503, "Retry-After: Thu, 01 Jan 1998 00:00:00 GMT\r\n", ERR_TEMPORARY, 1 },
	{ 500, "", ERR_TEMPORARY, 0 },
	{ 501, "", ERR_TEMPORARY, 0 },
	{ 502, "", ERR_TEMPORARY, 0 },
	{ 504, "", ERR_TEMPORARY, 0 },
	{ 700, "", ERR_REJECTED, 0 },
};

static void test_each_status_has_its_kind(void **state)
{
	struct http_case c;
	struct call call;
	char answer[512];

	(void)state;
	http_case_open(&c, NULL, NULL);
	c.script->answer = answer;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		(void)snprintf(answer, sizeof(answer),
		               "HTTP/1.1 %d Words\r\n%sContent-Length: 4\r\n\r\nbody",
		               statuses[i].status, statuses[i].fields);
		call_run(&call, &c);
		if (call.err.kind != statuses[i].kind ||
		    call.err.retry_after_s != statuses[i].retry_after_s)
			fail_msg("%d %s: %s, %d", statuses[i].status, statuses[i].fields,
			         err_kind_name(call.err.kind), call.err.retry_after_s);
		assert_int_equal(call.req.status, statuses[i].status);
		if (statuses[i].kind == ERR_NONE) {
			assert_string_equal(buf_text(&call.reply), "body");
		} else {
			assert_int_equal(call.err.code, statuses[i].status);
			assert_int_equal(call.takes,
			                 0); /* the text of an error is nobody's reply */
			assert_non_null(strstr(call.err.text, "127.0.0.1:"));
		}
		call_clear(&call);
	}
	assert_int_equal(c.seen->requests, sizeof(statuses) / sizeof(*statuses));
	http_case_close(&c);
}

static void test_a_web_page_is_seen_as_such(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	c.script->answer = "HTTP/1.1 200 OK\r\ncontent-TYPE:  Text/HTML ; charset=utf-8\r\n"
			   "Content-Length: 6\r\n\r\n<html>";
	call_run(&call, &c);
	assert_string_equal(call.req.reply_type, "text/html");
	call_clear(&call);
	c.script->answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	call_run(&call, &c);
	assert_string_equal(call.req.reply_type, "");
	call_clear(&call);
	http_case_close(&c);
}

static void test_a_monstrous_type_is_cut_and_made_safe(void **state)
{
	struct http_case c;
	struct call call;
	char answer[4000];

	(void)state;
	http_case_open(&c, NULL, NULL);
	(void)snprintf(answer, sizeof(answer),
	               "HTTP/1.1 200 OK\r\nContent-Type: a\033[2J\001%03000d\r\n"
	               "Content-Length: 0\r\n\r\n",
	               0);
	c.script->answer = answer;
	call_run(&call, &c);
	assert_int_equal(strlen(call.req.reply_type), sizeof(call.req.reply_type) - 1);
	assert_int_equal(strncmp(call.req.reply_type, "a?[2j?000", 9), 0);
	call_clear(&call);
	http_case_close(&c);
}

static void test_the_servers_time_is_told(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	c.script->answer = "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 10:00:00 GMT\r\n"
			   "Content-Length: 0\r\n\r\n";
	call_run(&call, &c);
	assert_int_equal(call.req.server_time, 1795341600);
	c.script->answer = "HTTP/1.1 200 OK\r\nDate: yesterday noon\r\nContent-Length: 0\r\n\r\n";
	call_run(&call, &c);
	assert_int_equal(call.req.server_time, 0);
	http_case_close(&c);
}

static void test_an_interim_answer_is_not_the_answer(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	c.script->answer = "HTTP/1.1 103 Early\r\nContent-Type: text/html\r\n\r\n"
			   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	call_run(&call, &c);
	assert_int_equal(call.err.kind, ERR_NONE);
	assert_int_equal(call.req.status, 200);
	assert_string_equal(call.req.reply_type, "");
	assert_string_equal(buf_text(&call.reply), "ok");
	call_clear(&call);
	http_case_close(&c);
}

static void test_a_reply_without_an_end_of_its_own_is_told(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	c.script->close = true;
	c.script->answer = "HTTP/1.0 200 OK\r\n\r\nhalf of i";
	call_run(&call, &c);
	assert_int_equal(call.err.kind, ERR_NONE);
	assert_false(call.req.reply_framed);
	call_clear(&call);
	c.script->answer =
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
	call_run(&call, &c);
	assert_int_equal(call.err.kind, ERR_NONE);
	assert_true(call.req.reply_framed);
	call_clear(&call);
	http_case_close(&c);
}

static void run_cuts(struct http_case *c, bool reset)
{
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\nhello",
	};
	struct call call;

	c->script->reset = reset;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		size_t len = strlen(answers[i]);
		size_t header = (size_t)(strstr(answers[i], "\r\n\r\n") + 4 - answers[i]);

		c->script->answer = answers[i];
		for (size_t n = 0; n < len; n++) {
			c->script->cut_at = (long)n + 1;
			call_run(&call, c);
			/* libcurl 7.88 does not wait for the line behind the last chunk's "0" */
			if (i == 1 && n >= len - 4)
				assert_true(call.err.kind == ERR_NONE ||
				            call.err.kind == ERR_TEMPORARY);
			else if (i == 2 && n >= header && !reset)
				assert_int_equal(call.err.kind, ERR_DENIED);
			else if (i == 2 && reset)
				assert_int_not_equal(call.err.kind, ERR_NONE);
			else if (call.err.kind != ERR_TEMPORARY)
				fail_msg("answer %zu cut at %zu: %s", i, n,
				         err_kind_name(call.err.kind));
			call_clear(&call);
		}
	}
}

static void test_an_answer_cut_at_any_byte_is_no_answer(void **state)
{
	struct http_case c;

	(void)state;
	http_case_open(&c, NULL, NULL);
	run_cuts(&c, false);
	run_cuts(&c, true);
	http_case_close(&c);
}

static void test_an_endless_header_ends(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	c.script->answer = "HTTP/1.1 200 OK\r\n";
	c.script->endless = true;
	c.script->filler = "X-More: and more and more and more\r\n";
	call_run(&call, &c);
	assert_int_equal(call.err.kind, ERR_TEMPORARY);
	assert_non_null(strstr(call.err.text, "header is too long"));
	c.script->filler = "HTTP/1.1 100 Continue\r\n\r\n";
	c.script->answer = "HTTP/1.1 100 Continue\r\n\r\n";
	call_run(&call, &c);
	assert_int_equal(call.err.kind, ERR_TEMPORARY);
	c.script->filler = "X-One-Line";
	c.script->answer = "HTTP/1.1 200 OK\r\nX: ";
	call_run(&call, &c);
	assert_int_equal(call.err.kind, ERR_TEMPORARY);
	assert_true(c.seen->answered < 2 << 20);
	http_case_close(&c);
}

static void test_an_endless_error_page_ends(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	c.script->answer = "HTTP/1.1 404 No\r\nContent-Length: 999999999999\r\n\r\n";
	c.script->endless = true;
	call_run(&call, &c);
	assert_int_equal(call.err.kind, ERR_GONE);
	assert_int_equal(call.err.code, 404);
	c.script->answer = "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n";
	call_init(&call, &c, "/x");
	call.req.take = NULL;
	call_start(&call);
	call_wait(&call);
	assert_int_equal(call.err.kind, ERR_REJECTED);
	http_case_close(&c);
}

static void test_take_can_stop_an_endless_reply(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	c.script->answer = "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n";
	c.script->endless = true;
	call_init(&call, &c, "/x");
	call.stop = true;
	call_start(&call);
	call_wait(&call);
	assert_int_equal(call.err.kind, ERR_REJECTED);
	assert_int_equal(call.err.code, 7);
	assert_string_equal(call.err.text, "stopped by take");
	assert_int_equal(call.takes, 1);
	http_case_close(&c);
}

static void test_take_can_stop_when_it_is_unpaused(void **state)
{
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	call_init(&call, &c, "/x");
	call.pause_once = true;
	call_start(&call);
	while (!call.takes)
		http_case_run_ms(&c, 1);
	call.stop = true;
	http_unpause(&call.req);
	call_wait(&call);
	assert_string_equal(call.err.text, "stopped by take");
	http_case_close(&c);
}

static void test_nonsense_is_temporary(void **state)
{
	static const char *const answers[] = {
		"\r\n\r\n",
		"hello\r\n\r\n",
		"HTTP/9.9 200 OK\r\n\r\n",
		"HTTP/1.1 abc\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -7\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	};
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, NULL, NULL);
	c.script->close = true;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		c.script->answer = answers[i];
		call_run(&call, &c);
		if (call.err.kind != ERR_TEMPORARY)
			fail_msg("%zu: %s %s", i, err_kind_name(call.err.kind), call.err.text);
	}
	http_case_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_status_has_its_kind),
		cmocka_unit_test(test_a_web_page_is_seen_as_such),
		cmocka_unit_test(test_a_monstrous_type_is_cut_and_made_safe),
		cmocka_unit_test(test_the_servers_time_is_told),
		cmocka_unit_test(test_an_interim_answer_is_not_the_answer),
		cmocka_unit_test(test_a_reply_without_an_end_of_its_own_is_told),
		cmocka_unit_test(test_an_answer_cut_at_any_byte_is_no_answer),
		cmocka_unit_test(test_an_endless_header_ends),
		cmocka_unit_test(test_an_endless_error_page_ends),
		cmocka_unit_test(test_take_can_stop_an_endless_reply),
		cmocka_unit_test(test_take_can_stop_when_it_is_unpaused),
		cmocka_unit_test(test_nonsense_is_temporary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
