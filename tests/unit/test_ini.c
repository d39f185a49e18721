#include "common/ini.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/err.h"

/* What the handler saw, as text: "[section|name]" and "key=value" with their lines. */
struct fixture {
	struct buf seen;
	struct buf problems;
	struct err err;
};

static struct fixture fix;

static int set_up(void **state)
{
	*state = &fix;
	buf_init(&fix.seen, 1 << 20);
	buf_init(&fix.problems, 1 << 16);
	err_clear(&fix.err);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buf_clear(&fix.seen);
	buf_clear(&fix.problems);
	return 0;
}

static int on_entry(void *data, const struct ini_entry *entry, struct err *err)
{
	struct fixture *f = data;

	assert_string_equal(entry->file, "f.conf");
	if (strcmp(entry->section, "bad") == 0)
		return err_set(err, ERR_REJECTED, 0, "bad section");
	if (entry->key && strcmp(entry->key, "bad") == 0)
		return err_set(err, ERR_REJECTED, 0, "bad key");
	if (entry->key)
		return buf_printf(&f->seen, "%u:%s=%s;", entry->line, entry->key, entry->value);
	return buf_printf(&f->seen, "%u:[%s|%s];", entry->line, entry->section, entry->name);
}

static int parse(struct fixture *f, const char *text, size_t len)
{
	return ini_parse("f.conf", text, len, on_entry, f, &f->problems, &f->err);
}

static void assert_seen(struct fixture *f, const char *text, const char *seen)
{
	buf_clear(&f->seen);
	assert_int_equal(parse(f, text, strlen(text)), 0);
	assert_string_equal(buf_text(&f->seen), seen);
	assert_int_equal(f->problems.len, 0);
}

static void assert_wrong(struct fixture *f, const char *text, const char *problem)
{
	assert_int_equal(parse(f, text, strlen(text)), -1);
	assert_string_equal(f->err.text, problem);
	assert_int_equal(f->err.kind, ERR_REJECTED);
}

static void test_sections_and_keys_come_with_their_lines(void **state)
{
	assert_seen(*state, "[a]\nk = v\n\n[cloud  x y ]\nk2=v 2 \n",
	            "1:[a|];2:k=v;4:[cloud|x y];5:k2=v 2;");
}

static void test_comments_and_blank_lines_mean_nothing(void **state)
{
	assert_seen(*state, "# c\n; c\n  # c\n\t\n\n", "");
	assert_seen(*state, "", "");
	assert_int_equal(parse(*state, NULL, 0), 0);
	assert_seen(*state, "[a]\nk = v # not a comment\n", "1:[a|];2:k=v # not a comment;");
}

static void test_every_way_to_end_a_line_is_read(void **state)
{
	assert_seen(*state, "[a]\r\nk=v\r\n", "1:[a|];2:k=v;");
	assert_seen(*state, "\xef\xbb\xbf[a]\nk=v", "1:[a|];2:k=v;");
}

static void test_a_value_may_be_empty_or_have_an_equals_sign(void **state)
{
	assert_seen(*state, "[a]\nk=\nl==x=y\n", "1:[a|];2:k=;3:l==x=y;");
}

static void test_the_name_of_a_section_may_be_an_address_in_brackets(void **state)
{
	assert_seen(*state, "[queue ipp://[::1]:631/ipp/print]\n",
	            "1:[queue|ipp://[::1]:631/ipp/print];");
}

static void test_a_line_that_is_nothing_is_an_error(void **state)
{
	assert_wrong(*state, "[a]\nnonsense\n",
	             "f.conf:2: \"nonsense\" is neither [section] nor key = value");
	assert_wrong(*state, "\n[a\n", "f.conf:2: the section lacks its ]");
	assert_wrong(*state, "[ ]\n", "f.conf:1: the section has no name");
	assert_wrong(*state, "[]\n", "f.conf:1: the section has no name");
	assert_wrong(*state, "[", "f.conf:1: the section lacks its ]");
	assert_wrong(*state, "[a]\n = v\n", "f.conf:2: nothing stands before the =");
	assert_wrong(*state, "k = v\n", "f.conf:1: \"k\" stands before the first [section]");
}

