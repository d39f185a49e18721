/* The client against a double of http.h that hands it reply bytes in any pieces; the real exchange
 * is tested where http.c and a server meet. */
#include "connector/base/ipp_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/err.h"
#include "connector/base/stream.h"

#define CAPACITY 16384

/* ---- the double of http.c ---- */

static struct {
	struct http_req *req; /* NULL: none under way */
	struct err stop;      /* what take() stopped with */
	struct err start_err; /* kind NONE: start works */
	unsigned unpaused, canceled;
} fake;

int http_start(struct http *h, struct http_req *r, struct err *err)
{
	(void)h;
	if (fake.start_err.kind != ERR_NONE) {
		*err = fake.start_err;
		return -1;
	}
	assert_null(fake.req);
	fake.req = r;
	r->status = 200;
	(void)snprintf(r->reply_type, sizeof(r->reply_type), "application/ipp");
	r->reply_framed = true;
	r->server_time = 1746180672;
	return 0;
}

void http_cancel(struct http_req *r)
{
	assert_ptr_equal(r, fake.req);
	fake.canceled++;
}

void http_unpause(struct http_req *r)
{
	assert_ptr_equal(r, fake.req);
	fake.unpaused++;
}

/* Ends the exchange as http.c would: what take() stopped with comes first. */
static void finish(const struct err *err)
{
	struct http_req *r = fake.req;

	assert_non_null(r);
	fake.req = NULL;
	r->done(r, fake.stop.kind != ERR_NONE ? &fake.stop : err);
}

/* ---- a test's exchange ---- */

struct fixture {
	struct ipp_op op;
	struct stream *document, *body;
	struct buf got; /* what the document's consumer read */
	struct err err; /* done()'s */
	unsigned done, messages;
	bool refuse; /* on_message() says no */
	bool choose; /* on_message() takes ->document, until then it was another stream */
};

static void on_done(struct ipp_op *op, const struct err *err)
{
	struct fixture *f = op->data;

	f->done++;
	if (err)
		f->err = *err;
}

static int on_message(struct ipp_op *op, struct err *err)
{
	struct fixture *f = op->data;

	f->messages++;
	assert_non_null(op->response);
	if (f->refuse)
		return err_set(err, ERR_REJECTED, 5, "wrong format");
	if (f->choose)
		op->document = f->document;
	return 0;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	memset(&fake, 0, sizeof(fake));
	f->document = stream_new(CAPACITY);
	f->body = stream_new(CAPACITY);
	buf_init(&f->got, 1 << 20);
	f->op.url = "http://cloud.example:631/ipp/print";
	f->op.request = ipp_request(IPP_OP_GET_JOBS, "printer-uri", "ipp://cloud.example/ipp");
	f->op.on_message = on_message;
	f->op.done = on_done;
	f->op.data = f;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	assert_null(fake.req);
	ipp_op_clear(&f->op);
	stream_free(f->document);
	stream_free(f->body);
	buf_clear(&f->got);
	free(f);
	return 0;
}

static void start(struct fixture *f)
{
	struct err err;

	assert_int_equal(ipp_op_start(&f->op, &err), 0);
	assert_non_null(fake.req);
}

