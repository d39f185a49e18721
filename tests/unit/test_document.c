/* Documents from the cloud: straight, compressed, wrongly declared, cut, too long. */
#include "tests/unit/cloud_double.h"

#include <zlib.h>

#include "connector/base/ipp_codec.h"
#include "connector/cloud/channel.h"

#define CAPACITY (64u << 10)

static struct cloud *cloud;
static struct channel *channel;
static struct cloud_op op;
static struct stream *into;
static struct {
	int done, begun;
	bool failed;
	struct err err;
} end;
static unsigned char got[4u << 20];
static size_t got_len;

static const struct channel_listener listener;

static void on_done(struct cloud_op *o, const struct err *err)
{
	(void)o;
	end.done++;
	end.failed = err;
	if (err)
		end.err = *err;
}

static void on_begun(struct cloud_op *o)
{
	assert_int_equal(end.done, 0);
	assert_string_not_equal(o->compression, "");
	end.begun++;
}

static void prepare(void)
{
	memset(&end, 0, sizeof(end));
	op.done = on_done;
	op.begun = on_begun;
	got_len = 0;
	into = stream_new(CAPACITY);
}

static int setup(void **state)
{
	struct channel_settings settings = double_settings();
	struct err err;

	(void)state;
	double_init(1);
	memset(&op, 0, sizeof(op));
	prepare();
	cloud = double_cloud();
	assert_int_equal(cloud_ops.channel_open(&channel, cloud, &settings, &listener, &err), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cloud_ops.op_clear(&op);
	stream_free(into);
	cloud_ops.channel_close(channel);
	cloud_ops.close(cloud);
	double_clear();
	return 0;
}

static void again(void)
{
	assert_int_equal(end.done, 1);
	cloud_ops.op_clear(&op);
	stream_free(into);
	prepare();
}

static void settle(void)
{
	(void)fake_clock_settle(&cloud_double.clock);
}

static void drain(void)
{
	size_t n;

	settle();
	while ((n = stream_read(into, got + got_len, sizeof(got) - got_len)) > 0) {
		got_len += n;
		settle();
	}
}

static void start(uint64_t limit)
{
	struct err err;

	assert_int_equal(cloud_ops.document(channel, &op, 7, 2, into, limit, &err), 0);
}

/* The message of the answer comes, as ipp_client.c would bring it. */
static int message(ipp_tag_t group, const char *format, const char *compression, struct err *err)
{
	struct ipp_op *ipp = double_find(IPP_OP_FETCH_DOCUMENT, true)->op;

	ipp->response = double_response(IPP_STATUS_OK);
	if (format)
		ippAddString(ipp->response, group, IPP_TAG_MIMETYPE, "document-format", NULL,
		             format);
	if (compression)
		ippAddString(ipp->response, group, IPP_TAG_KEYWORD, "compression", NULL,
		             compression);
	return ipp->on_message(ipp, err);
}

/* Bytes come as fast as they are taken. */
static void deliver(const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len) {
		struct exchange *x = double_find(IPP_OP_FETCH_DOCUMENT, true);
		size_t n = len < 1000 ? len : 1000;

		if (stream_write(x->op->document, p, n) < 0) {
			if (stream_state(x->op->document) == STREAM_FAILED)
				return;
			drain();
			continue;
		}
		p += n;
		len -= n;
	}
}

/* The exchange ends well. */
static void finish(void)
{
	struct exchange *x = double_find(IPP_OP_FETCH_DOCUMENT, true);

	x->reply.response = x->op->response;
	double_finish(x);
}

static void assert_got(const void *data, size_t len)
{
	drain();
	assert_int_equal(end.done, 1);
	if (end.failed)
		fail_msg("failed: %s", end.err.text);
	assert_int_equal(end.begun, 1);
	assert_int_equal(stream_state(into), STREAM_ENDED);
	assert_int_equal(got_len, len);
	assert_memory_equal(got, data, len);
}

