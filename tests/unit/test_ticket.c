/* Tickets as data: what the cloud wants, what the queue can do, what is sent and what is lost. */
#include "connector/printer/ticket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/util.h"
#include "connector/base/ipp_codec.h"

static ipp_t *new_size(int x, int y)
{
	ipp_t *size = ippNew();

	ippAddInteger(size, IPP_TAG_ZERO, IPP_TAG_INTEGER, "x-dimension", x);
	ippAddInteger(size, IPP_TAG_ZERO, IPP_TAG_INTEGER, "y-dimension", y);
	return size;
}

static void add_words(ipp_t *m, const char *name, const char *words)
{
	char copy[256], *rest = copy, *word;
	ipp_attribute_t *attr = NULL;

	(void)snprintf(copy, sizeof(copy), "%s", words);
	while ((word = strsep(&rest, ",")) != NULL) {
		if (attr == NULL)
			attr = ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, name, NULL, word);
		else
			ippSetString(m, &attr, ippGetCount(attr), word);
	}
}

static ipp_t *new_capabilities(void)
{
	static const int qualities[] = { 4, 5 }, finishings[] = { 3, 4 }, ups[] = { 1, 2, 4 };
	ipp_t *m = ippNew(), *range = ippNew(), *size = new_size(20990, 29704);
	ipp_attribute_t *sizes;

	ippAddRange(m, IPP_TAG_PRINTER, "copies-supported", 1, 99);
	add_words(m, "sides-supported", "one-sided,two-sided-long-edge");
	add_words(m, "media-supported", "iso_a4_210x297mm,na_letter_8.5x11in");
	add_words(m, "media-source-supported", "auto,tray-1");
	add_words(m, "media-type-supported", "stationery");
	add_words(m, "media-col-supported", "media-size,media-source,media-type,media-top-margin");
	add_words(m, "print-color-mode-supported", "monochrome");
	add_words(m, "overrides-supported", "pages,media");
	add_words(m, "finishings-col-supported", "finishing-template");
	add_words(m, "job-sheets-supported", "none,standard");
	ippAddIntegers(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "print-quality-supported", 2, qualities);
	ippAddIntegers(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "finishings-supported", 2, finishings);
	ippAddIntegers(m, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "number-up-supported", 3, ups);
	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "job-priority-supported", 100);
	ippAddBoolean(m, IPP_TAG_PRINTER, "page-ranges-supported", 1);
	ippAddResolution(m, IPP_TAG_PRINTER, "printer-resolution-supported", IPP_RES_PER_INCH, 600,
	                 600);
	ippAddRange(range, IPP_TAG_ZERO, "x-dimension", 5000, 10000);
	ippAddRange(range, IPP_TAG_ZERO, "y-dimension", 5000, 20000);
	sizes = ippAddCollection(m, IPP_TAG_PRINTER, "media-size-supported", size);
	ippSetCollection(m, &sizes, 1, range);
	ippDelete(size);
	ippDelete(range);
	return m;
}

/* ---- one attribute each --------------------------------------------------------------------- */

static void copies_3(ipp_t *t)
{
	ippAddInteger(t, IPP_TAG_JOB, IPP_TAG_INTEGER, "copies", 3);
}

static void copies_5000(ipp_t *t)
{
	ippAddInteger(t, IPP_TAG_JOB, IPP_TAG_INTEGER, "copies", 5000);
}

static void copies_minus(ipp_t *t)
{
	ippAddInteger(t, IPP_TAG_JOB, IPP_TAG_INTEGER, "copies", -1);
}

static void copies_word(ipp_t *t)
{
	ippAddString(t, IPP_TAG_JOB, IPP_TAG_KEYWORD, "copies", NULL, "many");
}

static void copies_huge(ipp_t *t)
{
	ippAddInteger(t, IPP_TAG_JOB, IPP_TAG_INTEGER, "copies", 2147483647);
}

static void sides_long_text(ipp_t *t)
{
	char word[65536];

	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	ippAddString(t, IPP_TAG_JOB, IPP_TAG_KEYWORD, "sides", NULL, word);
}

