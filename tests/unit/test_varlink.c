#include "common/varlink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/util.h"

struct fixture {
	struct varlink_reader reader;
	struct buf out;
	struct err err;
};

static struct fixture fix;

static int set_up(void **state)
{
	*state = &fix;
	varlink_reader_init(&fix.reader, 1000);
	buf_init(&fix.out, 1000);
	err_clear(&fix.err);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	varlink_reader_clear(&fix.reader);
	buf_clear(&fix.out);
	return 0;
}

static int feed(struct fixture *f, const char *data, size_t len)
{
	return varlink_reader_feed(&f->reader, data, len, &f->err);
}

/* One message with its NUL goes in, and must come out as an object. */
static cJSON *message(struct fixture *f, const char *json)
{
	cJSON *ret = NULL;

	assert_int_equal(feed(f, json, strlen(json) + 1), 0);
	assert_int_equal(varlink_reader_next(&f->reader, &ret, &f->err), 1);
	return ret;
}

static void assert_no_message(struct fixture *f, const char *json, const char *problem)
{
	cJSON *ret = NULL;

	assert_int_equal(feed(f, json, strlen(json) + 1), 0);
	assert_int_equal(varlink_reader_next(&f->reader, &ret, &f->err), -1);
	assert_null(ret);
	assert_int_equal(f->err.kind, ERR_REJECTED);
	assert_string_equal(f->err.text, problem);
}

static void test_messages_are_found_however_the_bytes_come(void **state)
{
	static const char stream[] = "{\"a\":1}\0{\"b\":[{}]}\0 {\"c\":\"\\u00e9\"} ";
	struct fixture *f = *state;

	for (size_t step = 1; step <= sizeof(stream); step++) {
		unsigned found = 0;

		for (size_t at = 0; at < sizeof(stream); at += step) {
			size_t len = sizeof(stream) - at < step ? sizeof(stream) - at : step;
			cJSON *json;

			assert_int_equal(feed(f, stream + at, len), 0);
			while (varlink_reader_next(&f->reader, &json, &f->err) == 1) {
				found++;
				cJSON_Delete(json);
			}
		}
		assert_int_equal(found, 3);
		assert_false(varlink_reader_is_cut(&f->reader));
	}
}

static void test_a_cut_message_is_known(void **state)
{
	struct fixture *f = *state;
	cJSON *json;

	assert_int_equal(feed(f, "{}\0{", 4), 0);
	assert_true(varlink_reader_is_cut(&f->reader));
	assert_int_equal(varlink_reader_next(&f->reader, &json, &f->err), 1);
	cJSON_Delete(json);
	assert_int_equal(varlink_reader_next(&f->reader, &json, &f->err), 0);
	assert_true(varlink_reader_is_cut(&f->reader));
}

static void test_a_message_has_a_limit(void **state)
{
	struct fixture *f = *state;
	char json[1100];
	cJSON *ret;

	memset(json, ' ', sizeof(json));
	memcpy(json, "{}", 2);
	json[1000] = '\0';
	ret = message(f, json);
	cJSON_Delete(ret);
	json[1000] = ' ';
	json[1001] = '\0';
	assert_int_equal(feed(f, json, 1002), -1);
	assert_string_equal(f->err.text, "a message is larger than 1000 bytes");
}

static void test_a_message_without_end_is_refused_early(void **state)
{
	struct fixture *f = *state;
	size_t sent = 0;

	while (feed(f, "{{{{{{{{{{", 10) == 0)
		sent += 10;
	assert_int_equal(sent, 1000);
	assert_int_equal(f->err.kind, ERR_REJECTED);
}

static void test_a_second_message_has_the_same_limit(void **state)
{
	struct fixture *f = *state;
	char json[1105];
	cJSON *ret;

	memset(json, ' ', sizeof(json));
	memcpy(json, "{}\0{}", 5);
	json[sizeof(json) - 1] = '\0';
	assert_int_equal(feed(f, json, sizeof(json)), 0);
	assert_int_equal(varlink_reader_next(&f->reader, &ret, &f->err), 1);
	cJSON_Delete(ret);
	assert_int_equal(varlink_reader_next(&f->reader, &ret, &f->err), -1);
	assert_string_equal(f->err.text, "a message is larger than 1000 bytes");
}

static void test_what_is_no_object_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_no_message(f, "", "a message is not JSON");
	assert_no_message(f, "{", "a message is not JSON");
	assert_no_message(f, "hello", "a message is not JSON");
	assert_no_message(f, "[]", "a message is not one JSON object");
	assert_no_message(f, "1", "a message is not one JSON object");
	assert_no_message(f, "{}{}", "a message is not one JSON object");
	assert_no_message(f, "{} x", "a message is not one JSON object");
	assert_no_message(f, "{\"a\":\"\xff\"}", "a message is not UTF-8");
}

static void test_depth_has_a_limit(void **state)
{
	struct fixture *f = *state;

	cJSON_Delete(message(f, "{\"a\":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}"));
	assert_no_message(f, "{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}",
	                  "a message is nested deeper than 16");
	/* brackets in text are none */
	cJSON_Delete(message(f, "{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[\"}"));
}

