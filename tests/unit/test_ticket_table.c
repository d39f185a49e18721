/* The tickets of tests/data/tickets: what a job asks for on one kind of queue, and what is sent. */
#include "connector/printer/ticket.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/ini_files.h"
#include "common/util.h"
#include "tests/lib/tmpdir.h"

#define DATA "tests/data/tickets"

struct table {
	char queue[128];
	ipp_t *capabilities;
	struct driver_grey_reader ppd;
	struct driver_grey grey;
	bool cups, has_case;
	char name[128]; /* of the case */
	struct buf map, ticket, sent, lines, refused;
	char got[1024]; /* lines */
	unsigned cases;
	char *dir;
};

/* ---- capabilities --------------------------------------------------------------------------- */

static void add_size(ipp_t *m, ipp_attribute_t **attr, const char *text)
{
	static const char *const names[] = { "x-dimension", "y-dimension" };
	ipp_t *size = ippNew();
	double low, high;
	char *end;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		low = high = strtod(text, &end);
		if (*end == '-')
			high = strtod(end + 1, &end);
		text = end + 1;
		if (low < high)
			ippAddRange(size, IPP_TAG_ZERO, names[i], (int)(low * 100 + 0.5),
			            (int)(high * 100 + 0.5));
		else
			ippAddInteger(size, IPP_TAG_ZERO, IPP_TAG_INTEGER, names[i],
			              (int)(low * 100 + 0.5));
	}
	if (*attr == NULL)
		*attr = ippAddCollection(m, IPP_TAG_PRINTER, "media-size-supported", size);
	else
		ippSetCollection(m, attr, ippGetCount(*attr), size);
	ippDelete(size);
}

static void add_capability(ipp_t *m, ipp_attribute_t **attr, const char *name, const char *word)
{
	char option[128];
	int x, y, n, value;

	(void)snprintf(option, sizeof(option), "%.*s", (int)(strlen(name) - 10), name);
	value = ippEnumValue(option, word);
	if (strcmp(option, "media-size") == 0) {
		add_size(m, attr, word);
	} else if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0) {
		*attr = ippAddBoolean(m, IPP_TAG_PRINTER, name, word[0] == 't');
	} else if (strcmp(option, "printer-resolution") == 0) {
		if (sscanf(word, "%dx%ddpi", &x, &y) < 2)
			y = x;
		if (*attr == NULL)
			*attr = ippAddResolution(m, IPP_TAG_PRINTER, name, IPP_RES_PER_INCH, x, y);
		else
			ippSetResolution(m, attr, ippGetCount(*attr), IPP_RES_PER_INCH, x, y);
	} else if (sscanf(word, "%d-%d%n", &x, &y, &n) == 2 && word[n] == '\0') {
		*attr = ippAddRange(m, IPP_TAG_PRINTER, name, x, y);
	} else if (value > 0 || (sscanf(word, "%d%n", &value, &n) == 1 && word[n] == '\0')) {
		if (*attr == NULL)
			*attr = ippAddInteger(m, IPP_TAG_PRINTER,
			                      value == ippEnumValue(option, word) ? IPP_TAG_ENUM
			                                                          : IPP_TAG_INTEGER,
			                      name, value);
		else
			ippSetInteger(m, attr, ippGetCount(*attr), value);
	} else if (*attr == NULL) {
		*attr = ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, name, NULL, word);
	} else {
		ippSetString(m, attr, ippGetCount(*attr), word);
	}
}

static void take_capability(struct table *t, const char *name, const char *value)
{
	char copy[1024], *rest = copy, *word;
	ipp_attribute_t *attr = NULL;

	if (strcmp(name, "kind") == 0) {
		t->cups = strcmp(value, "cups") == 0;
		return;
	}
	if (strcmp(name, "ppd") == 0) {
		driver_grey_feed(&t->ppd, value, strlen(value));
		driver_grey_feed(&t->ppd, "\n", 1);
		t->grey = driver_grey_end(&t->ppd);
		return;
	}
	(void)snprintf(copy, sizeof(copy), "%s", value);
	while ((word = strsep(&rest, ",")) != NULL)
		add_capability(t->capabilities, &attr, name, word + strspn(word, " "));
}

/* ---- a case --------------------------------------------------------------------------------- */

static void keep_line(void *data, const struct ticket_note *note)
{
	struct table *t = data;

	ticket_line_add(t->got, sizeof(t->got), note);
}

static void compare(const struct table *t, const char *what, const char *got,
                    const struct buf *want)
{
	if (strcmp(got, buf_text(want)) == 0)
		return;
	print_error("%s, %s: %s\n--- wanted\n%s\n--- got\n%s\n", t->queue, t->name, what,
	            buf_text(want), got);
	fail();
}

static void print_request(ipp_t *request, struct buf *out)
{
	ipp_attribute_t *attr;
	char text[512];

	for (attr = ippFirstAttribute(request); attr != NULL; attr = ippNextAttribute(request)) {
		assert_int_equal(ippGetGroupTag(attr), IPP_TAG_JOB);
		(void)ippAttributeString(attr, text, sizeof(text));
		assert_int_equal(buf_printf(out, "%s%s=%s", out->len > 0 ? "\n" : "",
		                            ippGetName(attr), text),
		                 0);
	}
}