static void sides_long(ipp_t *t)
{
	ippAddString(t, IPP_TAG_JOB, IPP_TAG_KEYWORD, "sides", NULL, "two-sided-long-edge");
}

static void sides_short(ipp_t *t)
{
	ippAddString(t, IPP_TAG_JOB, IPP_TAG_KEYWORD, "sides", NULL, "two-sided-short-edge");
}

static void sides_number(ipp_t *t)
{
	ippAddInteger(t, IPP_TAG_JOB, IPP_TAG_INTEGER, "sides", 2);
}

static void sides_shell(ipp_t *t)
{
	ippAddString(t, IPP_TAG_JOB, IPP_TAG_KEYWORD, "sides", NULL, "$(reboot)\n-o x");
}

static void sides_two_values(ipp_t *t)
{
	static const char *const both[] = { "one-sided", "two-sided-long-edge" };

	ippAddStrings(t, IPP_TAG_JOB, IPP_TAG_KEYWORD, "sides", 2, NULL, both);
}

static void quality_high(ipp_t *t)
{
	ippAddInteger(t, IPP_TAG_JOB, IPP_TAG_ENUM, "print-quality", 5);
}

static void quality_draft(ipp_t *t)
{
	ippAddInteger(t, IPP_TAG_JOB, IPP_TAG_ENUM, "print-quality", 3);
}

static void quality_absurd(ipp_t *t)
{
	ippAddInteger(t, IPP_TAG_JOB, IPP_TAG_ENUM, "print-quality", -7);
}

static void staple(ipp_t *t)
{
	static const int values[] = { 4 };

	ippAddIntegers(t, IPP_TAG_JOB, IPP_TAG_ENUM, "finishings", 1, values);
}

static void staple_and_punch(ipp_t *t)
{
	static const int values[] = { 4, 5 };

	ippAddIntegers(t, IPP_TAG_JOB, IPP_TAG_ENUM, "finishings", 2, values);
}

static void too_many_finishings(ipp_t *t)
{
	int values[200], i;

	for (i = 0; i < 200; i++)
		values[i] = 4;
	ippAddIntegers(t, IPP_TAG_JOB, IPP_TAG_ENUM, "finishings", 200, values);
}

static void pages_ok(ipp_t *t)
{
	ipp_attribute_t *attr = ippAddRange(t, IPP_TAG_JOB, "page-ranges", 1, 2);

	ippSetRange(t, &attr, 1, 5, 9);
}

static void pages_back(ipp_t *t)
{
	ipp_attribute_t *attr = ippAddRange(t, IPP_TAG_JOB, "page-ranges", 5, 9);

	ippSetRange(t, &attr, 1, 1, 2);
}

static void pages_none(ipp_t *t)
{
	ippAddRange(t, IPP_TAG_JOB, "page-ranges", 0, 0);
}

static void pages_upside_down(ipp_t *t)
{
	ippAddRange(t, IPP_TAG_JOB, "page-ranges", 9, 3);
}

static void resolution_none(ipp_t *t)
{
	ippAddResolution(t, IPP_TAG_JOB, "printer-resolution", IPP_RES_PER_INCH, 0, 0);
}

static void resolution_600(ipp_t *t)
{
	ippAddResolution(t, IPP_TAG_JOB, "printer-resolution", IPP_RES_PER_INCH, 600, 600);
}

static void resolution_1200(ipp_t *t)
{
	ippAddResolution(t, IPP_TAG_JOB, "printer-resolution", IPP_RES_PER_INCH, 1200, 1200);
}