static void answer(struct buf *out, ipp_status_t status, const char *message)
{
	ipp_t *msg = ippNew();
	struct err err;

	ippSetStatusCode(msg, status);
	ippSetRequestId(msg, 1);
	ippAddString(msg, IPP_TAG_OPERATION, IPP_TAG_CHARSET, "attributes-charset", NULL, "utf-8");
	ippAddString(msg, IPP_TAG_OPERATION, IPP_TAG_LANGUAGE, "attributes-natural-language", NULL,
	             "en");
	if (message)
		ippAddString(msg, IPP_TAG_OPERATION, IPP_TAG_TEXT, "status-message", NULL, message);
	ippAddInteger(msg, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-id", 42);
	buf_init(out, 4 << 20);
	assert_int_equal(ipp_encode(msg, out, &err), 0);
	ippDelete(msg);
}

static void drain(struct fixture *f, size_t max)
{
	static unsigned char data[CAPACITY];
	size_t n = stream_read(f->document, data, max < sizeof(data) ? max : sizeof(data));

	assert_int_equal(buf_append(&f->got, data, n), 0);
}

/* One piece, offered again after each pause as http.c does. */
static enum http_take feed(struct fixture *f, const void *data, size_t len)
{
	enum http_take take;

	while ((take = fake.req->take(fake.req, data, len, &fake.stop)) == HTTP_PAUSE) {
		unsigned before = fake.unpaused;

		drain(f, CAPACITY);
		assert_true(fake.unpaused > before); /* room wakes the exchange */
	}
	return take;
}

static enum http_take feed_pieces(struct fixture *f, const struct buf *b, size_t piece)
{
	for (size_t at = 0; at < b->len; at += piece) {
		size_t n = piece < b->len - at ? piece : b->len - at;

		if (feed(f, b->data + at, n) == HTTP_STOP)
			return HTTP_STOP;
	}
	return HTTP_TAKEN;
}

static void append_document(struct buf *out, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)(i * 7 + i / 251);

		assert_int_equal(buf_append(out, &byte, 1), 0);
	}
}

static void assert_failed(struct fixture *f, enum err_kind kind, const char *text)
{
	assert_int_equal(f->done, 1);
	if (f->err.kind != kind || !strstr(f->err.text, text))
		fail_msg("%s error \"%s\"", err_kind_name(f->err.kind), f->err.text);
}

static void assert_no_response(const struct fixture *f)
{
	assert_null(f->op.response);
	assert_int_equal(f->op.ipp_status, 0);
}

/* ---- exchanges that go well ---- */

static void test_a_request_is_posted_as_ipp(void **state)
{
	struct fixture *f = *state;
	struct buf reply;
	ipp_t *sent;
	struct err err;

	f->op.bearer = "token";
	f->op.timeout_ms = 5000;
	f->op.idle_ms = 700;
	f->op.http1 = true;
	start(f);
	assert_false(fake.req->get);
	assert_true(fake.req->http1);
	assert_string_equal(fake.req->content_type, "application/ipp");
	assert_string_equal(fake.req->bearer, "token");
	assert_string_equal(fake.req->url, f->op.url);
	assert_int_equal(fake.req->timeout_ms, 5000);
	assert_int_equal(fake.req->idle_ms, 700);
	assert_null(fake.req->body);
	assert_int_equal(ipp_decode(fake.req->head, fake.req->head_len, &sent, &err), 0);
	assert_int_equal(ippGetOperation(sent), IPP_OP_GET_JOBS);
	ippDelete(sent);
	answer(&reply, IPP_STATUS_OK, NULL);
	assert_int_equal(feed(f, reply.data, reply.len), HTTP_TAKEN);
	finish(NULL);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->err.kind, ERR_NONE);
	assert_int_equal(f->op.ipp_status, IPP_STATUS_OK);
	assert_int_equal(ipp_get_int(f->op.response, IPP_TAG_JOB, "job-id", 0), 42);
	assert_int_equal(f->op.server_time, 1746180672);
	buf_clear(&reply);
}

static void test_message_and_document_part_at_any_split(void **state)
{
	struct buf reply;
	size_t message;

	(void)state;
	answer(&reply, IPP_STATUS_OK_IGNORED_OR_SUBSTITUTED, NULL);
	message = reply.len;
	append_document(&reply, 300);
	for (size_t piece = 1; piece <= reply.len; piece++) {
		struct fixture *one;
		void *fresh;

		assert_int_equal(set_up(&fresh), 0);
		one = fresh;
		one->op.document = one->document;
		start(one);
		assert_int_equal(feed_pieces(one, &reply, piece), HTTP_TAKEN);
		assert_int_equal(one->messages, 1);
		assert_int_equal(stream_state(one->document), STREAM_OPEN);
		finish(NULL);
		assert_int_equal(one->err.kind, ERR_NONE);
		assert_int_equal(one->op.ipp_status, IPP_STATUS_OK_IGNORED_OR_SUBSTITUTED);
		drain(one, CAPACITY);
		assert_int_equal(one->got.len, 300);
		assert_memory_equal(one->got.data, reply.data + message, 300);
		assert_int_equal(stream_state(one->document), STREAM_ENDED);
		assert_int_equal(tear_down(&fresh), 0);
	}
	buf_clear(&reply);
}

