#include "connector/base/ipp_codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/err.h"
#include "tests/lib/says.h"

/* ---- messages made by hand ---- */

struct msg {
	unsigned char data[4096];
	size_t len;
};

static void put(struct msg *m, const void *data, size_t len)
{
	assert_true(m->len + len <= sizeof(m->data));
	memcpy(m->data + m->len, data, len);
	m->len += len;
}

static void put_byte(struct msg *m, unsigned value)
{
	unsigned char byte = (unsigned char)value;

	put(m, &byte, 1);
}

static void put_word(struct msg *m, size_t value)
{
	put_byte(m, (unsigned)value >> 8);
	put_byte(m, (unsigned)value & 0xff);
}

static void put_field(struct msg *m, unsigned tag, const char *name, const void *value, size_t len)
{
	put_byte(m, tag);
	put_word(m, strlen(name));
	put(m, name, strlen(name));
	put_word(m, len);
	put(m, value, len);
}

static void put_int(struct msg *m, const char *name)
{
	put_field(m, IPP_TAG_INTEGER, name, "\0\0\0\7", 4);
}

static void begin(struct msg *m)
{
	m->len = 0;
	put(m, "\2\0\0\0\0\0\0\1\1", 9);
	put_field(m, IPP_TAG_CHARSET, "attributes-charset", "utf-8", 5);
	put_byte(m, IPP_TAG_JOB);
}

static void finish(struct msg *m)
{
	put_byte(m, IPP_TAG_END);
}

static void begin_collection(struct msg *m, const char *name)
{
	put_field(m, IPP_TAG_BEGIN_COLLECTION, name, "", 0);
}

static void member(struct msg *m, const char *name)
{
	put_field(m, IPP_TAG_MEMBERNAME, "", name, strlen(name));
}

static void end_collection(struct msg *m)
{
	put_field(m, IPP_TAG_END_COLLECTION, "", "", 0);
}

static ipp_t *decoded(const struct msg *m)
{
	struct err err = { 0 };
	ipp_t *msg = NULL;

	if (ipp_decode(m->data, m->len, &msg, &err) < 0)
		fail_msg("%s", err.text);
	return msg;
}