static void test_what_is_no_text_is_an_error(void **state)
{
	struct fixture *f = *state;

	assert_wrong(f, "[a]\nk=\033[31m\n", "f.conf:2: the line has a control character");
	assert_wrong(f, "[a]\nk=\xff\n", "f.conf:2: the line is not UTF-8 text");
	assert_int_equal(parse(f, "[a]\nk=\0\n", 8), -1);
	assert_string_equal(f->err.text, "f.conf:2: the line has a control character");
}

static void test_a_line_has_a_limit(void **state)
{
	struct fixture *f = *state;
	char text[INI_LINE_MAX + 10];

	memset(text, 'x', sizeof(text));
	memcpy(text, "[a]\nk=", 6);
	assert_int_equal(parse(f, text, 4 + INI_LINE_MAX), 0);
	assert_int_equal(parse(f, text, 4 + INI_LINE_MAX + 1), -1);
	assert_string_equal(f->err.text, "f.conf:2: the line is longer than 4096 bytes");
	memset(text, '[', sizeof(text));
	text[INI_LINE_MAX - 1] = ']';
	assert_int_equal(parse(f, text, INI_LINE_MAX), 0);
}

static void test_all_problems_are_told_and_the_first_is_the_error(void **state)
{
	struct fixture *f = *state;

	assert_wrong(f, "[a]\nbad=1\nk=v\nbad=2\nx\n", "f.conf:2: bad key");
	assert_string_equal(buf_text(&f->problems),
	                    "f.conf:2: bad key\nf.conf:4: bad key\n"
	                    "f.conf:5: \"x\" is neither [section] nor key = value\n");
	assert_string_equal(buf_text(&f->seen), "1:[a|];3:k=v;");
}

static void test_keys_of_a_wrong_section_are_not_problems_too(void **state)
{
	struct fixture *f = *state;

	assert_wrong(f, "[bad]\nx=1\ny\n[a]\nk=v\n", "f.conf:1: bad section");
	assert_string_equal(buf_text(&f->problems), "f.conf:1: bad section\n");
	assert_string_equal(buf_text(&f->seen), "4:[a|];5:k=v;");
}

static void test_not_more_than_twenty_problems_are_told(void **state)
{
	struct fixture *f = *state;
	char text[512] = "";
	size_t lines = 0;

	memset(text, '\n', sizeof(text));
	for (size_t i = 0; i < sizeof(text); i += 2)
		text[i] = 'x';
	assert_int_equal(parse(f, text, sizeof(text)), -1);
	for (size_t i = 0; i < f->problems.len; i++)
		lines += f->problems.data[i] == '\n';
	assert_int_equal(lines, INI_PROBLEMS_MAX);
}

static void test_problems_need_not_be_collected(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ini_parse("f.conf", "x\n", 2, on_entry, f, NULL, &f->err), -1);
	assert_non_null(strstr(f->err.text, "f.conf:1: "));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sections_and_keys_come_with_their_lines),
		TEST(test_comments_and_blank_lines_mean_nothing),
		TEST(test_every_way_to_end_a_line_is_read),
		TEST(test_a_value_may_be_empty_or_have_an_equals_sign),
		TEST(test_the_name_of_a_section_may_be_an_address_in_brackets),
		TEST(test_a_line_that_is_nothing_is_an_error),
		TEST(test_what_is_no_text_is_an_error),
		TEST(test_a_line_has_a_limit),
		TEST(test_all_problems_are_told_and_the_first_is_the_error),
		TEST(test_keys_of_a_wrong_section_are_not_problems_too),
		TEST(test_not_more_than_twenty_problems_are_told),
		TEST(test_problems_need_not_be_collected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