static void test_a_document_larger_than_the_stream_waits_for_room(void **state)
{
	static const size_t pieces[] = { 1000, 16384, 20000, 70000, 1 << 20 };
	struct buf reply;
	size_t message;

	(void)state;
	answer(&reply, IPP_STATUS_OK, NULL);
	message = reply.len;
	append_document(&reply, 200000);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct fixture *f;
		void *fresh;

		assert_int_equal(set_up(&fresh), 0);
		f = fresh;
		f->op.document = f->document;
		start(f);
		assert_int_equal(feed_pieces(f, &reply, pieces[i]), HTTP_TAKEN);
		finish(NULL);
		while (stream_state(f->document) == STREAM_OPEN)
			drain(f, 5000);
		assert_int_equal(f->messages, 1);
		assert_true(fake.unpaused > 0);
		assert_int_equal(f->got.len, 200000);
		assert_memory_equal(f->got.data, reply.data + message, 200000);
		assert_int_equal(tear_down(&fresh), 0);
	}
	buf_clear(&reply);
}

static void test_after_a_pause_the_bytes_may_come_in_other_pieces(void **state)
{
	struct fixture *f = *state;
	struct buf reply;
	size_t message, at = 0;

	answer(&reply, IPP_STATUS_OK, NULL);
	message = reply.len;
	append_document(&reply, 60000);
	f->op.document = f->document;
	start(f);
	assert_int_equal(fake.req->take(fake.req, reply.data, reply.len, &fake.stop), HTTP_PAUSE);
	while (at < reply.len) {
		size_t n = reply.len - at < 3000 ? reply.len - at : 3000;

		if (fake.req->take(fake.req, reply.data + at, n, &fake.stop) == HTTP_TAKEN)
			at += n;
		else
			drain(f, CAPACITY);
	}
	finish(NULL);
	while (stream_state(f->document) == STREAM_OPEN)
		drain(f, CAPACITY);
	assert_int_equal(f->got.len, 60000);
	assert_memory_equal(f->got.data, reply.data + message, 60000);
	buf_clear(&reply);
}

static void test_a_look_at_the_message_can_choose_the_stream(void **state)
{
	struct fixture *f = *state;
	struct buf reply;
	size_t message;

	answer(&reply, IPP_STATUS_OK, NULL);
	message = reply.len;
	append_document(&reply, 60000);
	f->op.document = f->body;
	f->choose = true;
	start(f);
	assert_int_equal(feed_pieces(f, &reply, 20000), HTTP_TAKEN);
	finish(NULL);
	while (stream_state(f->document) == STREAM_OPEN)
		drain(f, CAPACITY);
	assert_true(fake.unpaused > 0);
	assert_memory_equal(f->got.data, reply.data + message, 60000);
	assert_int_equal(stream_total(f->body), 0);
	assert_int_equal(stream_state(f->body), STREAM_OPEN);
	buf_clear(&reply);
}

static void test_an_empty_document_ends_its_stream(void **state)
{
	struct fixture *f = *state;
	struct buf reply;

	f->op.document = f->document;
	answer(&reply, IPP_STATUS_OK, NULL);
	start(f);
	(void)feed(f, reply.data, reply.len);
	finish(NULL);
	assert_int_equal(stream_state(f->document), STREAM_ENDED);
	assert_int_equal(f->err.kind, ERR_NONE);
	buf_clear(&reply);
}

static void test_a_document_whose_end_only_the_connection_tells_is_not_whole(void **state)
{
	struct fixture *f = *state;
	struct buf reply;

	f->op.document = f->document;
	answer(&reply, IPP_STATUS_OK, NULL);
	start(f);
	(void)feed(f, reply.data, reply.len);
	fake.req->reply_framed = false;
	finish(NULL);
	assert_int_equal(stream_state(f->document), STREAM_FAILED);
	assert_int_equal(f->err.kind, ERR_TEMPORARY);
	buf_clear(&reply);
}

/* ---- answers that are no good ---- */

