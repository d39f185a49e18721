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

#include "common/util.h"
#include "connector/base/log_memory.h"

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
	log_flush(true);
	log_divert(NULL, NULL);
	log_set_clock(NULL);
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

/* ---- lines that are not written at once ---- */

static int64_t wall_ms;

static int64_t test_clock(void)
{
	return wall_ms;
}

struct lines {
	unsigned count;
	enum log_level level[1200];
	char text[1200][160];
};
static struct lines lines;

static void gather(void *data, enum log_level level, const struct log_about *about,
                   const char *text)
{
	(void)data;
	(void)about;
	assert_true(lines.count < ARRAY_SIZE(lines.text));
	lines.level[lines.count] = level;
	(void)snprintf(lines.text[lines.count++], sizeof(lines.text[0]), "%s", text);
}

static void begin_gathering(void)
{
	lines.count = 0;
	wall_ms = 1000;
	log_open(LOG_LEVEL_INFO);
	log_divert(gather, NULL);
	log_set_clock(test_clock);
}

static void test_details_of_a_job_come_when_it_fails_and_only_once(void **state)
{
	const struct log_about one = { .job = "1" }, two = { .job = "2" };

	(void)state;
	begin_gathering();
	log_event(LOG_LEVEL_DEBUG, &one, "job 1: fetched");
	log_event(LOG_LEVEL_DEBUG, &two, "job 2: fetched");
	wall_ms += 1500;
	log_event(LOG_LEVEL_DEBUG, &one, "job 1: created");
	assert_int_equal(lines.count, 0);
	wall_ms += 250;
	log_details_of(&one);
	assert_int_equal(lines.count, 2);
	assert_string_equal(lines.text[0], "job 1: fetched (1.750 s before it failed)");
	assert_string_equal(lines.text[1], "job 1: created (0.250 s before it failed)");
	assert_int_equal(lines.level[0], LOG_LEVEL_INFO);
	log_details_of(&one);
	assert_int_equal(lines.count, 2);
}

static void test_the_last_details_of_all_jobs_are_kept(void **state)
{
	const struct log_about old = { .job = "1" }, new = { .job = "2" };

	(void)state;
	begin_gathering();
	log_event(LOG_LEVEL_DEBUG, &old, "old");
	for (int i = 0; i < LOG_DETAILS; i++)
		log_event(LOG_LEVEL_DEBUG, &new, "new %d", i);
	log_details_of(&old);
	assert_int_equal(lines.count, 0);
	log_details_of(&new);
	assert_int_equal(lines.count, LOG_DETAILS);
	assert_memory_equal(lines.text[0], "new 0 ", 6);
}

static void test_details_outlast_any_number_of_jobs_that_are_over(void **state)
{
	const struct log_about waits = { .job = "1" };
	char id[24];

	(void)state;
	begin_gathering();
	log_event(LOG_LEVEL_DEBUG, &waits, "fetched");
	log_event(LOG_LEVEL_DEBUG, &waits, "created");
	for (int i = 2; i < LOG_DETAILS; i++) {
		const struct log_about other = { .job = id };

		(void)snprintf(id, sizeof(id), "%d", i);
		for (int n = 0; n < 10; n++)
			log_event(LOG_LEVEL_DEBUG, &other, "line %d", n);
		log_details_over(id);
	}
	log_event(LOG_LEVEL_DEBUG, &waits, "refused");
	log_details_of(&waits);
	assert_int_equal(lines.count, 3);
	assert_memory_equal(lines.text[0], "fetched ", 8);
	assert_memory_equal(lines.text[1], "created ", 8);
	assert_memory_equal(lines.text[2], "refused ", 8);
}

static void test_details_that_had_to_give_way_are_spoken_of(void **state)
{
	const struct log_about waits = { .job = "1" }, busy = { .job = "2" };

	(void)state;
	begin_gathering();
	log_event(LOG_LEVEL_DEBUG, &waits, "fetched");
	log_event(LOG_LEVEL_DEBUG, &waits, "created");
	for (int i = 0; i < LOG_DETAILS - 1; i++)
		log_event(LOG_LEVEL_DEBUG, &busy, "line %d", i);
	log_details_of(&waits);
	assert_int_equal(lines.count, 1);
	assert_string_equal(lines.text[0],
	                    "created (0.000 s before it failed; what was before is not kept)");
}

