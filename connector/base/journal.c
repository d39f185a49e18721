#include "connector/base/journal.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* the source line of log_event() itself would say nothing */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/base/log_memory.h"

#define TEXT_MAX  1000
#define FIELD_MAX 320

static struct {
	enum log_level level;
	bool journal;  /* else stderr */
	bool terminal; /* stderr is one */
	void (*sink)(void *data, enum log_level level, const struct log_about *about,
	             const char *text);
	void *sink_data;
	int64_t (*now_ms)(void);
	struct log_details details;
	struct log_repeats repeats;
} journal = { .level = LOG_LEVEL_INFO };

/* Is stderr the stream that systemd connected with the journal? */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;
	char *end;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	dev = strtoull(stream, &end, 10);
	if (*end != ':')
		return false;
	ino = strtoull(end + 1, &end, 10);
	return !*end && dev == (unsigned long long)st.st_dev &&
	       ino == (unsigned long long)st.st_ino;
}

void log_open(enum log_level level)
{
	log_flush(true);
	journal.level = level;
	journal.journal = is_journal();
	journal.terminal = isatty(STDERR_FILENO);
}

void log_set_level(enum log_level level)
{
	journal.level = level;
}

void log_divert(void (*sink)(void *data, enum log_level level, const struct log_about *about,
                             const char *text),
                void *data)
{
	journal.sink = sink;
	journal.sink_data = data;
}

static void send_to_journal(enum log_level level, const struct log_about *about, const char *text)
{
	const struct {
		const char *name, *value;
	} fields[] = {
		{ "CONNECTOR_QUEUE", about->queue }, { "CONNECTOR_CLOUD", about->cloud },
		{ "CONNECTOR_JOB", about->job },     { "CONNECTOR_CLOUD_JOB", about->cloud_job },
		{ "CONNECTOR_STATE", about->state }, { "CONNECTOR_ERROR", about->error },
		{ "MESSAGE_ID", about->message_id },
	};
	char room[ARRAY_SIZE(fields)][FIELD_MAX], message[TEXT_MAX + 16], priority[16];
	struct iovec iov[ARRAY_SIZE(fields) + 2];
	int n = 0;

	(void)snprintf(message, sizeof(message), "MESSAGE=%s", text);
	(void)snprintf(priority, sizeof(priority), "PRIORITY=%d", (int)level);
	iov[n++] = (struct iovec){ message, strlen(message) };
	iov[n++] = (struct iovec){ priority, strlen(priority) };
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!fields[i].value || !*fields[i].value)
			continue;
		(void)snprintf(room[i], sizeof(room[i]), "%s=%s", fields[i].name, fields[i].value);
		iov[n++] = (struct iovec){ room[i], strlen(room[i]) };
	}
	(void)sd_journal_sendv(iov, n);
}

static void send_to_stderr(enum log_level level, const char *text)
{
	char line[TEXT_MAX + 16];
	int len = journal.terminal ? snprintf(line, sizeof(line), "%s\n", text)
	                           : snprintf(line, sizeof(line), "<%d>%s\n", (int)level, text);

	/* one write, so that lines of several processes do not mix */
	if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
		return;
}

/* Monotonic, never 0. */
static int64_t now_ms(void)
{
	struct timespec t;

	if (journal.now_ms)
		return journal.now_ms();
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000 + 1;
}

void log_set_clock(int64_t (*clock)(void))
{
	journal.now_ms = clock;
}

static void write_line(enum log_level level, const struct log_about *about, const char *text)
{
	if (journal.sink)
		journal.sink(journal.sink_data, level, about, text);
	else if (journal.journal)
		send_to_journal(level, about, text);
	else
		send_to_stderr(level, text);
}

void log_event(enum log_level level, const struct log_about *about, const char *fmt, ...)
{
	static const struct log_about nothing;
	char text[TEXT_MAX + 1];
	va_list ap;

	if (!about)
		about = &nothing;
	if (level > journal.level && !(about->job && *about->job))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	if (level > journal.level)
		log_details_keep(&journal.details, about->job, text, now_ms());
	else if (level == LOG_LEVEL_DEBUG ||
	         log_repeats_admit(&journal.repeats, level, about, text, now_ms()))
		write_line(level, about, text);
}

static void write_detail(void *data, const struct log_detail *line)
{
	struct log_about about = *(const struct log_about *)data;
	char text[LOG_DETAIL_SIZE + 64];

	about.message_id = NULL; /* of the failure itself */
	(void)snprintf(text, sizeof(text), "%s (%.3f s before it failed%s)", line->text,
	               (double)(now_ms() - line->time_ms) / 1000,
	               line->cut ? "; what was before is not kept" : "");
	write_line(LOG_LEVEL_INFO, &about, text);
}

void log_details_of(const struct log_about *about)
{
	if (journal.level >= LOG_LEVEL_INFO && about->job)
		log_details_take(&journal.details, about->job, write_detail, (void *)about);
}

void log_details_over(const char *job)
{
	log_details_forget(&journal.details, job);
}

static void write_repeat(void *data, const struct log_repeat *line, unsigned held_back)
{
	const struct log_about about = { .queue = line->queue,
		                         .cloud = line->cloud,
		                         .job = line->job,
		                         .message_id = line->message_id };
	char text[LOG_DETAIL_SIZE + 64];

	(void)data;
	(void)snprintf(text, sizeof(text), "%s (and %s)", line->text,
	               COUNTED(held_back, "time more", "times more"));
	write_line(line->level, &about, text);
}

void log_flush(bool all)
{
	log_repeats_end(&journal.repeats, now_ms(), all, write_repeat, NULL);
}
