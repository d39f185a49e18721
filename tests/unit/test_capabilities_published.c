/* Tables of a queue's attributes and what each cloud is told of it: tests/data/published/ *.txt.
 * A file is made of sections that begin with "== ":
 *
 *   == cups | == ipp      what a queue of CUPS, or an IPP printer, answers
 *   == member             what a member of it answers, when it is a class; any number
 *   == names FORMAT...    what the administrator names in allow-formats
 *   == ipp-infra, == universal-print      what these clouds are told, whole
 *
 * With PUBLISHED_WRITE=1 in the environment the last two are written anew: read the difference. */
#include "connector/printer/capabilities.h"

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
#include "common/fs.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/cloud/dialect.h"
#include "connector/cloud/request.h"
#include "connector/cloud/up_attributes.h"
#include "connector/printer/capability_class.h"
#include "connector/printer/printer_state.h"
#include "connector/printer/queue.h"
#include "tests/lib/attr_text.h"

#define FOLDER      "tests/data/published"
#define MEMBERS_MAX 8

struct table {
	char path[512];
	bool cups, wrong;
	ipp_t *queue, *members[MEMBERS_MAX];
	size_t count;
	char names[256];
	char *comment, *inputs, *infra, *universal; /* text of the sections, borrowed from all */
	struct buf all;
};

/* ---- a file ---- */

static bool takes(void *data, const char *format)
{
	const struct table *t = data;

	return strstr(t->names, format);
}

static void read_section(struct table *t, char *head, char *body)
{
	ipp_t **into = NULL;
	const char *bad;

	if (strcmp(head, "cups") == 0 || strcmp(head, "ipp") == 0) {
		t->cups = strcmp(head, "cups") == 0;
		into = &t->queue;
	} else if (strcmp(head, "member") == 0) {
		assert_true(t->count < MEMBERS_MAX);
		into = &t->members[t->count++];
	} else if (strncmp(head, "names ", 6) == 0) {
		(void)snprintf(t->names, sizeof(t->names), "%s", head + 6);
	} else if (strcmp(head, "ipp-infra") == 0) {
		t->infra = body;
	} else if (strcmp(head, "universal-print") == 0) {
		t->universal = body;
	} else {
		fail_msg("%s: no section is called %s", t->path, head);
	}
	if (!into)
		return;
	*into = ippNew();
	bad = attr_text_read(*into, body);
	if (bad)
		fail_msg("%s: not an attribute: %.60s", t->path, bad);
}

static void load(struct table *t, const char *name)
{
	char *text, *next;
	struct err err;

	*t = (struct table){ .infra = "", .universal = "" };
	(void)snprintf(t->path, sizeof(t->path), "%s/%s", FOLDER, name);
	buf_init(&t->all, 8 << 20);
	assert_int_equal(fs_read(AT_FDCWD, t->path, 4 << 20, &t->all, &err), 0);
	assert_int_equal(buf_append(&t->all, "", 1), 0);
	text = strstr((char *)t->all.data, "== ");
	for (; text; text = next) {
		char *body = strchr(text, '\n');

		assert_non_null(body);
		*body++ = '\0';
		next = strstr(body, "\n== ");
		if (next)
			*next++ = '\0'; /* the section's last line keeps its end */
		read_section(t, text + 3, body);
	}
	assert_non_null(t->queue);
}

static void unload(struct table *t)
{
	ippDelete(t->queue);
	for (size_t i = 0; i < t->count; i++)
		ippDelete(t->members[i]);
	buf_clear(&t->all);
}

/* ---- what is told ---- */

/* The printer group of a request. */
static char *text_of(ipp_t *request)
{
	ipp_t *set = ippNew();
	char *text = NULL;
	size_t size;
	FILE *out;

	for (ipp_attribute_t *a = ippFirstAttribute(request); a; a = ippNextAttribute(request))
		if (ippGetGroupTag(a) == IPP_TAG_PRINTER)
			(void)ippCopyAttribute(set, a, 0);
	out = open_memstream(&text, &size);
	assert_non_null(out);
	attr_text_write(out, set);
	(void)fclose(out);
	ippDelete(set);
	ippDelete(request);
	return text;
}

static void tell(struct table *t, char **infra, char **universal)
{
	const struct up_host host = { "1.0", "Linux", "host" };
	char uri[] = "ipp://localhost/ipp/print";
	const struct target target = { .printer_uri = uri };
	const struct queue_listener listener = { .names = takes, .data = t };
	struct queue_status status = { .whole = !t->cups };
	struct attrs *capabilities, *state;
	bool connecting;

	capabilities = t->count ? capability_class_new(t->queue, t->members, t->count, &listener)
	                        : capabilities_new(t->queue, t->cups, &listener);
	printer_state_read(t->queue, "queue", t->cups, &status, &connecting);
	state = printer_state_attrs(t->queue, &status, attrs_ipp(capabilities), NULL);
	*infra =
		text_of(request_attributes(&target, &dialect_ipp_infra, capabilities, state, NULL));
	*universal =
		text_of(request_universal_attributes(&target, &host, capabilities, state, NULL));
	attrs_unref(capabilities);
	attrs_unref(state);
}

/* ---- compared ---- */

static void skip_line(const char **at)
{
	*at += strcspn(*at, "\n");
	*at += **at == '\n';
}

/* The first line that is another. */
static void compare(struct table *t, const char *cloud, const char *expected, const char *got)
{
	const char *e = expected, *g = got;

	while (*e || *g) {
		size_t le = strcspn(e, "\n"), lg = strcspn(g, "\n");

		if (le != lg || memcmp(e, g, le) != 0) {
			t->wrong = true;
			print_error("%s, %s:\n  expected %.*s\n  told     %.*s\n", t->path, cloud,
			            (int)le, e, (int)lg, g);
			return;
		}
		skip_line(&e);
		skip_line(&g);
	}
}

/* Everything before the first section that is an output stays as it is. */
static void write_anew(const char *path, const char *infra, const char *universal)
{
	struct buf old;
	struct err err;
	size_t keep;
	char *end;
	FILE *out;

	buf_init(&old, 8 << 20);
	assert_int_equal(fs_read(AT_FDCWD, path, 4 << 20, &old, &err), 0);
	end = memmem(old.data, old.len, "\n== ipp-infra\n", 14);
	keep = end ? (size_t)(end - (char *)old.data) + 1 : old.len;
	out = fopen(path, "we");
	assert_non_null(out);
	(void)fwrite(old.data, 1, keep, out);
	(void)fprintf(out, "== ipp-infra\n%s\n== universal-print\n%s", infra, universal);
	(void)fclose(out);
	buf_clear(&old);
}

static bool check_file(const char *name)
{
	struct table t;
	char *infra, *universal;
	bool wrong;

	load(&t, name);
	tell(&t, &infra, &universal);
	if (getenv("PUBLISHED_WRITE")) {
		write_anew(t.path, infra, universal);
	} else {
		compare(&t, "ipp-infra", t.infra, infra);
		compare(&t, "universal-print", t.universal, universal);
	}
	wrong = t.wrong;
	unload(&t);
	free(infra);
	free(universal);
	return !wrong;
}

static int is_table(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && strcmp(entry->d_name + len - 4, ".txt") == 0;
}

static void test_each_cloud_is_told_what_the_tables_say(void **state)
{
	struct dirent **files;
	int n = scandir(FOLDER, &files, is_table, alphasort);
	int wrong = 0;

	(void)state;
	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		wrong += !check_file(files[i]->d_name);
		free(files[i]);
	}
	free(files);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_cloud_is_told_what_the_tables_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