static void test_details_of_no_job_are_not_kept_and_debug_needs_none(void **state)
{
	const struct log_about one = { .job = "1" }, none = { .job = "" };

	(void)state;
	begin_gathering();
	log_event(LOG_LEVEL_DEBUG, &none, "nobody's");
	log_details_of(&none);
	assert_int_equal(lines.count, 0);
	log_set_level(LOG_LEVEL_DEBUG);
	log_event(LOG_LEVEL_DEBUG, &one, "seen already");
	assert_int_equal(lines.count, 1);
	log_details_of(&one);
	assert_int_equal(lines.count, 1);
}

static void test_a_line_that_repeats_is_counted(void **state)
{
	const struct log_about laser = { .queue = "laser" }, ink = { .queue = "ink" };

	(void)state;
	begin_gathering();
	for (int i = 0; i < 40; i++)
		log_event(LOG_LEVEL_WARNING, &laser, "offline");
	assert_int_equal(lines.count, LOG_BURST);
	log_event(LOG_LEVEL_WARNING, &ink, "offline"); /* about another one */
	log_event(LOG_LEVEL_INFO, &laser, "online");
	assert_int_equal(lines.count, LOG_BURST + 2);
	log_flush(false); /* its time is not over */
	assert_int_equal(lines.count, LOG_BURST + 2);
	wall_ms += LOG_WINDOW_MS;
	log_flush(false);
	assert_int_equal(lines.count, LOG_BURST + 3);
	assert_string_equal(lines.text[LOG_BURST + 2], "offline (and 35 times more)");
	assert_int_equal(lines.level[LOG_BURST + 2], LOG_LEVEL_WARNING);
	log_event(LOG_LEVEL_WARNING, &laser, "offline"); /* a new window */
	assert_int_equal(lines.count, LOG_BURST + 4);
}

static void test_a_line_now_and_then_is_always_written(void **state)
{
	(void)state;
	begin_gathering();
	for (unsigned i = 0; i < 20; i++, wall_ms += LOG_WINDOW_MS / LOG_BURST) {
		log_event(LOG_LEVEL_INFO, NULL, "tick");
		assert_int_equal(lines.count, i + 1);
	}
}

static void test_the_end_tells_what_is_still_being_counted(void **state)
{
	(void)state;
	begin_gathering();
	for (int i = 0; i < LOG_BURST + 1; i++)
		log_event(LOG_LEVEL_ERROR, NULL, "no");
	log_flush(true);
	assert_int_equal(lines.count, LOG_BURST + 1);
	assert_string_equal(lines.text[LOG_BURST], "no (and 1 time more)");
}

static void test_more_kinds_of_lines_than_fit_lose_none_that_was_held_back(void **state)
{
	(void)state;
	begin_gathering();
	for (int i = 0; i < LOG_BURST + 3; i++)
		log_event(LOG_LEVEL_INFO, NULL, "again");
	for (int i = 0; i < 10 * LOG_REPEATS; i++)
		log_event(LOG_LEVEL_INFO, NULL, "other %d", i);
	assert_int_equal(lines.count, LOG_BURST + 10 * LOG_REPEATS);
	log_flush(true);
	assert_string_equal(lines.text[lines.count - 1], "again (and 3 times more)");
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
		TEST(test_details_of_a_job_come_when_it_fails_and_only_once),
		TEST(test_the_last_details_of_all_jobs_are_kept),
		TEST(test_details_outlast_any_number_of_jobs_that_are_over),
		TEST(test_details_that_had_to_give_way_are_spoken_of),
		TEST(test_details_of_no_job_are_not_kept_and_debug_needs_none),
		TEST(test_a_line_that_repeats_is_counted),
		TEST(test_a_line_now_and_then_is_always_written),
		TEST(test_the_end_tells_what_is_still_being_counted),
		TEST(test_more_kinds_of_lines_than_fit_lose_none_that_was_held_back),
		TEST(test_stderr_gets_the_level_in_front),
		TEST(test_another_processs_journal_stream_is_not_ours),
		TEST(test_a_terminal_gets_the_sentence_only),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
