#include "connector/base/journal.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct seen {
	int lines;
	enum log_level level;
	char queue[64], text[1100];
};

static void sink(void *data, enum log_level level, const struct log_about *about, const char *text)
{
	struct seen *s = data;

	s->lines++;
	s->level = level;
	(void)snprintf(s->queue, sizeof(s->queue), "%s", about->queue ? about->queue : "");
	(void)snprintf(s->text, sizeof(s->text), "%s", text);
}

static int put_back(void **state)
{
	(void)state;
	log_divert(NULL, NULL);
	(void)unsetenv("JOURNAL_STREAM");
	log_open(LOG_LEVEL_INFO);
	return 0;
}

static void test_only_what_the_level_allows_is_logged(void **state)
{
	struct seen s = { 0 };

	(void)state;
	log_open(LOG_LEVEL_INFO);
	log_divert(sink, &s);
	log_event(LOG_LEVEL_DEBUG, NULL, "detail");
	assert_int_equal(s.lines, 0);
	log_event(LOG_LEVEL_INFO, NULL, "job %d is done", 7);
	assert_int_equal(s.lines, 1);
	assert_string_equal(s.text, "job 7 is done");
	log_set_level(LOG_LEVEL_DEBUG);
	log_event(LOG_LEVEL_DEBUG, NULL, "detail");
	assert_int_equal(s.lines, 2);
	log_set_level(LOG_LEVEL_ERROR);
	log_event(LOG_LEVEL_WARNING, NULL, "hm");
	assert_int_equal(s.lines, 2);
	log_event(LOG_LEVEL_ERROR, NULL, "no");
	assert_int_equal(s.level, LOG_LEVEL_ERROR);
}

static void test_what_a_line_is_about_goes_with_it(void **state)
{
	struct seen s = { 0 };
	struct log_about about = { .queue = "laser", .job = "12" };

	(void)state;
	log_divert(sink, &s);
	log_event(LOG_LEVEL_INFO, &about, "printed");
	assert_string_equal(s.queue, "laser");
}

static void test_a_line_stays_one_line_and_short(void **state)
{
	struct seen s = { 0 };
	char longer[3000];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	log_divert(sink, &s);
	log_event(LOG_LEVEL_INFO, NULL, "%s", "one\n<3>two\033[2J\x7f");
	assert_string_equal(s.text, "one?<3>two?[2J?");
	log_event(LOG_LEVEL_INFO, NULL, "%s", longer);
	assert_int_equal(strlen(s.text), 1000);
	log_event(LOG_LEVEL_INFO, NULL, "%s",
	          "gr\xc3\xbc\xc3\x9f"
	          "e");
	assert_string_equal(s.text, "gr\xc3\xbc\xc3\x9f"
	                            "e");
}

/* What comes out of stderr while say() runs. */
static void capture(void (*say)(void), char *out, size_t size)
{
	int fds[2], old = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	(void)dup2(fds[1], STDERR_FILENO);
	say();
	(void)dup2(old, STDERR_FILENO);
	n = read(fds[0], out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	(void)close(old);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void say_two(void)
{
	log_open(LOG_LEVEL_INFO);
	log_event(LOG_LEVEL_INFO, NULL, "serving");
	log_event(LOG_LEVEL_WARNING, &(struct log_about){ .queue = "laser" }, "slow");
}

static void test_stderr_gets_the_level_in_front(void **state)
{
	char out[200];

	(void)state;
	capture(say_two, out, sizeof(out));
	assert_string_equal(out, "<6>serving\n<4>slow\n");
}

static void test_another_processs_journal_stream_is_not_ours(void **state)
{
	static const char *const streams[] = { "", "1:2", "x", "1", "1:2:3", "9:" };
	char out[200];

	(void)state;
	for (size_t i = 0; i < sizeof(streams) / sizeof(*streams); i++) {
		(void)setenv("JOURNAL_STREAM", streams[i], 1);
		capture(say_two, out, sizeof(out));
		assert_string_equal(out, "<6>serving\n<4>slow\n");
	}
}

static void test_a_terminal_gets_the_sentence_only(void **state)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	int old = dup(STDERR_FILENO), other;
	struct pollfd readable = { .fd = terminal, .events = POLLIN };
	char out[200];
	size_t len = 0;
	ssize_t n;

	(void)state;
	if (terminal < 0 || grantpt(terminal) < 0 || unlockpt(terminal) < 0) {
		skip();
		return;
	}
	other = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(other >= 0);
	(void)dup2(other, STDERR_FILENO);
	say_two();
	(void)dup2(old, STDERR_FILENO);
	while (len < strlen("serving\r\nslow\r\n") && poll(&readable, 1, 5000) == 1 &&
	       (n = read(terminal, out + len, sizeof(out) - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	assert_string_equal(out, "serving\r\nslow\r\n");
	(void)close(old);
	(void)close(other);
	(void)close(terminal);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, put_back)
	const struct CMUnitTest tests[] = {
		TEST(test_only_what_the_level_allows_is_logged),
		TEST(test_what_a_line_is_about_goes_with_it),
		TEST(test_a_line_stays_one_line_and_short),
		TEST(test_stderr_gets_the_level_in_front),
		TEST(test_another_processs_journal_stream_is_not_ours),
		TEST(test_a_terminal_gets_the_sentence_only),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