static void test_html_instead_of_ipp_is_temporary_and_says_so(void **state)
{
	struct fixture *f = *state;

	start(f);
	(void)snprintf(fake.req->reply_type, sizeof(fake.req->reply_type), "text/html");
	assert_int_equal(feed(f, "<html>", 6), HTTP_STOP);
	finish(NULL);
	assert_failed(f, ERR_TEMPORARY,
	              "Get-Jobs: cloud.example:631 answered text/html instead of IPP");
	assert_no_response(f);
}

static void test_an_empty_answer_of_another_type_is_told_from_a_cut_one(void **state)
{
	struct fixture *f = *state;

	f->op.document = f->document;
	start(f);
	fake.req->reply_type[0] = '\0';
	finish(NULL);
	assert_failed(f, ERR_TEMPORARY, "something without a type instead of IPP");
	assert_int_equal(stream_state(f->document), STREAM_FAILED);
}

static void test_an_answer_cut_anywhere_is_temporary(void **state)
{
	struct buf reply;

	(void)state;
	answer(&reply, IPP_STATUS_OK, NULL);
	for (size_t len = 0; len < reply.len; len += 5) {
		struct fixture *f;
		void *fresh;

		assert_int_equal(set_up(&fresh), 0);
		f = fresh;
		f->op.document = f->document;
		start(f);
		if (len)
			(void)feed(f, reply.data, len);
		finish(NULL);
		assert_failed(f, ERR_TEMPORARY, "Get-Jobs: answer ends in the middle");
		assert_no_response(f);
		assert_int_equal(f->messages, 0);
		assert_int_equal(stream_state(f->document), STREAM_FAILED);
		assert_int_equal(tear_down(&fresh), 0);
	}
	buf_clear(&reply);
}

static void test_damaged_ipp_is_temporary(void **state)
{
	struct fixture *f = *state;

	start(f);
	assert_int_equal(feed(f, "HTTP/1.1 200 OK", 15), HTTP_STOP);
	finish(NULL);
	assert_failed(f, ERR_TEMPORARY, "Get-Jobs: not a valid IPP message");
	assert_no_response(f);
}

static void test_an_endless_answer_is_stopped(void **state)
{
	static unsigned char groups[65536];
	struct fixture *f = *state;
	enum http_take take;
	size_t total = 0;

	memset(groups, IPP_TAG_JOB, sizeof(groups));
	start(f);
	assert_int_equal(feed(f, "\2\0\0\0\0\0\0\1", 8), HTTP_TAKEN);
	do {
		take = feed(f, groups, sizeof(groups));
		total += sizeof(groups);
	} while (take == HTTP_TAKEN && total < 2 * (size_t)IPP_MESSAGE_MAX);
	assert_int_equal(take, HTTP_STOP);
	finish(NULL);
	assert_failed(f, ERR_TEMPORARY, "longer than");
}

static void test_a_document_where_none_belongs_is_rejected(void **state)
{
	struct fixture *f = *state;
	struct buf reply;

	answer(&reply, IPP_STATUS_OK, NULL);
	append_document(&reply, 1);
	start(f);
	assert_int_equal(feed(f, reply.data, reply.len), HTTP_STOP);
	finish(NULL);
	assert_failed(f, ERR_REJECTED, "behind an answer that has no document");
	buf_clear(&reply);
}

static void test_a_document_beyond_its_limit_is_rejected(void **state)
{
	struct buf reply;

	(void)state;
	answer(&reply, IPP_STATUS_OK, NULL);
	append_document(&reply, 1000);
	for (uint64_t limit = 999; limit <= 1000; limit++) {
		struct fixture *f;
		void *fresh;

		assert_int_equal(set_up(&fresh), 0);
		f = fresh;
		f->op.document = f->document;
		f->op.document_limit = limit;
		start(f);
		assert_int_equal(feed_pieces(f, &reply, 100),
		                 limit < 1000 ? HTTP_STOP : HTTP_TAKEN);
		finish(NULL);
		if (limit < 1000) {
			assert_failed(f, ERR_REJECTED, "document is longer than 999 bytes");
			assert_int_equal(stream_state(f->document), STREAM_FAILED);
			assert_no_response(f);
		} else {
			assert_int_equal(f->err.kind, ERR_NONE);
		}
		assert_int_equal(tear_down(&fresh), 0);
	}
	buf_clear(&reply);
}