static void test_a_call_is_taken_apart(void **state)
{
	struct fixture *f = *state;
	struct varlink_call call;
	int64_t id;

	assert_int_equal(
		varlink_call_decode(message(f, "{\"method\":\"org.printconnector.Connector."
	                                       "GetJob\",\"parameters\":{\"id\":7},"
	                                       "\"more\":true,\"other\":1}"),
	                            &call, &f->err),
		0);
	assert_string_equal(call.interface, VARLINK_INTERFACE);
	assert_string_equal(call.method, "GetJob");
	assert_true(call.more);
	assert_false(call.oneway);
	assert_int_equal(varlink_int(call.parameters, "id", 0, &id, &f->err), 0);
	assert_int_equal(id, 7);
	varlink_call_clear(&call);
}

static void test_a_call_needs_no_parameters(void **state)
{
	static const char *const calls[] = {
		"{\"method\":\"a.B\"}",
		"{\"method\":\"a.B\",\"parameters\":{}}",
		"{\"method\":\"a.B\",\"parameters\":null,\"more\":null}",
	};
	struct fixture *f = *state;
	struct varlink_call call;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		assert_int_equal(varlink_call_decode(message(f, calls[i]), &call, &f->err), 0);
		assert_true(cJSON_IsObject(call.parameters));
		assert_int_equal(cJSON_GetArraySize(call.parameters), 0);
		assert_false(call.more);
		varlink_call_clear(&call);
	}
}

static void test_what_is_no_call_is_refused(void **state)
{
	static const struct {
		const char *json, *problem;
	} rows[] = {
		{ "{}", "method: is missing" },
		{ "{\"method\":null}", "method: is missing" },
		{ "{\"method\":1}", "method: must be text" },
		{ "{\"method\":\"\"}", "method: is not the name of a method" },
		{ "{\"method\":\"GetJob\"}", "method: is not the name of a method" },
		{ "{\"method\":\".GetJob\"}", "method: is not the name of a method" },
		{ "{\"method\":\"a.getJob\"}", "method: is not the name of a method" },
		{ "{\"method\":\"a.\"}", "method: is not the name of a method" },
		{ "{\"method\":\"a/b.C\"}", "method: is not the name of a method" },
		{ "{\"method\":\"a.B\",\"parameters\":[]}", "parameters: must be an object" },
		{ "{\"method\":\"a.B\",\"more\":1}", "more: must be true or false" },
		{ "{\"method\":\"a.B\",\"oneway\":\"\"}", "oneway: must be true or false" },
	};
	struct fixture *f = *state;
	struct varlink_call call;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(varlink_call_decode(message(f, rows[i].json), &call, &f->err), -1);
		assert_string_equal(f->err.text, rows[i].problem);
	}
}

static void test_a_method_name_has_a_limit(void **state)
{
	struct fixture *f = *state;
	struct varlink_call call;
	char json[300];

	(void)snprintf(json, sizeof(json), "{\"method\":\"a%0*d.B\"}", VARLINK_METHOD_SIZE, 0);
	assert_int_equal(varlink_call_decode(message(f, json), &call, &f->err), -1);
}

static void test_a_reply_is_taken_apart(void **state)
{
	struct fixture *f = *state;
	struct varlink_reply reply;
	const char *text;

	assert_int_equal(varlink_reply_decode(message(f, "{\"parameters\":{\"text\":\"x\"},"
	                                                 "\"continues\":true}"),
	                                      &reply, &f->err),
	                 0);
	assert_null(reply.error);
	assert_true(reply.continues);
	assert_int_equal(varlink_text(reply.parameters, "text", &text, &f->err), 0);
	assert_string_equal(text, "x");
	varlink_reply_clear(&reply);
	assert_int_equal(varlink_reply_decode(message(f, "{\"error\":\"a.B\"}"), &reply, &f->err),
	                 0);
	assert_string_equal(reply.error, "a.B");
	assert_int_equal(cJSON_GetArraySize(reply.parameters), 0);
	varlink_reply_clear(&reply);
	assert_int_equal(varlink_reply_decode(message(f, "{\"error\":1}"), &reply, &f->err), -1);
	assert_int_equal(varlink_reply_decode(message(f, "{\"parameters\":1}"), &reply, &f->err),
	                 -1);
	assert_int_equal(varlink_reply_decode(message(f, "{\"continues\":0}"), &reply, &f->err),
	                 -1);
}

static void assert_out(struct fixture *f, const char *json)
{
	assert_int_equal(f->out.len, strlen(json) + 1);
	assert_string_equal(buf_text(&f->out), json);
	buf_clear(&f->out);
}