/* Also byte by byte, where it must fail at the same place. */
static void assert_refused(const struct msg *m, const char *why)
{
	ipp_t *untouched = (ipp_t *)(void *)&err_set, *msg = untouched;
	struct ipp_scan scan = { 0 };
	struct err err = { 0 };
	size_t used;
	bool ended;
	int rc = 0;

	assert_int_equal(ipp_decode(m->data, m->len, &msg, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_ptr_equal(msg, untouched);
	assert_says(&err, why);
	for (size_t i = 0; i < m->len && rc == 0; i++)
		rc = ipp_scan(&scan, m->data + i, 1, &used, &ended, &err);
	assert_int_equal(rc, -1);
}

/* ---- encoding and decoding ---- */

static ipp_t *sample(void)
{
	static const char *const reasons[] = { "job-printing", "job-fetchable" };
	ipp_t *msg = ipp_request(IPP_OP_GET_JOBS, "printer-uri", "ipp://localhost/ipp/print");
	ipp_t *size = ippNew(), *media = ippNew();

	ippAddInteger(size, IPP_TAG_ZERO, IPP_TAG_INTEGER, "x-dimension", 21000);
	ippAddCollection(media, IPP_TAG_ZERO, "media-size", size);
	ippAddString(media, IPP_TAG_ZERO, IPP_TAG_KEYWORD, "media-type", NULL, "stationery");
	ippDelete(size);
	ippAddInteger(msg, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-id", 42);
	ippAddInteger(msg, IPP_TAG_JOB, IPP_TAG_ENUM, "job-state", 5);
	ippAddBoolean(msg, IPP_TAG_JOB, "last-document", 1);
	ippAddStrings(msg, IPP_TAG_JOB, IPP_TAG_KEYWORD, "job-state-reasons", 2, NULL, reasons);
	ippAddCollection(msg, IPP_TAG_JOB, "media-col", media);
	ippDelete(media);
	ippAddInteger(msg, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "job-id", 43);
	return msg;
}

static void test_what_is_encoded_is_decoded_the_same(void **state)
{
	ipp_t *msg = sample(), *again;
	struct buf one, two;
	struct err err;

	(void)state;
	buf_init(&one, IPP_MESSAGE_MAX);
	buf_init(&two, IPP_MESSAGE_MAX);
	assert_int_equal(ipp_encode(msg, &one, &err), 0);
	assert_int_equal(ipp_decode(one.data, one.len, &again, &err), 0);
	assert_int_equal(ipp_encode(again, &two, &err), 0);
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.data, two.data, one.len);
	assert_int_equal(ippGetOperation(again), IPP_OP_GET_JOBS);
	ippDelete(msg);
	ippDelete(again);
	buf_clear(&one);
	buf_clear(&two);
}

static void test_encoding_appends_and_can_be_repeated(void **state)
{
	ipp_t *msg = sample();
	struct buf out;
	struct err err;
	size_t len;

	(void)state;
	buf_init(&out, IPP_MESSAGE_MAX);
	assert_int_equal(buf_append(&out, "x", 1), 0);
	assert_int_equal(ipp_encode(msg, &out, &err), 0);
	len = out.len - 1;
	assert_int_equal(ipp_encode(msg, &out, &err), 0);
	assert_int_equal(out.len, 1 + 2 * len);
	assert_memory_equal(out.data + 1, out.data + 1 + len, len);
	ippDelete(msg);
	buf_clear(&out);
}

static void test_a_message_larger_than_the_buffer_leaves_it_as_it_was(void **state)
{
	ipp_t *msg = sample();
	struct buf out;
	struct err err;

	(void)state;
	for (size_t limit = 0; limit < 100; limit += 7) {
		buf_init(&out, limit + 3);
		assert_int_equal(buf_append(&out, "abc", 3), 0);
		assert_int_equal(ipp_encode(msg, &out, &err), -1);
		assert_int_equal(err.kind, ERR_REJECTED);
		assert_string_equal(buf_text(&out), "abc");
		buf_clear(&out);
	}
	ippDelete(msg);
}

static void test_a_request_begins_as_the_standard_says(void **state)
{
	ipp_t *msg = ipp_request(IPP_OP_CUPS_GET_PRINTERS, "system-uri", "ipp://h/ipp/system");
	ipp_t *next = ipp_request(IPP_OP_GET_JOBS, "printer-uri", "ipp://h/p");
	ipp_attribute_t *a = ippFirstAttribute(msg);
	int minor;

	(void)state;
	assert_string_equal(ippGetName(a), "attributes-charset");
	assert_string_equal(ippGetString(a, 0, NULL), "utf-8");
	a = ippNextAttribute(msg);
	assert_string_equal(ippGetName(a), "attributes-natural-language");
	assert_string_equal(ippGetString(a, 0, NULL), "en");
	a = ippNextAttribute(msg);
	assert_string_equal(ippGetName(a), "system-uri");
	assert_int_equal(ippGetValueTag(a), IPP_TAG_URI);
	assert_null(ippNextAttribute(msg));
	assert_int_equal(ippGetVersion(msg, &minor), 2);
	assert_int_equal(minor, 0);
	assert_true(ippGetRequestId(msg) > 0);
	assert_int_not_equal(ippGetRequestId(msg), ippGetRequestId(next));
	ippDelete(msg);
	ippDelete(next);
}

/* ---- where a message ends ---- */

static void test_the_document_behind_a_message_is_left_alone_at_any_split(void **state)
{
	struct msg m;
	size_t end;

	(void)state;
	begin(&m);
	put_int(&m, "job-id");
	begin_collection(&m, "media-col");
	member(&m, "a");
	put_field(&m, IPP_TAG_TEXTLANG, "", "\0\2en\0\3abc", 9);
	end_collection(&m);
	put_field(&m, IPP_TAG_NOVALUE, "empty", "", 0);
	finish(&m);
	end = m.len;
	put(&m, "%PDF-1.7 \3\3", 11);
	for (size_t split = 0; split <= m.len; split++) {
		struct ipp_scan scan = { 0 };
		size_t first, second = 0;
		struct err err;
		bool ended;

		assert_int_equal(ipp_scan(&scan, m.data, split, &first, &ended, &err), 0);
		assert_int_equal(ended, split >= end);
		if (!ended)
			assert_int_equal(first, split);
		assert_int_equal(
			ipp_scan(&scan, m.data + first, m.len - first, &second, &ended, &err), 0);
		assert_true(ended);
		assert_int_equal(first + second, end);
	}
}

static void test_every_cut_message_is_refused(void **state)
{
	struct buf whole;
	ipp_t *msg = sample(), *out;
	struct err err;

	(void)state;
	buf_init(&whole, IPP_MESSAGE_MAX);
	assert_int_equal(ipp_encode(msg, &whole, &err), 0);
	for (size_t len = 0; len < whole.len; len++) {
		assert_int_equal(ipp_decode(whole.data, len, &out, &err), -1);
		assert_int_equal(err.kind, ERR_REJECTED);
		assert_non_null(strstr(err.text, "ends in the middle"));
	}
	assert_int_equal(buf_append(&whole, "x", 1), 0);
	assert_int_equal(ipp_decode(whole.data, whole.len, &out, &err), -1);
	assert_non_null(strstr(err.text, "behind the end"));
	buf_clear(&whole);
	ippDelete(msg);
}

/* ---- what is refused ---- */

static void test_what_is_not_ipp_is_refused(void **state)
{
	struct msg m = { .len = 0 };

	(void)state;
	put(&m, "<html><body>", 12);
	assert_refused(&m, "version");
	m.len = 0;
	put(&m, "\0\0\0\0\0\0\0\1\1\3", 10);
	assert_refused(&m, "version");
	m.len = 0;
	put(&m, "\2\0\0\0\0\0\0\1", 8);
	put_int(&m, "a");
	assert_refused(&m, "outside any group");
	m.len = 0;
	put(&m, "\2\0\0\0\0\0\0\1\0", 9);
	assert_refused(&m, "reserved tag");
	begin(&m);
	put(&m, "\x7f\0\0\0\0\0\0\0\0", 9);
	assert_refused(&m, "extension");
	begin(&m);
	put_byte(&m, 0xff);
	assert_refused(&m, "extension");
}

static void test_names_have_limits(void **state)
{
	char name[300];
	struct msg m;

	(void)state;
	memset(name, 'a', sizeof(name));
	name[255] = '\0';
	begin(&m);
	put_int(&m, name);
	finish(&m);
	ippDelete(decoded(&m));
	name[255] = 'a';
	name[256] = '\0';
	begin(&m);
	put_int(&m, name);
	assert_refused(&m, "name too long");
	begin(&m);
	begin_collection(&m, "c");
	member(&m, name);
	assert_refused(&m, "member name");
	begin(&m);
	put_int(&m, "");
	assert_refused(&m, "without a name");
	begin(&m);
	put_int(&m, "a");
	put_byte(&m, IPP_TAG_PRINTER);
	put_int(&m, "");
	assert_refused(&m, "without a name");
}

static void test_values_must_have_the_length_of_their_syntax(void **state)
{
	static const struct {
		unsigned tag;
		size_t len;
	} rows[] = {
		{ IPP_TAG_INTEGER, 4 },    { IPP_TAG_ENUM, 4 },  { IPP_TAG_BOOLEAN, 1 },
		{ IPP_TAG_RESOLUTION, 9 }, { IPP_TAG_RANGE, 8 }, { IPP_TAG_DATE, 11 },
	};
	static const char zeros[16];
	struct msg m;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (size_t len = 0; len < sizeof(zeros); len++) {
			begin(&m);
			put_field(&m, rows[i].tag, "a", zeros, len);
			finish(&m);
			if (len == rows[i].len)
				ippDelete(decoded(&m));
			else
				assert_refused(&m, "does not fit");
		}
	begin(&m);
	put_byte(&m, IPP_TAG_TEXT);
	put_word(&m, 1);
	put_byte(&m, 'a');
	put_word(&m, 0x8000);
	assert_refused(&m, "value too long");
	begin(&m);
	put_field(&m, IPP_TAG_BEGIN_COLLECTION, "c", "x", 1);
	assert_refused(&m, "does not fit");
}

static void test_text_with_language_must_add_up(void **state)
{
	struct msg m;

	(void)state;
	begin(&m);
	put_field(&m, IPP_TAG_NAMELANG, "a", "\0\2en\0\4name", 10);
	finish(&m);
	ippDelete(decoded(&m));
	begin(&m);
	put_field(&m, IPP_TAG_NAMELANG, "a", "\0\0\0\0", 4);
	finish(&m);
	ippDelete(decoded(&m));
	begin(&m);
	put_field(&m, IPP_TAG_NAMELANG, "a", "\0\0\0", 3);
	assert_refused(&m, "too short");
	begin(&m);
	put_field(&m, IPP_TAG_TEXTLANG, "a", "\0\7en\0\4name", 10);
	assert_refused(&m, "language longer");
	begin(&m);
	put_field(&m, IPP_TAG_TEXTLANG, "a", "\0\2en\0\5name", 10);
	assert_refused(&m, "text longer or shorter");
	begin(&m);
	put_field(&m, IPP_TAG_TEXTLANG, "a", "\0\2en\0\3name", 10);
	assert_refused(&m, "text longer or shorter");
}

static void test_broken_collections_are_refused(void **state)
{
	struct msg m;

	(void)state;
	begin(&m);
	begin_collection(&m, "c");
	put_int(&m, "");
	assert_refused(&m, "member without a name");
	begin(&m);
	begin_collection(&m, "c");
	member(&m, "x");
	end_collection(&m);
	assert_refused(&m, "member without a value");
	begin(&m);
	begin_collection(&m, "c");
	member(&m, "x");
	member(&m, "y");
	assert_refused(&m, "member without a value");
	begin(&m);
	begin_collection(&m, "c");
	put_int(&m, "named");
	assert_refused(&m, "named attribute inside");
	begin(&m);
	begin_collection(&m, "c");
	put_byte(&m, IPP_TAG_JOB);
	assert_refused(&m, "group inside");
	begin(&m);
	begin_collection(&m, "c");
	finish(&m);
	assert_refused(&m, "group inside");
	begin(&m);
	put_int(&m, "a");
	end_collection(&m);
	assert_refused(&m, "outside a collection");
	begin(&m);
	member(&m, "x");
	assert_refused(&m, "outside a collection");
	begin(&m);
	put_field(&m, IPP_TAG_MEMBERNAME, "named", "x", 1);
	assert_refused(&m, "outside a collection");
}

static void test_sets_of_collections_and_of_members_are_read(void **state)
{
	struct msg m;
	ipp_attribute_t *a;
	ipp_t *msg, *col;

	(void)state;
	begin(&m);
	begin_collection(&m, "c");
	member(&m, "x");
	put_int(&m, "");
	put_int(&m, "");
	end_collection(&m);
	begin_collection(&m, "");
	end_collection(&m);
	put_int(&m, "after");
	finish(&m);
	msg = decoded(&m);
	a = ippFindAttribute(msg, "c", IPP_TAG_BEGIN_COLLECTION);
	assert_int_equal(ippGetCount(a), 2);
	col = ippGetCollection(a, 0);
	assert_int_equal(ippGetCount(ippFindAttribute(col, "x", IPP_TAG_INTEGER)), 2);
	assert_int_equal(ipp_get_int(msg, IPP_TAG_JOB, "after", 0), 7);
	ippDelete(msg);
}

static void test_collections_may_be_so_deep_and_no_deeper(void **state)
{
	struct msg m;

	(void)state;
	for (unsigned depth = IPP_DEPTH_MAX; depth <= IPP_DEPTH_MAX + 1; depth++) {
		begin(&m);
		begin_collection(&m, "c");
		for (unsigned i = 1; i < depth; i++) {
			member(&m, "c");
			begin_collection(&m, "");
		}
		for (unsigned i = 0; i < depth; i++)
			end_collection(&m);
		finish(&m);
		if (depth == IPP_DEPTH_MAX)
			ippDelete(decoded(&m));
		else
			assert_refused(&m, "too deep");
	}
}

static void test_further_values_must_be_of_a_fitting_kind(void **state)
{
	struct msg m;
	ipp_t *msg;

	(void)state;
	begin(&m);
	put_int(&m, "a");
	put_field(&m, IPP_TAG_KEYWORD, "", "x", 1);
	assert_refused(&m, "different kinds");
	begin(&m);
	put_field(&m, IPP_TAG_KEYWORD, "a", "x", 1);
	put_int(&m, "");
	assert_refused(&m, "different kinds");
	begin(&m);
	put_int(&m, "a");
	begin_collection(&m, "");
	assert_refused(&m, "different kinds");
	begin(&m);
	begin_collection(&m, "c");
	member(&m, "x");
	put_int(&m, "");
	put_field(&m, IPP_TAG_BOOLEAN, "", "\1", 1);
	assert_refused(&m, "different kinds");

	begin(&m); /* what real printers mix */
	put_field(&m, IPP_TAG_KEYWORD, "media-supported", "iso_a4_210x297mm", 16);
	put_field(&m, IPP_TAG_NAME, "", "letterhead", 10);
	put_int(&m, "number-up-supported");
	put_field(&m, IPP_TAG_RANGE, "", "\0\0\0\1\0\0\0\4", 8);
	finish(&m);
	msg = decoded(&m);
	assert_true(ipp_has_keyword(msg, IPP_TAG_ZERO, "media-supported", "letterhead"));
	ippDelete(msg);
}

/* A server that never stops: the scanner says so at the limit. */
static void assert_endless_refused(const struct msg *head, const struct msg *piece, const char *why)
{
	struct ipp_scan scan = { 0 };
	struct err err = { 0 };
	size_t used, total = head->len;
	bool ended;
	int rc;

	assert_int_equal(ipp_scan(&scan, head->data, head->len, &used, &ended, &err), 0);
	do {
		rc = ipp_scan(&scan, piece->data, piece->len, &used, &ended, &err);
		total += piece->len;
	} while (rc == 0 && total < 2 * (size_t)IPP_MESSAGE_MAX);
	assert_int_equal(rc, -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_non_null(strstr(err.text, why));
	assert_true(total <= IPP_MESSAGE_MAX + piece->len);
}

static void test_an_endless_message_is_refused(void **state)
{
	struct msg head, piece = { .len = 0 };
	char text[3000];

	(void)state;
	begin(&head);
	memset(text, 'x', sizeof(text));
	put_field(&piece, IPP_TAG_TEXT, "a", text, sizeof(text));
	assert_endless_refused(&head, &piece, "longer than");
	piece.len = 0;
	put_int(&piece, "a");
	assert_endless_refused(&head, &piece, "too many values");
	piece.len = 0;
	put_byte(&piece, IPP_TAG_JOB);
	assert_endless_refused(&head, &piece, "longer than");
}

static void test_a_message_at_the_limits_is_decoded(void **state)
{
	struct msg part = { .len = 0 };
	struct buf all;
	struct err err;
	ipp_t *msg;

	(void)state;
	buf_init(&all, IPP_MESSAGE_MAX);
	begin(&part);
	begin_collection(&part, "c");
	end_collection(&part);
	assert_int_equal(buf_append(&all, part.data, part.len), 0);
	part.len = 0;
	begin_collection(&part, "");
	end_collection(&part);
	for (unsigned i = 3; i + 2 <= IPP_FIELDS_MAX; i += 2)
		assert_int_equal(buf_append(&all, part.data, part.len), 0);
	assert_int_equal(buf_append(&all, "\3", 1), 0);
	assert_int_equal(ipp_decode(all.data, all.len, &msg, &err), 0);
	assert_int_equal(ippGetCount(ippFindAttribute(msg, "c", IPP_TAG_ZERO)),
	                 (IPP_FIELDS_MAX - 1) / 2);
	ippDelete(msg);
	buf_clear(&all);
}

static void test_random_damage_never_crashes(void **state)
{
	unsigned seed = 20240517;
	ipp_t *msg = sample(), *out;
	struct buf whole;
	struct err err;

	(void)state;
	print_message("seed %u\n", seed);
	buf_init(&whole, IPP_MESSAGE_MAX);
	assert_int_equal(ipp_encode(msg, &whole, &err), 0);
	for (int round = 0; round < 20000; round++) {
		unsigned char copy[1024];

		memcpy(copy, whole.data, whole.len);
		for (int i = 0; i < 1 + round % 4; i++)
			copy[(unsigned)rand_r(&seed) % whole.len] = (unsigned char)rand_r(&seed);
		if (ipp_decode(copy, whole.len, &out, &err) == 0)
			ippDelete(out);
	}
	buf_clear(&whole);
	ippDelete(msg);
}

/* ---- reading ---- */

static void test_values_are_found_by_group_and_kind(void **state)
{
	ipp_t *msg = sample();

	(void)state;
	assert_int_equal(ipp_get_int(msg, IPP_TAG_JOB, "job-id", 0), 42);
	assert_int_equal(ipp_get_int(msg, IPP_TAG_PRINTER, "job-id", 0), 43);
	assert_int_equal(ipp_get_int(msg, IPP_TAG_ZERO, "job-id", 0), 42);
	assert_int_equal(ipp_get_int(msg, IPP_TAG_JOB, "job-state", 0), 5);
	assert_int_equal(ipp_get_int(msg, IPP_TAG_OPERATION, "job-id", -3), -3);
	assert_int_equal(ipp_get_int(msg, IPP_TAG_JOB, "job-state-reasons", -3), -3);
	assert_true(ipp_get_bool(msg, IPP_TAG_JOB, "last-document", false));
	assert_true(ipp_get_bool(msg, IPP_TAG_JOB, "job-id", true));
	assert_false(ipp_get_bool(msg, IPP_TAG_JOB, "absent", false));
	assert_string_equal(ipp_get_text(msg, IPP_TAG_OPERATION, "attributes-charset", ""),
	                    "utf-8");
	assert_null(ipp_get_text(msg, IPP_TAG_JOB, "job-id", NULL));
	assert_null(ipp_get_text(msg, IPP_TAG_JOB, "media-col", NULL));
	assert_null(ipp_get_text(NULL, IPP_TAG_JOB, "job-id", NULL));
	assert_int_equal(ipp_get_int(NULL, IPP_TAG_JOB, "job-id", 9), 9);
	assert_true(ipp_has_keyword(msg, IPP_TAG_JOB, "job-state-reasons", "job-fetchable"));
	assert_false(ipp_has_keyword(msg, IPP_TAG_JOB, "job-state-reasons", "job-fetch"));
	assert_false(ipp_has_keyword(msg, IPP_TAG_JOB, "job-id", "42"));
	ippDelete(msg);
}

static void test_joined_text_is_cut_at_whole_characters(void **state)
{
	static const char *const names[] = { "one", "zw\xc3\xb6lf" };
	ipp_t *msg = ippNew();
	char out[32];

	(void)state;
	ippAddStrings(msg, IPP_TAG_JOB, IPP_TAG_NAME, "n", 2, NULL, names);
	ipp_join_text(msg, IPP_TAG_JOB, "n", out, sizeof(out));
	assert_string_equal(out, "one,zw\xc3\xb6lf");
	ipp_join_text(msg, IPP_TAG_JOB, "n", out, 8);
	assert_string_equal(out, "one,zw");
	ipp_join_text(msg, IPP_TAG_JOB, "n", out, 9);
	assert_string_equal(out, "one,zw\xc3\xb6");
	ipp_join_text(msg, IPP_TAG_JOB, "n", out, 5);
	assert_string_equal(out, "one,");
	ipp_join_text(msg, IPP_TAG_JOB, "n", out, 1);
	assert_string_equal(out, "");
	ipp_join_text(msg, IPP_TAG_JOB, "absent", out, sizeof(out));
	assert_string_equal(out, "");
	ippDelete(msg);
}

static void test_times_are_read_and_nonsense_is_not(void **state)
{
	static const struct {
		const char *bytes;
		time_t expect;
	} rows[] = {
		{ "\x07\xe9\x05\x02\x0a\x0b\x0c\x00+\x00\x00", 1746180672 },
		{ "\x07\xe9\x05\x02\x0a\x0b\x0c\x05+\x02\x00", 1746180672 - 7200 },
		{ "\x07\xe9\x05\x02\x0a\x0b\x0c\x00-\x05\x1e", 1746180672 + 19800 },
		{ "\x07\xe8\x02\x1d\x00\x00\x00\x00+\x00\x00", 1709164800 },
		{ "\x07\xe9\x02\x1d\x00\x00\x00\x00+\x00\x00", -1 }, /* no such day */
		{ "\x07\xe9\x00\x02\x0a\x0b\x0c\x00+\x00\x00", -1 },
		{ "\x07\xe9\x0d\x02\x0a\x0b\x0c\x00+\x00\x00", -1 },
		{ "\x07\xe9\x05\x00\x0a\x0b\x0c\x00+\x00\x00", -1 },
		{ "\x07\xe9\x05\x02\x18\x0b\x0c\x00+\x00\x00", -1 },
		{ "\x07\xe9\x05\x02\x0a\x3c\x0c\x00+\x00\x00", -1 },
		{ "\x07\xe9\x05\x02\x0a\x0b\x3d\x00+\x00\x00", -1 },
		{ "\x07\xe9\x05\x02\x0a\x0b\x0c\x00?\x00\x00", -1 },
		{ "\x07\xe9\x05\x02\x0a\x0b\x0c\x00+\x0f\x00", -1 },
		{ "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ipp_t *msg = ippNew();

		ippAddDate(msg, IPP_TAG_JOB, "t", (const ipp_uchar_t *)rows[i].bytes);
		assert_int_equal(ipp_get_time(msg, IPP_TAG_JOB, "t", -1), rows[i].expect);
		assert_int_equal(ipp_get_time(msg, IPP_TAG_JOB, "absent", -7), -7);
		ippDelete(msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_encoded_is_decoded_the_same),
		cmocka_unit_test(test_encoding_appends_and_can_be_repeated),
		cmocka_unit_test(test_a_message_larger_than_the_buffer_leaves_it_as_it_was),
		cmocka_unit_test(test_a_request_begins_as_the_standard_says),
		cmocka_unit_test(test_the_document_behind_a_message_is_left_alone_at_any_split),
		cmocka_unit_test(test_every_cut_message_is_refused),
		cmocka_unit_test(test_what_is_not_ipp_is_refused),
		cmocka_unit_test(test_names_have_limits),
		cmocka_unit_test(test_values_must_have_the_length_of_their_syntax),
		cmocka_unit_test(test_text_with_language_must_add_up),
		cmocka_unit_test(test_broken_collections_are_refused),
		cmocka_unit_test(test_sets_of_collections_and_of_members_are_read),
		cmocka_unit_test(test_collections_may_be_so_deep_and_no_deeper),
		cmocka_unit_test(test_further_values_must_be_of_a_fitting_kind),
		cmocka_unit_test(test_an_endless_message_is_refused),
		cmocka_unit_test(test_a_message_at_the_limits_is_decoded),
		cmocka_unit_test(test_random_damage_never_crashes),
		cmocka_unit_test(test_values_are_found_by_group_and_kind),
		cmocka_unit_test(test_joined_text_is_cut_at_whole_characters),
		cmocka_unit_test(test_times_are_read_and_nonsense_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