static void assert_failed(enum err_kind kind, int code)
{
	drain();
	assert_int_equal(end.done, 1);
	assert_true(end.failed);
	assert_int_equal(end.err.kind, kind);
	assert_int_equal(end.err.code, code);
	assert_int_equal(stream_state(into), STREAM_FAILED);
	assert_int_equal(double_open_count(), 0);
}

static size_t gzip(const void *data, size_t len, unsigned char *out, size_t size)
{
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)(uintptr_t)data;
	z.avail_in = (unsigned)len;
	z.next_out = out;
	z.avail_out = (unsigned)size;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	(void)deflateEnd(&z);
	return size - z.avail_out;
}

static unsigned char plain[1u << 20], packed[2u << 20];

static void fill_plain(void)
{
	struct clock *clock = &cloud_double.clock.clock;

	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (unsigned char)(clock->random(clock) >> 61);
}

/* ---- straight ---- */

static void test_the_request_asks_for_one_document_as_it_lies(void **state)
{
	struct ipp_op *ipp;
	ipp_t *m;

	(void)state;
	start(5000);
	m = double_last(IPP_OP_FETCH_DOCUMENT);
	ipp = double_find(IPP_OP_FETCH_DOCUMENT, true)->op;
	assert_int_equal(ipp_get_int(m, IPP_TAG_OPERATION, "job-id", 0), 7);
	assert_int_equal(ipp_get_int(m, IPP_TAG_OPERATION, "document-number", 0), 2);
	assert_text(m, IPP_TAG_OPERATION, "compression-accepted", "none");
	assert_true(ipp->http1);
	assert_int_equal(ipp->timeout_ms, 0);
	assert_int_equal(ipp->idle_ms, 60000);
	assert_int_equal(ipp->document_limit, 5000);
	assert_null(ipp->document); /* named by the answer only, so that it can be asked again */
	double_break(IPP_OP_FETCH_DOCUMENT, ERR_TEMPORARY, 28, 0);
}

static void test_a_document_goes_straight_into_the_stream(void **state)
{
	struct err err;

	(void)state;
	start(0);
	assert_int_equal(message(IPP_TAG_OPERATION, "application/pdf", NULL, &err), 0);
	assert_string_equal(op.format, "application/pdf");
	assert_string_equal(op.compression, "none");
	assert_int_equal(end.begun, 0); /* in a turn of its own */
	settle();
	assert_int_equal(end.begun, 1);
	deliver("%PDF-1.7", 8);
	finish();
	assert_got("%PDF-1.7", 8);
}

static void test_format_may_stand_in_the_document_group(void **state)
{
	struct err err;

	(void)state;
	start(0);
	assert_int_equal(message(IPP_TAG_DOCUMENT, "image/urf", "none", &err), 0);
	assert_string_equal(op.format, "image/urf");
	deliver("UNIRAST", 8);
	finish(); /* before the turn in which begun() would have run */
	assert_got("UNIRAST", 8);
}