static void test_messages_are_put_together(void **state)
{
	struct fixture *f = *state;
	cJSON *parameters = cJSON_CreateObject();

	assert_non_null(cJSON_AddNumberToObject(parameters, "id", 12345678901.0));
	assert_int_equal(varlink_call_encode(&f->out, "a.B", parameters, true, &f->err), 0);
	assert_out(f, "{\"method\":\"a.B\",\"parameters\":{\"id\":12345678901},\"more\":true}");
	assert_int_equal(varlink_call_encode(&f->out, "a.B", NULL, false, &f->err), 0);
	assert_out(f, "{\"method\":\"a.B\",\"parameters\":{}}");
	assert_int_equal(varlink_reply_encode(&f->out, NULL, true, &f->err), 0);
	assert_out(f, "{\"parameters\":{},\"continues\":true}");
	assert_int_equal(varlink_reply_encode(&f->out, cJSON_CreateObject(), false, &f->err), 0);
	assert_out(f, "{\"parameters\":{}}");
	assert_int_equal(varlink_error_encode(&f->out, "a.E", NULL, &f->err), 0);
	assert_out(f, "{\"error\":\"a.E\",\"parameters\":{}}");
}

static void test_a_message_that_does_not_fit_leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;
	cJSON *parameters = cJSON_CreateObject();
	char text[1000];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(varlink_reply_encode(&f->out, NULL, false, &f->err), 0);
	assert_non_null(cJSON_AddStringToObject(parameters, "text", text));
	assert_int_equal(varlink_reply_encode(&f->out, parameters, false, &f->err), -1);
	assert_int_equal(f->err.kind, ERR_TEMPORARY);
	assert_out(f, "{\"parameters\":{}}");
}

static void test_what_is_encoded_decodes_the_same(void **state)
{
	struct fixture *f = *state;
	cJSON *parameters = cJSON_CreateObject(), *json;
	struct varlink_call call;
	const char *text;

	assert_non_null(cJSON_AddStringToObject(parameters, "queue", "B\xc3\xbcro \"2\"\\\n"));
	assert_int_equal(varlink_call_encode(&f->out, VARLINK_INTERFACE ".Register", parameters,
	                                     true, &f->err),
	                 0);
	assert_int_equal(feed(f, (const char *)f->out.data, f->out.len), 0);
	assert_int_equal(varlink_reader_next(&f->reader, &json, &f->err), 1);
	assert_int_equal(varlink_call_decode(json, &call, &f->err), 0);
	assert_int_equal(varlink_text(call.parameters, "queue", &text, &f->err), 0);
	assert_string_equal(text, "B\xc3\xbcro \"2\"\\\n");
	varlink_call_clear(&call);
}

static void test_parameters_have_their_types(void **state)
{
	static const char *const known[] = { "t", "n", "b", "z", NULL };
	struct fixture *f = *state;
	cJSON *p = message(
		f, "{\"t\":\"x\",\"n\":-3,\"b\":true,\"z\":null,\"half\":0.5,\"big\":1e300}");
	const char *text = NULL;
	int64_t n = 0;
	bool b = false;

	assert_int_equal(varlink_text(p, "t", &text, &f->err), 0);
	assert_string_equal(text, "x");
	assert_int_equal(varlink_text(p, "z", &text, &f->err), 0);
	assert_null(text);
	assert_int_equal(varlink_text(p, "none", &text, &f->err), 0);
	assert_null(text);
	assert_int_equal(varlink_text(p, "n", &text, &f->err), -1);
	assert_string_equal(f->err.text, "n: must be text");
	assert_int_equal(varlink_int(p, "n", 0, &n, &f->err), 0);
	assert_int_equal(n, -3);
	assert_int_equal(varlink_int(p, "z", 9, &n, &f->err), 0);
	assert_int_equal(n, 9);
	assert_int_equal(varlink_int(p, "half", 9, &n, &f->err), -1);
	assert_int_equal(varlink_int(p, "big", 9, &n, &f->err), -1);
	assert_int_equal(varlink_int(p, "t", 9, &n, &f->err), -1);
	assert_string_equal(f->err.text, "t: must be a whole number");
	assert_int_equal(varlink_bool(p, "b", false, &b, &f->err), 0);
	assert_true(b);
	assert_int_equal(varlink_bool(p, "none", true, &b, &f->err), 0);
	assert_true(b);
	assert_int_equal(varlink_bool(p, "n", true, &b, &f->err), -1);
	assert_string_equal(varlink_unknown(p, known), "half");
	cJSON_DeleteItemFromObject(p, "half");
	cJSON_DeleteItemFromObject(p, "big");
	assert_null(varlink_unknown(p, known));
	cJSON_Delete(p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_messages_are_found_however_the_bytes_come),
		TEST(test_a_cut_message_is_known),
		TEST(test_a_message_has_a_limit),
		TEST(test_a_message_without_end_is_refused_early),
		TEST(test_a_second_message_has_the_same_limit),
		TEST(test_what_is_no_object_is_refused),
		TEST(test_depth_has_a_limit),
		TEST(test_a_call_is_taken_apart),
		TEST(test_a_call_needs_no_parameters),
		TEST(test_what_is_no_call_is_refused),
		TEST(test_a_method_name_has_a_limit),
		TEST(test_a_reply_is_taken_apart),
		TEST(test_messages_are_put_together),
		TEST(test_a_message_that_does_not_fit_leaves_nothing_behind),
		TEST(test_what_is_encoded_decodes_the_same),
		TEST(test_parameters_have_their_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
