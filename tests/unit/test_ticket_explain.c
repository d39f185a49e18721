/* Defaults of mapping files that a queue does not have: which, where, and what it has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/mapping.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/printer/queue_impl.h"
#include "connector/printer/ticket_note.h"
#include "tests/lib/tmpdir.h"

static const struct {
	const char *line;
	bool ipp;         /* an IPP printer; else a queue of CUPS */
	const char *told; /* "" nothing; else "FATE NAME ASKED>SENT WHY" */
} rows[] = {
	{ "default sides = one-sided", false, "" },
	{ "default sides = two-sided-long-edge", false,
	  "dropped sides two-sided-long-edge> it has one-sided" },
	{ "default number-up = 3", false, "changed number-up 3>4 it has 1, 2, 4" },
	{ "default media-type = labels", false,
	  "dropped media-type labels> it has no choice of that" },
	{ "default media = iso_a3_297x420mm", false,
	  "dropped media iso_a3_297x420mm> it has custom_100x100mm_100x100mm, "
	  "custom_101x100mm_101x100mm, ..." },
	{ "default printer-resolution = 600dpi", false, "" },
	{ "default printer-resolution = 1200dpi", false,
	  "dropped printer-resolution 1200dpi> the queue prints at 600dpi only" },
	{ "default copies = 500", false, "changed copies 500>99 the queue makes no more" },
	{ "default KCStaple = Front", false, "" },
	{ "default KCStaple = Front", true,
	  "dropped KCStaple Front> only queues of CUPS have options of drivers" },
	{ "default finishings = staple", false,
	  "dropped finishings staple> it has no choice of that" },
	{ "default finishings = staple\nfinishings staple = KCStaple=Front", false, "" },
	{ "sides two-sided-long-edge = Duplex=On", false, "" },
};

static ipp_t *new_capabilities(void)
{
	static const int up[] = { 1, 2, 4 };
	ipp_t *m = ippNew();
	ipp_attribute_t *media;
	char size[64];

	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "sides-supported", NULL, "one-sided");
	ippAddIntegers(m, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "number-up-supported", 3, up);
	ippAddRange(m, IPP_TAG_PRINTER, "copies-supported", 1, 99);
	ippAddResolution(m, IPP_TAG_PRINTER, "printer-resolution-supported", IPP_RES_PER_INCH, 600,
	                 600);
	media = ippAddStrings(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "media-supported", 30, NULL,
	                      NULL);
	for (int i = 0; i < 30; i++) {
		(void)snprintf(size, sizeof(size), "custom_%dx100mm_%dx100mm", 100 + i, 100 + i);
		ippSetString(m, &media, i, size);
	}
	return m;
}

static const struct mappings *mappings_of(void *data)
{
	return data;
}

static void keep(void *data, const struct ticket_note *note)
{
	char *told = data;

	assert_string_equal(told, "");
	assert_true(note->site);
	assert_string_equal(note->place, "a.conf:2");
	(void)snprintf(told, 256, "%s %s %s>%s %s",
	               note->fate == TICKET_CHANGED ? "changed" : "dropped", note->name,
	               note->asked, note->sent, note->why);
}

static void test_each_default_that_a_queue_lacks_is_told_with_what_it_has(void **state)
{
	struct attrs *capabilities = attrs_new(new_capabilities());

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *dir = tmpdir_new(), *text = xasprintf("[queue *]\n%s\n", rows[i].line), *path;
		struct mappings all = { 0 };
		struct queue q = { .cups = !rows[i].ipp,
			           .name = (char *)(rows[i].ipp ? "ipp://p/ipp" : "laser"),
			           .capabilities = capabilities,
			           .listener = { .mappings = mappings_of, .data = &all } };
		char told[256] = "";
		struct buf problems;
		struct err err;

		path = tmpdir_put_text(dir, "a.conf", text);
		buf_init(&problems, 1000);
		assert_int_equal(mapping_load(&all, dir, &problems, &err), 0);
		queue_defaults(&q, keep, told);
		assert_string_equal(told, rows[i].told);
		q.capabilities = NULL; /* not read yet */
		queue_defaults(&q, keep, told + strlen(told));
		mapping_clear(&all);
		buf_clear(&problems);
		free(path);
		free(text);
		tmpdir_free(dir);
	}
	attrs_unref(capabilities);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_default_that_a_queue_lacks_is_told_with_what_it_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
