/* Exchanges in JSON with a server that answers as it likes. */
#include "connector/base/json_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "connector/base/json_read.h"
#include "tests/lib/http_case.h"

static struct http_case c;
static struct json_op op;
static int done;
static struct err end;

static void on_done(struct json_op *o, const struct err *err)
{
	assert_ptr_equal(o, &op);
	done++;
	end = err ? *err : (struct err){ 0 };
}

static bool is_done(void *data)
{
	(void)data;
	return done > 0;
}

static int setup(void **state)
{
	(void)state;
	http_case_open(&c, NULL, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	json_op_clear(&op);
	http_case_close(&c);
	return 0;
}

static void start(enum json_method method, const char *body, const char *bearer)
{
	struct err err;

	json_op_clear(&op);
	done = 0;
	op = (struct json_op){
		.http = c.http,
		.peer = c.peer,
		.url = fake_http_url(c.server, "/t"),
		.method = method,
		.bearer = bearer,
		.timeout_ms = 10000,
		.done = on_done,
	};
	buf_init(&op.body, JSON_BODY_MAX);
	assert_int_equal(buf_append(&op.body, body, strlen(body)), 0);
	assert_int_equal(json_op_start(&op, &err), 0);
}

static void run(enum json_method method, const char *answer)
{
	c.script->answer = answer;
	start(method, "a=b", NULL);
	http_case_until(&c, is_done, NULL);
	assert_int_equal(done, 1);
}

#define OK(type, body) "HTTP/1.1 200 OK\r\nContent-Type: " type "\r\nConnection: close\r\n\r\n" body

static void test_a_form_is_posted_and_any_type_of_answer_is_read(void **state)
{
	(void)state;
	c.script->close = true;
	run(JSON_POST_FORM, OK("text/html; charset=utf-8", "{\"Nonce\":\"n\"}"));
	assert_int_equal(end.kind, ERR_NONE);
	assert_int_equal(op.status, 200);
	assert_string_equal(json_text(op.answer, "Nonce", 9), "n");
	assert_non_null(strstr(c.seen->header, "POST /t HTTP/1.1\r\n"));
	assert_non_null(
		strstr(c.seen->header, "Content-Type: application/x-www-form-urlencoded\r\n"));
	assert_int_equal(c.seen->body_sum, fake_sum(0, "a=b", 3));
	assert_null(op.body.data);
	assert_null(op.reply.data);
}

static void test_json_is_posted_with_a_token_and_a_get_has_no_body(void **state)
{
	(void)state;
	c.script->close = true;
	c.script->answer = OK("application/json", "{}");
	start(JSON_POST, "{}", "ey.token");
	http_case_until(&c, is_done, NULL);
	assert_non_null(strstr(c.seen->header, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(c.seen->header, "Authorization: Bearer ey.token\r\n"));
	start(JSON_GET, "", "ey.token");
	http_case_until(&c, is_done, NULL);
	assert_int_equal(end.kind, ERR_NONE);
	assert_non_null(strstr(c.seen->header, "GET /t HTTP/1.1\r\n"));
	assert_null(strstr(c.seen->header, "Content-"));
}

static void test_an_error_is_told_in_the_services_own_words(void **state)
{
	(void)state;
	c.script->close = true;
	run(JSON_POST_FORM,
	    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
	    "{\"error\":\"slow_down\",\"error_description\":\"AADSTS1: not so fast!\"}");
	assert_int_equal(end.kind, ERR_REJECTED);
	assert_int_equal(end.code, 400);
	assert_string_equal(op.error, "slow_down");
	assert_string_equal(end.text, "slow_down: AADSTS1: not so fast! (HTTP 400)");
	assert_non_null(op.answer);
	run(JSON_POST_FORM, "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 20\r\n\r\n"
	                    "{\"error\":\"too_much\"}");
	assert_int_equal(end.kind, ERR_TEMPORARY);
	assert_int_equal(end.retry_after_s, 7);
	assert_string_equal(op.error, "too_much");
	run(JSON_POST_FORM, "HTTP/1.1 403 No\r\nContent-Length: 6\r\n\r\n<html>");
	assert_int_equal(end.kind, ERR_DENIED);
	assert_string_equal(op.error, "");
	assert_non_null(strstr(end.text, "HTTP 403"));
	assert_null(op.answer);
}

static void test_a_redirect_is_not_followed(void **state)
{
	(void)state;
	c.script->close = true;
	run(JSON_POST_FORM, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
	                    "Content-Length: 0\r\n\r\n");
	assert_int_equal(end.kind, ERR_REJECTED);
	assert_int_equal(c.seen->requests, 1);
}

static void test_an_answer_that_is_no_object_or_too_long_is_an_error(void **state)
{
	(void)state;
	c.script->close = true;
	run(JSON_GET, OK("application/json", "<html>sign in</html>"));
	assert_int_equal(end.kind, ERR_TEMPORARY);
	assert_null(op.answer);
	c.script->filler = "                                ";
	c.script->endless = true;
	run(JSON_GET, OK("application/json", "{"));
	assert_int_equal(end.kind, ERR_TEMPORARY);
	assert_non_null(strstr(end.text, "longer than"));
}

static void test_canceled_and_impossible_exchanges_leave_nothing(void **state)
{
	struct err err;

	(void)state;
	c.script->silent = true;
	start(JSON_POST, "{}", NULL);
	json_op_cancel(&op);
	http_case_until(&c, is_done, NULL);
	assert_int_equal(end.kind, ERR_CANCELED);
	json_op_clear(&op);
	op = (struct json_op){ .http = c.http,
		               .peer = c.peer,
		               .url = "http://127.0.0.1:1/",
		               .bearer = "not a token",
		               .method = JSON_POST,
		               .done = on_done };
	buf_init(&op.body, JSON_BODY_MAX);
	assert_int_equal(buf_append(&op.body, "{}", 2), 0);
	assert_int_equal(json_op_start(&op, &err), -1);
	assert_null(op.body.data);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_form_is_posted_and_any_type_of_answer_is_read),
		TEST(test_json_is_posted_with_a_token_and_a_get_has_no_body),
		TEST(test_an_error_is_told_in_the_services_own_words),
		TEST(test_a_redirect_is_not_followed),
		TEST(test_an_answer_that_is_no_object_or_too_long_is_an_error),
		TEST(test_canceled_and_impossible_exchanges_leave_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
