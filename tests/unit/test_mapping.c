/* Mapping files: what they mean, and what is said about mistakes. */
#include "common/mapping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/config.h"
#include "common/err.h"
#include "common/util.h"
#include "connector/printer/ticket_private.h"
#include "tests/lib/tmpdir.h"

static int load(struct mappings *all, const char *text, struct buf *problems, struct err *err)
{
	AUTO(free_str) char *dir = tmpdir_new();
	int rc;

	free(tmpdir_put_text(dir, "a.conf", text));
	*err = (struct err){ 0 };
	rc = mapping_load(all, dir, problems, err);
	tmpdir_free(TAKE(dir));
	return rc;
}

static void test_each_mistake_is_told_with_file_line_and_what_is_near(void **state)
{
	static const struct {
		const char *text, *says;
	} mistakes[] = {
		{ "default sides = one-sided\n", "a.conf:1: \"default sides\" stands before" },
		{ "[printer x]\n",
		  "a.conf:1: unknown section [printer]; here are only sections [queue" },
		{ "[queue]\n", "a.conf:1: [queue] needs a queue" },
		{ "[queue x]\n\ndefault sids = one-sided\n",
		  "a.conf:3: unknown option sids; did you mean sides?" },
		{ "[queue x]\ndefault sides = one-side\n",
		  "a.conf:2: sides has no value one-side; did you mean one-sided?" },
		{ "[queue x]\ndefault print-quality = best\n",
		  "a.conf:2: print-quality has no value best; known are draft normal high" },
		{ "[queue x]\ndefault sides =\n", "a.conf:2: sides needs a value" },
		{ "[queue x]\nsides = one-sided\n", "a.conf:2: say which value of sides is meant" },
		{ "[queue x]\nInputSlot = Upper\n", "write default InputSlot = CHOICE" },
		{ "[queue x]\nInputSlot Upper = A=B\n", "write default InputSlot = CHOICE" },
		{ "[queue x]\nsides two-sided-long-edge = Duplex\n",
		  "a.conf:2: \"Duplex\" is not OPTION=CHOICE" },
		{ "[queue x]\nsides two-sided-long-edge = Duplex='x y'\n",
		  "Duplex: 'x is no value" },
		{ "[queue x]\nsides two-sided-long-edge = Duplex=$(reboot)\n", "is no value" },
		{ "[queue x]\nsides two-sided-long-edge = job-hold-until=indefinite\n",
		  "unknown option job-hold-until" },
		{ "[queue x]\ndefault document-format = application/octet-stream\n",
		  "unknown option document-format" },
		{ "[queue x]\ndefault raw = true\n", "unknown option raw" },
		{ "[queue x]\ndefault page-ranges = 1-2\n", "page-ranges cannot have a default" },
		{ "[queue x]\nnumber-up 2 = A=1 B=2 C=3 D=4 E=5 F=6 G=7 H=8 I=9\n",
		  "more than 8 words" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		struct mappings all = { 0 };
		struct buf problems;
		struct err err;

		buf_init(&problems, 4096);
		assert_int_equal(load(&all, mistakes[i].text, &problems, &err), -1);
		print_message("%s", strrchr(buf_text(&problems), '/') + 1);
		assert_non_null(strstr(buf_text(&problems), mistakes[i].says));
		assert_int_equal(err.kind, ERR_REJECTED);
		buf_clear(&problems);
		mapping_clear(&all);
	}
}

static void test_later_lines_and_names_of_queues(void **state)
{
	struct mappings all = { 0 };
	struct mapping rules;
	struct err err;

	(void)state;
	assert_int_equal(load(&all,
	                      "[queue *]\n"
	                      "default sides = two-sided-long-edge\n"
	                      "[queue Office-*]\n"
	                      "default sides = one-sided\n"
	                      "finishings staple = KCStaple=Front\n"
	                      "[queue ipp://*/ipp/print]\n"
	                      "default copies = 2\n",
	                      NULL, &err),
	                 0);
	mapping_of(&all, "lab", &rules);
	assert_int_equal(rules.n, 1);
	assert_string_equal(mapping_default(&rules, "sides")->to, "two-sided-long-edge");
	assert_null(mapping_default(&rules, "copies"));
	mapping_of(&all, "OFFICE-2", &rules); /* one and the same queue to CUPS */
	assert_string_equal(mapping_default(&rules, "sides")->to, "one-sided");
	assert_string_equal(mapping_value(&rules, "finishings", "staple")->to, "KCStaple=Front");
	assert_non_null(strstr(mapping_value(&rules, "finishings", "staple")->where, "a.conf:5"));
	assert_null(mapping_value(&rules, "finishings", "punch"));
	assert_null(mapping_default(&rules, "finishings"));
	mapping_of(&all, "ipp://h/ipp/print", &rules);
	assert_int_equal(rules.n, 2);
	mapping_clear(&all);
}

static void test_the_words_of_a_right_side(void **state)
{
	const char *rest = "A=1  B=x/y";
	char name[8], value[8];

	(void)state;
	assert_true(mapping_next(&rest, name, sizeof(name), value, sizeof(value)));
	assert_string_equal(name, "A");
	assert_string_equal(value, "1");
	assert_true(mapping_next(&rest, name, sizeof(name), value, sizeof(value)));
	assert_string_equal(name, "B");
	assert_string_equal(value, "x/y");
	assert_false(mapping_next(&rest, name, sizeof(name), value, sizeof(value)));
	rest = "A=1234567890";
	assert_false(mapping_next(&rest, name, sizeof(name), value, sizeof(value)));
}

static void test_more_lines_for_a_queue_than_are_kept_leave_the_last(void **state)
{
	struct mappings all = { 0 };
	struct mapping rules;
	struct buf text;
	struct err err;

	(void)state;
	buf_init(&text, 1 << 20);
	(void)buf_printf(&text, "[queue *]\n");
	for (int i = 0; i < MAPPING_PER_QUEUE_MAX + 10; i++)
		(void)buf_printf(&text, "default copies = %d\n", i);
	assert_int_equal(load(&all, buf_text(&text), NULL, &err), 0);
	mapping_of(&all, "q", &rules);
	assert_int_equal(rules.n, MAPPING_PER_QUEUE_MAX);
	assert_string_equal(mapping_default(&rules, "copies")->to, "265");
	mapping_clear(&all);
	for (int i = 0; i < MAPPING_RULES_MAX; i++)
		(void)buf_printf(&text, "default copies = 1\n");
	assert_int_equal(load(&all, buf_text(&text), NULL, &err), -1);
	assert_non_null(strstr(err.text, "more than 10000 lines"));
	mapping_clear(&all);
	buf_clear(&text);
}

static void test_settings_read_the_files_beside_them(void **state)
{
	AUTO(free_str) char *dir = tmpdir_new();
	AUTO(free_str) char *path = NULL;
	AUTO(free_str) char *maps = NULL;
	struct config *config = NULL;
	struct err err;

	(void)state;
	path = tmpdir_put_text(dir, "print-connector.conf", "[log]\nlevel = info\n");
	maps = xasprintf("%s/mapping.d", dir);
	assert_int_equal(mkdir(maps, 0755), 0);
	free(tmpdir_put_text(dir, "mapping.d/a.conf", "[queue q]\ndefault copies = 2\n"));
	assert_int_equal(config_load(path, &config, &err), 0);
	assert_int_equal(config->mappings.n, 1);
	config_free(config);
	free(tmpdir_put_text(dir, "mapping.d/b.conf", "[queue q]\ndefault copis = 2\n"));
	assert_int_equal(config_load(path, &config, &err), -1);
	assert_non_null(strstr(err.text, "b.conf:2: unknown option copis; did you mean copies?"));
	tmpdir_free(TAKE(dir));
}

static void test_every_attribute_that_can_be_mapped_has_its_rule(void **state)
{
	(void)state;
	for (size_t i = 0; mapping_attribute(i) != NULL; i++)
		assert_non_null(ticket_rule(mapping_attribute(i)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_mistake_is_told_with_file_line_and_what_is_near),
		cmocka_unit_test(test_later_lines_and_names_of_queues),
		cmocka_unit_test(test_the_words_of_a_right_side),
		cmocka_unit_test(test_more_lines_for_a_queue_than_are_kept_leave_the_last),
		cmocka_unit_test(test_settings_read_the_files_beside_them),
		cmocka_unit_test(test_every_attribute_that_can_be_mapped_has_its_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