static void test_a_look_at_the_message_can_end_the_exchange(void **state)
{
	struct fixture *f = *state;
	struct buf reply;

	answer(&reply, IPP_STATUS_OK, NULL);
	append_document(&reply, 100);
	f->op.document = f->document;
	f->refuse = true;
	start(f);
	assert_int_equal(feed(f, reply.data, reply.len), HTTP_STOP);
	finish(NULL);
	assert_failed(f, ERR_REJECTED, "Get-Jobs: wrong format");
	assert_int_equal(f->err.code, 5);
	assert_int_equal(stream_state(f->document), STREAM_FAILED);
	assert_int_equal(stream_total(f->document), 0);
	buf_clear(&reply);
}

/* ---- IPP errors ---- */

static void test_an_ipp_error_keeps_the_answer_and_names_the_reason(void **state)
{
	struct fixture *f = *state;
	struct buf reply;

	answer(&reply, IPP_STATUS_ERROR_NOT_FOUND, "No such\njob.\033[2J");
	f->op.document = f->document;
	start(f);
	assert_int_equal(feed(f, reply.data, reply.len), HTTP_TAKEN);
	finish(NULL);
	assert_failed(f, ERR_GONE, "Get-Jobs: client-error-not-found (No such job. [2J)");
	assert_int_equal(f->err.code, IPP_STATUS_ERROR_NOT_FOUND);
	assert_non_null(f->op.response);
	assert_int_equal(f->op.ipp_status, IPP_STATUS_ERROR_NOT_FOUND);
	assert_int_equal(f->messages, 0);
	assert_int_equal(stream_state(f->document), STREAM_FAILED);
	assert_int_equal(stream_err(f->document)->kind, ERR_GONE);
	buf_clear(&reply);
}

static void test_bytes_behind_an_error_are_dropped_up_to_a_limit(void **state)
{
	static unsigned char junk[10000];
	struct fixture *f = *state;
	struct buf reply;
	int pieces = 0;

	answer(&reply, IPP_STATUS_ERROR_BUSY, NULL);
	f->op.document = f->document;
	start(f);
	assert_int_equal(feed(f, reply.data, reply.len), HTTP_TAKEN);
	while (feed(f, junk, sizeof(junk)) == HTTP_TAKEN && pieces < 100)
		pieces++;
	assert_int_equal(pieces, 6);
	finish(NULL);
	assert_failed(f, ERR_TEMPORARY, "Get-Jobs: server-error-busy");
	assert_non_null(f->op.response);
	assert_int_equal(stream_total(f->document), 0);
	buf_clear(&reply);
}

static void test_an_ipp_error_outweighs_the_broken_connection_behind_it(void **state)
{
	struct fixture *f = *state;
	struct buf reply;
	struct err cut;

	answer(&reply, IPP_STATUS_ERROR_DOCUMENT_FORMAT_NOT_SUPPORTED, NULL);
	(void)err_set(&cut, ERR_TEMPORARY, 55, "connection reset");
	start(f);
	(void)feed(f, reply.data, reply.len);
	finish(&cut);
	assert_failed(f, ERR_REJECTED, "document-format-not-supported");
	assert_non_null(f->op.response);
	buf_clear(&reply);
}

static void test_kinds_follow_the_status(void **state)
{
	static const struct {
		int status;
		enum err_kind kind;
	} rows[] = {
		{ 0x0400, ERR_REJECTED },  { 0x0401, ERR_DENIED },    { 0x0402, ERR_DENIED },
		{ 0x0403, ERR_DENIED },    { 0x0404, ERR_REJECTED },  { 0x0406, ERR_GONE },
		{ 0x0407, ERR_GONE },      { 0x0408, ERR_TEMPORARY }, { 0x0409, ERR_REJECTED },
		{ 0x0420, ERR_REJECTED },  { 0x0500, ERR_TEMPORARY }, { 0x0505, ERR_TEMPORARY },
		{ 0x0507, ERR_TEMPORARY }, { 0x0508, ERR_CANCELED },  { 0x0509, ERR_REJECTED },
		{ 0x0300, ERR_REJECTED },  { 0x7777, ERR_REJECTED },
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ipp_status_err((ipp_status_t)rows[i].status, NULL, &err);
		assert_int_equal(err.kind, rows[i].kind);
		assert_int_equal(err.code, rows[i].status);
		assert_true(*err.text);
	}
}