static void priority(ipp_t *t)
{
	ippAddInteger(t, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-priority", 70);
}

static void priority_wrong(ipp_t *t)
{
	ippAddInteger(t, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-priority", 700);
}

static void two_up(ipp_t *t)
{
	ippAddInteger(t, IPP_TAG_JOB, IPP_TAG_INTEGER, "number-up", 2);
}

static void banner(ipp_t *t)
{
	ippAddString(t, IPP_TAG_JOB, IPP_TAG_NAME, "job-sheets", NULL, "standard");
}

static void media_a4(ipp_t *t)
{
	ippAddString(t, IPP_TAG_JOB, IPP_TAG_KEYWORD, "media", NULL, "iso_a4_210x297mm");
}

static void media_a0(ipp_t *t)
{
	ippAddString(t, IPP_TAG_JOB, IPP_TAG_KEYWORD, "media", NULL, "iso_a0_841x1189mm");
}

static void media_col_word(ipp_t *t)
{
	ippAddString(t, IPP_TAG_JOB, IPP_TAG_KEYWORD, "media-col", NULL, "a4");
}

static void template_known(ipp_t *t)
{
	ipp_t *col = ippNew();

	ippAddString(col, IPP_TAG_ZERO, IPP_TAG_KEYWORD, "finishing-template", NULL, "staple");
	ippAddCollection(t, IPP_TAG_JOB, "finishings-col", col);
	ippDelete(col);
}

static void template_unknown(ipp_t *t)
{
	ipp_t *col = ippNew();

	ippAddString(col, IPP_TAG_ZERO, IPP_TAG_KEYWORD, "laminating", NULL, "x");
	ippAddCollection(t, IPP_TAG_JOB, "finishings-col", col);
	ippDelete(col);
}

static void overrides_word(ipp_t *t)
{
	ippAddString(t, IPP_TAG_JOB, IPP_TAG_KEYWORD, "overrides", NULL, "pages");
}

static void not_for_the_queue(ipp_t *t)
{
	ippAddString(t, IPP_TAG_JOB, IPP_TAG_KEYWORD, "job-hold-until", NULL, "indefinite");
	ippAddString(t, IPP_TAG_JOB, IPP_TAG_URI, "job-uuid", NULL, "urn:uuid:1");
	ippAddInteger(t, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-k-octets", 5);
	ippAddInteger(t, IPP_TAG_JOB, IPP_TAG_INTEGER, "time-at-creation", 5);
	ippAddString(t, IPP_TAG_OPERATION, IPP_TAG_TEXT, "status-message", NULL, "ok");
	ippAddBoolean(t, IPP_TAG_JOB, "ipp-attribute-fidelity", 0);
}

static void vendor(ipp_t *t)
{
	ippAddString(t, IPP_TAG_JOB, IPP_TAG_KEYWORD, "acme-glitter", NULL, "gold");
}

static const struct example {
	const char *name; /* of the attribute */
	void (*add)(ipp_t *ticket);
	bool sent;
	const char *line; /* part of it; NULL: nothing lost */
} examples[] = {
	{ "copies", copies_3, true, NULL },
	{ "copies", copies_5000, true, "copies: 99 in place of 5000; the queue makes no more" },
	{ "copies", copies_minus, false, "copies: -1 left out; not a number of copies" },
	{ "copies", copies_huge, false, "copies: 2147483647 left out; not a number of copies" },
	{ "copies", copies_word, false, "copies: many left out; not a number" },
	{ "sides", sides_long, true, NULL },
	{ "sides", sides_short, true, "two-sided-long-edge in place of two-sided-short-edge" },
	{ "sides", sides_number, false, "sides: 2 left out; not a keyword" },
	{ "sides", sides_shell, false, "sides: $(reboot) -o x left out; the queue does not" },
	{ "sides", sides_two_values, false, "sides: left out; a wrong number" },
	{ "sides", sides_long_text, false, "sides: xxxxx" },
	{ "print-quality", quality_high, true, NULL },
	{ "print-quality", quality_draft, true, "print-quality: normal in place of draft" },
	{ "print-quality", quality_absurd, false, "print-quality: -7 left out" },
	{ "finishings", staple, true, NULL },
	{ "finishings", staple_and_punch, true, "finishings: punch left out" },
	{ "finishings", too_many_finishings, false, "finishings: left out; a wrong number" },
	{ "page-ranges", pages_ok, true, NULL },
	{ "page-ranges", pages_back, true, "page-ranges: 1-2,5-9 in place of 5-9,1-2; ranges" },
	{ "page-ranges", pages_upside_down, true, "page-ranges: 3-9 in place of 9-3; ranges" },
	{ "page-ranges", pages_none, false, "page-ranges: 0 left out; no ranges of pages" },
	{ "printer-resolution", resolution_600, true, NULL },
	{ "printer-resolution", resolution_1200, true, "600dpi in place of 1200dpi" },
	{ "printer-resolution", resolution_none, false, "0dpi left out" },
	{ "job-priority", priority, true, NULL },
	{ "job-priority", priority_wrong, false, "job-priority: 700 left out" },
	{ "number-up", two_up, true, NULL },
	{ "job-sheets", banner, true, NULL },
	{ "media", media_a4, true, NULL },
	{ "media", media_a0, false, "media: iso_a0_841x1189mm left out; the queue does not have" },
	{ "media-col", media_col_word, false, "media-col: left out; not one collection" },
	{ "finishings-col", template_known, true, NULL },
	{ "finishings-col", template_unknown, false, "laminating" },
	{ "overrides", overrides_word, false, "overrides: left out; no collection" },
	{ "job-hold-until", not_for_the_queue, false, NULL },
	{ "acme-glitter", vendor, false,
	  "acme-glitter: gold left out; the queue does not have it" },
};

struct translated {
	ipp_t *request, *ticket, *capabilities;
	char dropped[1024];
	struct err err;
};

static void open_case(struct translated *c)
{
	*c = (struct translated){ .request = ippNew(),
		                  .ticket = ippNew(),
		                  .capabilities = new_capabilities() };
}

static void keep_line(void *data, const struct ticket_note *note)
{
	struct translated *c = data;

	ticket_line_add(c->dropped, sizeof(c->dropped), note);
}

static int apply(struct translated *c)
{
	const struct ticket_source from = { .ticket = c->ticket, .capabilities = c->capabilities };

	return ticket_apply(c->request, &from, keep_line, c, &c->err);
}

static void close_case(struct translated *c)
{
	ippDelete(c->request);
	ippDelete(c->ticket);
	ippDelete(c->capabilities);
}

static void test_each_attribute_is_sent_or_its_loss_is_said(void **state)
{
	struct translated c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(examples); i++) {
		open_case(&c);
		examples[i].add(c.ticket);
		assert_int_equal(apply(&c), 0);
		print_message("%s: %s\n", examples[i].name, c.dropped);
		assert_int_equal(ippFindAttribute(c.request, examples[i].name, IPP_TAG_ZERO) !=
		                         NULL,
		                 examples[i].sent);
		if (examples[i].line == NULL)
			assert_string_equal(c.dropped, "");
		else
			assert_non_null(strstr(c.dropped, examples[i].line));
		assert_null(strchr(c.dropped, '\n'));
		close_case(&c);
	}
}

static void test_what_is_sent_stands_in_the_job_group(void **state)
{
	struct translated c;
	ipp_attribute_t *attr;

	(void)state;
	open_case(&c);
	ippAddString(c.ticket, IPP_TAG_DOCUMENT, IPP_TAG_KEYWORD, "sides", NULL, "one-sided");
	copies_5000(c.ticket);
	assert_int_equal(apply(&c), 0);
	for (attr = ippFirstAttribute(c.request); attr != NULL; attr = ippNextAttribute(c.request))
		assert_int_equal(ippGetGroupTag(attr), IPP_TAG_JOB);
	assert_int_equal(ipp_get_int(c.request, IPP_TAG_JOB, "copies", 0), 99);
	assert_string_equal(ipp_get_text(c.request, IPP_TAG_JOB, "sides", ""), "one-sided");
	close_case(&c);
}

static void keep_notes(void *data, const struct ticket_note *note)
{
	struct translated *c = data;

	assert_string_equal(note->name, "printer-resolution");
	(void)snprintf(c->dropped, sizeof(c->dropped), "%d %s>%s %s", (int)note->fate, note->asked,
	               note->sent, note->why);
}

/* CUPS hands no resolution on where there is one only: what asks for it gets it, a job that insists
 * on another is refused. */
static void test_a_queue_of_cups_prints_at_its_only_resolution_and_at_no_other(void **state)
{
	static const struct {
		void (*ask)(ipp_t *t);
		bool more; /* the queue has another */
		bool sent;
		int rc;
		const char *note;
	} rows[] = {
		{ resolution_600, false, false, 0, "0 600dpi> the queue prints at 600dpi only" },
		{ resolution_1200, false, false, -1, "2 1200dpi> the queue prints at 600dpi only" },
		{ resolution_600, true, true, 0, "0 600dpi>600dpi " },
		{ resolution_1200, true, true, -1, "1 1200dpi>600dpi the queue does not have it" },
	};
	struct translated c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ticket_source from = { .cups = true };
		ipp_attribute_t *list;

		open_case(&c);
		list = ippFindAttribute(c.capabilities, "printer-resolution-supported",
		                        IPP_TAG_RESOLUTION);
		if (rows[i].more)
			ippSetResolution(c.capabilities, &list, 1, IPP_RES_PER_INCH, 300, 300);
		rows[i].ask(c.ticket);
		ippAddBoolean(c.ticket, IPP_TAG_OPERATION, "ipp-attribute-fidelity", 1);
		from.ticket = c.ticket;
		from.capabilities = c.capabilities;
		assert_int_equal(ticket_apply(c.request, &from, keep_notes, &c, &c.err),
		                 rows[i].rc);
		assert_string_equal(c.dropped, rows[i].note);
		assert_int_equal(ippFindAttribute(c.request, "printer-resolution", IPP_TAG_ZERO) !=
		                         NULL,
		                 rows[i].sent);
		close_case(&c);
	}
}

/* ---- media-col ------------------------------------------------------------------------------ */

static ipp_t *new_media(int x, int y, const char *source, const char *type)
{
	ipp_t *col = ippNew(), *size = new_size(x, y);

	ippAddCollection(col, IPP_TAG_ZERO, "media-size", size);
	ippDelete(size);
	if (source != NULL)
		ippAddString(col, IPP_TAG_ZERO, IPP_TAG_KEYWORD, "media-source", NULL, source);
	if (type != NULL)
		ippAddString(col, IPP_TAG_ZERO, IPP_TAG_KEYWORD, "media-type", NULL, type);
	return col;
}

static ipp_t *apply_media(struct translated *c, ipp_t *media)
{
	ippAddCollection(c->ticket, IPP_TAG_JOB, "media-col", media);
	ippDelete(media);
	assert_int_equal(apply(c), 0);
	return ippGetCollection(ippFindAttribute(c->request, "media-col", IPP_TAG_ZERO), 0);
}

static void test_a_missing_tray_does_not_cost_the_size(void **state)
{
	struct translated c;
	ipp_t *sent;

	(void)state;
	open_case(&c);
	sent = apply_media(&c, new_media(21000, 29700, "tray-9", "stationery"));
	assert_non_null(ippFindAttribute(sent, "media-size", IPP_TAG_ZERO));
	assert_non_null(ippFindAttribute(sent, "media-type", IPP_TAG_ZERO));
	assert_string_equal(ipp_get_text(sent, IPP_TAG_ZERO, "media-source", ""), "auto");
	assert_string_equal(c.dropped,
	                    "media-source: auto in place of tray-9; the queue does not have it");
	close_case(&c);
}

static void test_sizes_fit_by_half_a_millimetre_or_in_a_range(void **state)
{
	static const struct {
		int x, y;
		bool fits;
	} sizes[] = {
		{ 20990, 29704, true }, { 21000, 29700, true }, { 7000, 12000, true },
		{ 12000, 7000, false }, { -1, -1, false },      { 84100, 118900, false },
	};
	struct translated c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		open_case(&c);
		(void)apply_media(&c, new_media(sizes[i].x, sizes[i].y, NULL, NULL));
		assert_int_equal(ippFindAttribute(c.request, "media-col", IPP_TAG_ZERO) != NULL,
		                 sizes[i].fits);
		assert_int_equal(c.dropped[0] == '\0', sizes[i].fits);
		close_case(&c);
	}
}