static void load_map(struct table *t, struct mappings *all)
{
	AUTO(free_str) char *path = NULL;
	struct buf problems;
	struct err err = { 0 };
	int rc;

	buf_init(&problems, 4096);
	path = tmpdir_put(t->dir, "pcl.conf", buf_text(&t->map), t->map.len);
	rc = mapping_load(all, t->dir, &problems, &err);
	if (rc != 0)
		print_error("%s: %s\n", t->name, buf_text(&problems));
	assert_int_equal(rc, 0);
	buf_clear(&problems);
}

static void end_case(struct table *t)
{
	struct mappings all = { 0 };
	struct mapping rules;
	struct ticket_source from;
	ipp_t *request, *ticket = NULL;
	struct err err = { 0 };
	struct buf sent;

	if (!t->has_case)
		return;
	request = ippNew();
	t->cases++;
	load_map(t, &all);
	mapping_of(&all, t->queue, &rules);
	if (ticket_parse(buf_text(&t->ticket), &ticket, &err) != 0)
		print_error("%s: %s\n", t->name, err.text);
	assert_non_null(ticket);
	from = (struct ticket_source){
		.ticket = ticket,
		.capabilities = t->capabilities,
		.rules = &rules,
		.grey = &t->grey,
		.cups = t->cups,
	};
	t->got[0] = '\0';
	if (ticket_apply(request, &from, keep_line, t, &err) == 0) {
		buf_init(&sent, 65536);
		print_request(request, &sent);
		compare(t, "sent", buf_text(&sent), &t->sent);
		compare(t, "said", t->got, &t->lines);
		compare(t, "refused", "", &t->refused);
		buf_clear(&sent);
	} else {
		assert_int_equal(err.kind, ERR_REJECTED);
		compare(t, "refused", err.text, &t->refused);
	}
	ippDelete(request);
	ippDelete(ticket);
	mapping_clear(&all);
	t->has_case = false;
}

static void begin_case(struct table *t, const char *name)
{
	struct buf *const bufs[] = { &t->map, &t->ticket, &t->sent, &t->lines, &t->refused };

	for (size_t i = 0; i < ARRAY_SIZE(bufs); i++) {
		buf_clear(bufs[i]);
		buf_init(bufs[i], 65536);
	}
	(void)snprintf(t->name, sizeof(t->name), "%s", name);
	assert_int_equal(buf_printf(&t->map, "[queue %s]\n", t->queue), 0);
	t->has_case = true;
}

static void add_line(struct buf *to, const char *line, const char *end)
{
	assert_int_equal(
		buf_printf(to, "%s%s%s", *end == '\0' && to->len > 0 ? "\n" : "", line, end), 0);
}

static int on_entry(void *data, const struct ini_entry *entry, struct err *err)
{
	struct table *t = data;

	if (entry->key == NULL) {
		end_case(t);
		if (strcmp(entry->section, "queue") == 0)
			(void)snprintf(t->queue, sizeof(t->queue), "%s", entry->name);
		else
			begin_case(t, entry->name);
		return 0;
	}
	if (!t->has_case)
		take_capability(t, entry->key, entry->value);
	else if (strcmp(entry->key, "map") == 0)
		add_line(&t->map, entry->value, "\n");
	else if (strcmp(entry->key, "ticket") == 0)
		add_line(&t->ticket, entry->value, "\n");
	else if (strcmp(entry->key, "sent") == 0)
		add_line(&t->sent, entry->value, "");
	else if (strcmp(entry->key, "line") == 0)
		add_line(&t->lines, entry->value, "");
	else if (strcmp(entry->key, "refused") == 0)
		add_line(&t->refused, entry->value, "");
	else
		return err_set(err, ERR_REJECTED, 0, "unknown key %s", entry->key);
	return 0;
}

static void run_table(const char *file, unsigned least)
{
	struct table t = { .capabilities = ippNew() };
	AUTO(free_str) char *path = xasprintf("%s/%s", DATA, file);
	struct err err = { 0 };
	int rc;

	t.dir = tmpdir_new();
	rc = ini_file_parse(path, on_entry, &t, NULL, &err);
	if (rc != 0)
		print_error("%s\n", err.text);
	assert_int_equal(rc, 0);
	end_case(&t);
	print_message("%s: %u tickets\n", file, t.cases);
	assert_true(t.cases >= least);
	tmpdir_free(t.dir);
	ippDelete(t.capabilities);
	buf_clear(&t.map);
	buf_clear(&t.ticket);
	buf_clear(&t.sent);
	buf_clear(&t.lines);
	buf_clear(&t.refused);
}

static void test_tickets_for_a_driver_that_can_do_little(void **state)
{
	(void)state;
	run_table("pcl.ini", 40);
}

static void test_tickets_for_a_driver_that_can_do_much(void **state)
{
	(void)state;
	run_table("postscript.ini", 7);
}

static void test_tickets_for_a_driver_of_foomatic(void **state)
{
	(void)state;
	run_table("foomatic.ini", 2);
}

static void test_tickets_for_drivers_that_call_grey_by_a_name_of_their_own(void **state)
{
	(void)state;
	run_table("foomatic-colour.ini", 4);
	run_table("escpr.ini", 1);
}

static void test_tickets_for_printers_without_a_driver(void **state)
{
	(void)state;
	run_table("ipp.ini", 12);
	run_table("raw.ini", 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tickets_for_a_driver_that_can_do_little),
		cmocka_unit_test(test_tickets_for_a_driver_that_can_do_much),
		cmocka_unit_test(test_tickets_for_a_driver_of_foomatic),
		cmocka_unit_test(test_tickets_for_drivers_that_call_grey_by_a_name_of_their_own),
		cmocka_unit_test(test_tickets_for_printers_without_a_driver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