static void test_words_from_outside_are_made_safe_and_cut(void **state)
{
	static const struct {
		const char *message, *expect;
	} rows[] = {
		{ "plain", "(plain)" },
		{ "  \r\n", "client-error-bad-request" },
		{ "K\xc3\xb6nig", "(K\xc3\xb6nig)" },
		{ "a\xff\xc3(b\x7f\x01", "(a  (b)" },
		{ "a\xc2\x9b"
		  "b",
		  "(a  b)" },
		{ "a\xe2\x80\xae"
		  "b",
		  "(a   b)" },
		{ "cut\xe2\x82", "(cut)" },
	};
	char longer[400];
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ipp_status_err(IPP_STATUS_ERROR_BAD_REQUEST, rows[i].message, &err);
		if (!strstr(err.text, rows[i].expect))
			fail_msg("row %zu: \"%s\"", i, err.text);
	}
	for (size_t i = 0; i + 1 < sizeof(longer); i += 2)
		memcpy(longer + i, "\xc3\xb6", 2);
	longer[sizeof(longer) - 2] = '\0';
	ipp_status_err(IPP_STATUS_ERROR_MULTIPLE_JOBS_NOT_SUPPORTED, longer, &err);
	(void)err_wrap(&err, "Update-Output-Device-Attributes");
	assert_true(strlen(err.text) < sizeof(err.text) - 1);
	assert_non_null(strstr(err.text, "\xc3\xb6)"));
}

/* ---- transport ---- */

static void test_a_transport_error_is_named_after_its_operation(void **state)
{
	struct fixture *f = *state;
	struct err err;

	(void)err_set(&err, ERR_TEMPORARY, 7, "cannot connect to 127.0.0.1:631: refused");
	err.retry_after_s = 30;
	f->op.document = f->document;
	start(f);
	finish(&err);
	assert_failed(f, ERR_TEMPORARY, "Get-Jobs: cannot connect to 127.0.0.1:631: refused");
	assert_int_equal(f->err.code, 7);
	assert_int_equal(f->err.retry_after_s, 30);
	assert_no_response(f);
	assert_int_equal(stream_state(f->document), STREAM_FAILED);
}

static void test_a_cut_document_fails_its_stream_and_drops_the_answer(void **state)
{
	struct fixture *f = *state;
	struct buf reply;
	struct err err;

	answer(&reply, IPP_STATUS_OK, NULL);
	append_document(&reply, 500);
	(void)err_set(&err, ERR_TEMPORARY, 18, "the connection ended early");
	f->op.document = f->document;
	start(f);
	(void)feed(f, reply.data, reply.len);
	finish(&err);
	assert_failed(f, ERR_TEMPORARY, "ended early");
	assert_no_response(f);
	assert_int_equal(stream_state(f->document), STREAM_FAILED);
	buf_clear(&reply);
}

static void test_a_consumer_that_gives_up_ends_the_exchange_with_its_reason(void **state)
{
	struct fixture *f = *state;
	struct buf reply;
	struct err full;

	answer(&reply, IPP_STATUS_OK, NULL);
	append_document(&reply, 40000);
	(void)err_set(&full, ERR_TEMPORARY, 28, "no space left");
	f->op.document = f->document;
	start(f);
	assert_int_equal(fake.req->take(fake.req, reply.data, reply.len, &fake.stop), HTTP_PAUSE);
	stream_fail(f->document, &full);
	assert_true(fake.unpaused > 0);
	assert_int_equal(fake.req->take(fake.req, reply.data, reply.len, &fake.stop), HTTP_STOP);
	finish(NULL);
	assert_failed(f, ERR_TEMPORARY, "no space left");
	assert_int_equal(f->err.code, 28);
	buf_clear(&reply);
}