static void test_media_is_named_once(void **state)
{
	struct translated c;

	(void)state;
	open_case(&c);
	(void)apply_media(&c, new_media(21000, 29700, NULL, NULL));
	close_case(&c);
	open_case(&c);
	media_a4(c.ticket);
	(void)apply_media(&c, new_media(21000, 29700, NULL, NULL));
	assert_null(ippFindAttribute(c.request, "media", IPP_TAG_ZERO));
	assert_non_null(ippFindAttribute(c.request, "media-col", IPP_TAG_ZERO));
	assert_string_equal(c.dropped, "");
	close_case(&c);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void test_a_queue_that_is_not_known_gets_nothing(void **state)
{
	struct translated c;

	(void)state;
	open_case(&c);
	copies_3(c.ticket);
	ippDelete(TAKE(c.capabilities));
	assert_int_equal(apply(&c), 0);
	assert_null(ippFirstAttribute(c.request));
	assert_non_null(strstr(c.dropped, "copies: "));
	close_case(&c);
}

static void test_what_the_queue_does_not_take_with_a_job_is_dropped(void **state)
{
	struct translated c;

	(void)state;
	open_case(&c);
	add_words(c.capabilities, "job-creation-attributes-supported", "copies,media");
	copies_3(c.ticket);
	sides_long(c.ticket);
	assert_int_equal(apply(&c), 0);
	assert_non_null(ippFindAttribute(c.request, "copies", IPP_TAG_ZERO));
	assert_null(ippFindAttribute(c.request, "sides", IPP_TAG_ZERO));
	close_case(&c);
}

static void test_a_ticket_that_insists_is_refused(void **state)
{
	struct translated c;

	(void)state;
	open_case(&c);
	ippAddBoolean(c.ticket, IPP_TAG_OPERATION, "ipp-attribute-fidelity", 1);
	copies_3(c.ticket);
	assert_int_equal(apply(&c), 0);
	close_case(&c);

	open_case(&c);
	ippAddBoolean(c.ticket, IPP_TAG_OPERATION, "ipp-attribute-fidelity", 1);
	sides_short(c.ticket);
	assert_int_equal(apply(&c), -1);
	print_message("%s\n", c.err.text);
	assert_int_equal(c.err.kind, ERR_REJECTED);
	assert_non_null(strstr(c.err.text, "sides"));
	close_case(&c);

	open_case(&c);
	add_words(c.ticket, "job-mandatory-attributes", "sides");
	quality_draft(c.ticket);
	assert_int_equal(apply(&c), 0);
	close_case(&c);

	open_case(&c);
	add_words(c.ticket, "job-mandatory-attributes", "sides,copies");
	quality_draft(c.ticket);
	sides_short(c.ticket);
	assert_int_equal(apply(&c), -1);
	assert_non_null(strstr(c.err.text, "sides"));
	close_case(&c);
}

static void test_a_flood_of_losses_is_cut(void **state)
{
	struct translated c;
	char name[32];
	int i;

	(void)state;
	open_case(&c);
	for (i = 0; i < 500; i++) {
		(void)snprintf(name, sizeof(name), "vendor-%d", i);
		ippAddInteger(c.ticket, IPP_TAG_JOB, IPP_TAG_INTEGER, name, i);
	}
	assert_int_equal(apply(&c), 0);
	assert_true(strlen(c.dropped) < sizeof(c.dropped));
	assert_non_null(strstr(c.dropped, "vendor-0: 0 left out"));
	close_case(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_attribute_is_sent_or_its_loss_is_said),
		cmocka_unit_test(test_what_is_sent_stands_in_the_job_group),
		cmocka_unit_test(
			test_a_queue_of_cups_prints_at_its_only_resolution_and_at_no_other),
		cmocka_unit_test(test_a_missing_tray_does_not_cost_the_size),
		cmocka_unit_test(test_sizes_fit_by_half_a_millimetre_or_in_a_range),
		cmocka_unit_test(test_media_is_named_once),
		cmocka_unit_test(test_a_queue_that_is_not_known_gets_nothing),
		cmocka_unit_test(test_what_the_queue_does_not_take_with_a_job_is_dropped),
		cmocka_unit_test(test_a_ticket_that_insists_is_refused),
		cmocka_unit_test(test_a_flood_of_losses_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