static void test_a_compression_not_asked_for_is_rejected(void **state)
{
	struct err err;

	(void)state;
	start(0);
	assert_int_equal(message(IPP_TAG_OPERATION, NULL, "compress", &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_string_equal(op.format, "");
	double_break(IPP_OP_FETCH_DOCUMENT, ERR_REJECTED, 0, 0);
	assert_failed(ERR_REJECTED, 0);
	assert_int_equal(end.begun, 0);
}

static void test_what_failures_mean(void **state)
{
	static const struct {
		ipp_status_t status;
		enum err_kind kind;
	} cases[] = {
		{ IPP_STATUS_ERROR_NOT_FETCHABLE, ERR_TEMPORARY },
		{ IPP_STATUS_ERROR_NOT_POSSIBLE, ERR_GONE },
		{ IPP_STATUS_ERROR_NOT_FOUND, ERR_GONE },
		{ IPP_STATUS_ERROR_GONE, ERR_GONE },
		{ IPP_STATUS_ERROR_BUSY, ERR_TEMPORARY },
		{ IPP_STATUS_ERROR_BAD_REQUEST, ERR_REJECTED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		start(0);
		double_status(IPP_OP_FETCH_DOCUMENT, cases[i].status);
		assert_failed(cases[i].kind, (int)cases[i].status);
		assert_int_equal(end.begun, 0);
		again();
	}
	start(0);
	double_break(IPP_OP_FETCH_DOCUMENT, ERR_GONE, 404, 0);
	assert_failed(ERR_TEMPORARY, 404);
}

static void test_a_break_in_the_middle_reaches_the_consumer(void **state)
{
	struct err err;

	(void)state;
	start(0);
	assert_int_equal(message(IPP_TAG_OPERATION, "application/pdf", NULL, &err), 0);
	settle();
	deliver("%PDF", 4);
	double_break(IPP_OP_FETCH_DOCUMENT, ERR_TEMPORARY, 18, 0);
	assert_failed(ERR_TEMPORARY, 18);
	assert_int_equal(stream_err(into)->code, 18);
	assert_int_equal(end.begun, 1);
}

/* ---- gzip ---- */

static void start_gzip(uint64_t limit)
{
	struct err err;

	start(limit);
	assert_int_equal(message(IPP_TAG_OPERATION, "application/pdf", "gzip", &err), 0);
	assert_ptr_not_equal(double_find(IPP_OP_FETCH_DOCUMENT, true)->op->document, into);
}

static void test_gzip_is_undone(void **state)
{
	size_t len;

	(void)state;
	fill_plain();
	len = gzip(plain, sizeof(plain), packed, sizeof(packed));
	assert_true(len < sizeof(plain));
	start_gzip(0);
	deliver(packed, len);
	finish();
	assert_int_equal(end.done, 0); /* the consumer has not all of it yet */
	assert_got(plain, sizeof(plain));
}

static void test_several_members_are_one_document(void **state)
{
	size_t a = gzip("abc", 3, packed, sizeof(packed));
	size_t b = gzip("defg", 4, packed + a, sizeof(packed) - a);

	(void)state;
	start_gzip(0);
	deliver(packed, a + b);
	finish();
	assert_got("abcdefg", 7);
}

static void test_what_is_not_gzip_passes_as_it_is(void **state)
{
	(void)state;
	fill_plain();
	start_gzip(0);
	deliver("%PDF", 4);
	deliver(plain, sizeof(plain));
	finish();
	drain();
	assert_int_equal(end.done, 1);
	assert_false(end.failed);
	assert_int_equal(got_len, sizeof(plain) + 4);
	again();
	start_gzip(0);
	deliver("\x1f", 1);
	finish();
	assert_got("\x1f", 1);
	again();
	start_gzip(0);
	finish();
	assert_got("", 0);
}

static void test_gzip_that_is_not_declared_is_the_document_itself(void **state)
{
	size_t len = gzip("abc", 3, packed, sizeof(packed));
	struct err err;

	(void)state;
	start(0);
	assert_int_equal(message(IPP_TAG_OPERATION, NULL, "none", &err), 0);
	deliver(packed, len);
	finish();
	assert_got(packed, len);
}

static void test_gzip_cut_anywhere_is_never_whole(void **state)
{
	size_t len = gzip("some document", 13, packed, sizeof(packed));

	(void)state;
	for (size_t cut = 2; cut < len; cut++) {
		start_gzip(0);
		deliver(packed, cut);
		finish();
		assert_failed(ERR_TEMPORARY, 0);
		again();
	}
	start_gzip(0);
	deliver(packed, len);
	finish();
	assert_got("some document", 13);
}

static void test_damaged_gzip_ends_the_exchange(void **state)
{
	size_t len;

	(void)state;
	fill_plain();
	len = gzip(plain, sizeof(plain), packed, sizeof(packed));
	packed[len / 2] ^= 0x55;
	packed[len / 2 + 1] ^= 0x55;
	start_gzip(0);
	deliver(packed, len);
	drain();
	if (stream_state(double_find(IPP_OP_FETCH_DOCUMENT, true)->op->document) == STREAM_FAILED)
		double_break(IPP_OP_FETCH_DOCUMENT, ERR_REJECTED, 0, 0);
	else
		finish();
	assert_failed(ERR_REJECTED, 0);
	again();
	len = gzip("abc", 3, packed, sizeof(packed));
	packed[len++] = 'x'; /* what follows is no member */
	start_gzip(0);
	deliver(packed, len);
	finish();
	drain();
	assert_true(end.failed);
}

static void test_a_bomb_is_stopped_at_the_limit(void **state)
{
	size_t len;

	(void)state;
	memset(plain, 0, sizeof(plain));
	len = gzip(plain, sizeof(plain), packed, sizeof(packed));
	start_gzip(100000);
	deliver(packed, len);
	drain();
	assert_true(got_len <= 100000);
	double_break(IPP_OP_FETCH_DOCUMENT, ERR_REJECTED, 0, 0);
	assert_failed(ERR_REJECTED, 0);
	assert_non_null(strstr(end.err.text, "100000"));
	again();
	start_gzip(sizeof(plain)); /* just fits */
	deliver(packed, len);
	finish();
	assert_got(plain, sizeof(plain));
}

static void test_a_consumer_that_gives_up_ends_it(void **state)
{
	struct err err;
	size_t len;

	(void)state;
	fill_plain();
	len = gzip(plain, sizeof(plain), packed, sizeof(packed));
	start_gzip(0);
	deliver(packed, len / 2);
	(void)err_set(&err, ERR_TEMPORARY, 99, "the queue is gone");
	stream_fail(into, &err);
	settle();
	assert_int_equal(stream_state(double_find(IPP_OP_FETCH_DOCUMENT, true)->op->document),
	                 STREAM_FAILED);
	double_break(IPP_OP_FETCH_DOCUMENT, ERR_TEMPORARY, 99, 0);
	assert_failed(ERR_TEMPORARY, 99);
}

/* ---- cancel ---- */

static void test_canceling_at_each_stage(void **state)
{
	struct err err;
	size_t len;

	(void)state;
	start(0);
	cloud_ops.op_cancel(&op);
	assert_int_equal(end.done, 0);
	assert_failed(ERR_CANCELED, 0);
	again();
	start(0);
	assert_int_equal(message(IPP_TAG_OPERATION, NULL, NULL, &err), 0);
	ippDelete(TAKE(double_find(IPP_OP_FETCH_DOCUMENT, true)->op->response));
	cloud_ops.op_cancel(&op);
	assert_failed(ERR_CANCELED, 0);
	again();
	fill_plain();
	len = gzip(plain, sizeof(plain), packed, sizeof(packed));
	start_gzip(0);
	deliver(packed, len);
	finish(); /* all came, the consumer is slow */
	settle();
	assert_int_equal(end.done, 0);
	cloud_ops.op_cancel(&op);
	assert_int_equal(end.done, 0);
	assert_failed(ERR_CANCELED, 0);
}

static void test_an_exchange_that_cannot_start_leaves_nothing(void **state)
{
	struct err err;

	(void)state;
	cloud_double.fail_starts = 1;
	assert_int_equal(cloud_ops.document(channel, &op, 7, 1, into, 0, &err), -1);
	assert_int_equal(end.done, 0);
	assert_null(op.document);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_the_request_asks_for_one_document_as_it_lies),
		T(test_a_document_goes_straight_into_the_stream),
		T(test_format_may_stand_in_the_document_group),
		T(test_a_compression_not_asked_for_is_rejected),
		T(test_what_failures_mean),
		T(test_a_break_in_the_middle_reaches_the_consumer),
		T(test_gzip_is_undone),
		T(test_several_members_are_one_document),
		T(test_what_is_not_gzip_passes_as_it_is),
		T(test_gzip_that_is_not_declared_is_the_document_itself),
		T(test_gzip_cut_anywhere_is_never_whole),
		T(test_damaged_gzip_ends_the_exchange),
		T(test_a_bomb_is_stopped_at_the_limit),
		T(test_a_consumer_that_gives_up_ends_it),
		T(test_canceling_at_each_stage),
		T(test_an_exchange_that_cannot_start_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