static void test_a_cancel_passes_through(void **state)
{
	struct fixture *f = *state;
	struct buf reply;
	struct err err;

	(void)err_set(&err, ERR_CANCELED, 0, "canceled");
	answer(&reply, IPP_STATUS_ERROR_NOT_FOUND, NULL);
	f->op.document = f->document;
	start(f);
	(void)feed(f, reply.data, reply.len);
	ipp_op_cancel(&f->op);
	assert_int_equal(fake.canceled, 1);
	assert_int_equal(f->done, 0);
	finish(&err);
	assert_failed(f, ERR_CANCELED, "canceled");
	assert_no_response(f);
	assert_int_equal(stream_err(f->document)->kind, ERR_CANCELED);
	buf_clear(&reply);
}

static void test_an_answer_before_the_whole_document_was_sent_is_no_success(void **state)
{
	static const struct {
		int64_t body_len, sent;
		bool drained, good;
	} rows[] = {
		{ 100, 99, false, false },
		{ 100, 100, false, true },
		{ -1, 100, false, false },
		{ -1, 100, true, true },
	};
	struct buf reply;

	(void)state;
	answer(&reply, IPP_STATUS_OK, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fixture *f;
		char data[100] = { 0 };
		void *fresh;

		assert_int_equal(set_up(&fresh), 0);
		f = fresh;
		f->op.body = f->body;
		f->op.body_len = rows[i].body_len;
		assert_int_equal(stream_write(f->body, data, sizeof(data)), 0);
		start(f);
		assert_ptr_equal(fake.req->body, f->body);
		assert_int_equal(fake.req->body_len, rows[i].body_len);
		if (rows[i].drained) {
			assert_int_equal(stream_read(f->body, data, sizeof(data)), sizeof(data));
			stream_end(f->body);
		}
		fake.req->sent = (int64_t)fake.req->head_len + rows[i].sent;
		(void)feed(f, reply.data, reply.len);
		finish(NULL);
		if (rows[i].good)
			assert_int_equal(f->err.kind, ERR_NONE);
		else
			assert_failed(f, ERR_TEMPORARY, "before all of the document was sent");
		assert_int_equal(tear_down(&fresh), 0);
	}
	buf_clear(&reply);
}

static void test_what_cannot_be_started_frees_its_request(void **state)
{
	struct fixture *f = *state;
	struct err err;

	(void)err_set(&fake.start_err, ERR_REJECTED, 3, "bad address");
	f->op.document = f->document;
	assert_int_equal(ipp_op_start(&f->op, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_string_equal(err.text, "Get-Jobs: bad address");
	assert_null(f->op.request);
	assert_int_equal(f->done, 0);
}

static void test_an_operation_can_be_cleared_and_used_again(void **state)
{
	struct fixture *f = *state;
	struct buf reply;

	answer(&reply, IPP_STATUS_OK, NULL);
	ipp_op_clear(&f->op);
	for (int i = 0; i < 3; i++) {
		f->op.url = "http://localhost/";
		f->op.request = ipp_request(IPP_OP_GET_JOBS, "printer-uri", "ipp://localhost/");
		f->op.done = on_done;
		f->op.data = f;
		start(f);
		(void)feed(f, reply.data, reply.len);
		finish(NULL);
		assert_non_null(f->op.response);
		ipp_op_clear(&f->op);
		assert_null(f->op.response);
		ipp_op_clear(&f->op);
	}
	assert_int_equal(f->done, 3);
	buf_clear(&reply);
}

/* ---- URIs ---- */

static void test_ipp_uris_become_urls(void **state)
{
	static const struct {
		const char *uri, *url;
	} rows[] = {
		{ "ipp://h/ipp/print", "http://h:631/ipp/print" },
		{ "ipps://h:443/p?q=1", "https://h:443/p?q=1" },
		{ "IPPS://h", "https://h:631/" },
		{ "ipp://h?x", "http://h:631/?x" },
		{ "http://h:8080/a", "http://h:8080/a" },
		{ "https://h", "https://h/" },
		{ "ipp://[::1]:8631/p", "http://[::1]:8631/p" },
		{ "ipp://[::1]/p", "http://[::1]:631/p" },
		{ "ipp://localhost/printers/a%20b", "http://localhost:631/printers/a%20b" },
		{ "", NULL },
		{ "ipp:/h/p", NULL },
		{ "socket://h:9100", NULL },
		{ "file:///etc/passwd", NULL },
		{ "ipp://", NULL },
		{ "ipp:///p", NULL },
		{ "ipp://:631/p", NULL },
		{ "ipp://h:/p", NULL },
		{ "ipp://h:0/p", NULL },
		{ "ipp://h:65536/p", NULL },
		{ "ipp://h:63x/p", NULL },
		{ "ipp://user:secret@h/p", NULL },
		{ "ipp://user@h/p", NULL },
		{ "ipp://h/a b", NULL },
		{ "ipp://h/a\r\nX: y", NULL },
		{ "ipp://h/\xc3\xb6", NULL },
		{ "ipp://h/p#x", NULL },
		{ "ipp://[::1/p", NULL },
		{ "ipp://[]/p", NULL },
		{ "ipp://h]/p", NULL },
		{ "ipp://[::1]x/p", NULL },
		{ "ipp://h\\@evil/p", NULL },
	};
	char url[256];
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int rc;

		memcpy(url, "untouched", 10);
		rc = ipp_http_url(rows[i].uri, url, sizeof(url), &err);
		if (rc != (rows[i].url ? 0 : -1) || (rc == 0 && strcmp(url, rows[i].url) != 0))
			fail_msg("%s: %d %s", rows[i].uri, rc, rc ? err.text : url);
		if (rc < 0) {
			assert_int_equal(err.kind, ERR_REJECTED);
			assert_null(strstr(err.text, "secret"));
			assert_string_equal(url, "untouched");
		}
	}
}

static void test_long_uris_are_refused(void **state)
{
	char uri[1100] = "ipp://h/", url[2048];
	struct err err;

	(void)state;
	memset(uri + 8, 'a', sizeof(uri) - 8);
	uri[1023] = '\0';
	assert_int_equal(ipp_http_url(uri, url, sizeof(url), &err), 0);
	assert_int_equal(strlen(url), 1023 + 5);
	assert_int_equal(ipp_http_url(uri, url, 1028, &err), -1);
	assert_int_equal(ipp_http_url(uri, url, 1029, &err), 0);
	uri[1023] = 'a';
	uri[1024] = '\0';
	assert_int_equal(ipp_http_url(uri, url, sizeof(url), &err), -1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_a_request_is_posted_as_ipp),
		cmocka_unit_test(test_message_and_document_part_at_any_split),
		cmocka_unit_test(test_a_document_larger_than_the_stream_waits_for_room),
		T(test_after_a_pause_the_bytes_may_come_in_other_pieces),
		T(test_a_look_at_the_message_can_choose_the_stream),
		T(test_an_empty_document_ends_its_stream),
		T(test_a_document_whose_end_only_the_connection_tells_is_not_whole),
		T(test_html_instead_of_ipp_is_temporary_and_says_so),
		T(test_an_empty_answer_of_another_type_is_told_from_a_cut_one),
		cmocka_unit_test(test_an_answer_cut_anywhere_is_temporary),
		T(test_damaged_ipp_is_temporary),
		T(test_an_endless_answer_is_stopped),
		T(test_a_document_where_none_belongs_is_rejected),
		cmocka_unit_test(test_a_document_beyond_its_limit_is_rejected),
		T(test_a_look_at_the_message_can_end_the_exchange),
		T(test_an_ipp_error_keeps_the_answer_and_names_the_reason),
		T(test_bytes_behind_an_error_are_dropped_up_to_a_limit),
		T(test_an_ipp_error_outweighs_the_broken_connection_behind_it),
		cmocka_unit_test(test_kinds_follow_the_status),
		cmocka_unit_test(test_words_from_outside_are_made_safe_and_cut),
		T(test_a_transport_error_is_named_after_its_operation),
		T(test_a_cut_document_fails_its_stream_and_drops_the_answer),
		T(test_a_consumer_that_gives_up_ends_the_exchange_with_its_reason),
		T(test_a_cancel_passes_through),
		cmocka_unit_test(test_an_answer_before_the_whole_document_was_sent_is_no_success),
		T(test_what_cannot_be_started_frees_its_request),
		T(test_an_operation_can_be_cleared_and_used_again),
		cmocka_unit_test(test_ipp_uris_become_urls),
		cmocka_unit_test(test_long_uris_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
