#include "connector/base/log_memory.h"

#include <string.h>

#include "common/str.h"

/* The oldest line of the job, or of all; NULL: there is none. */
static struct log_detail *oldest(struct log_details *d, const char *job)
{
	struct log_detail *ret = NULL;

	for (unsigned i = 0; i < LOG_DETAILS; i++) {
		struct log_detail *line = &d->lines[i];

		if (*line->job && (!job || strcmp(line->job, job) == 0) &&
		    (!ret || line->order < ret->order))
			ret = line;
	}
	return ret;
}

static struct log_detail *find_room(struct log_details *d)
{
	struct log_detail *line, *next;
	char job[sizeof(line->job)];

	for (unsigned i = 0; i < LOG_DETAILS; i++) {
		line = &d->lines[(d->kept + i) % LOG_DETAILS];
		if (!*line->job)
			return line;
	}
	line = oldest(d, NULL);
	(void)str_copy(job, sizeof(job), line->job);
	line->job[0] = '\0';
	next = oldest(d, job);
	if (next)
		next->cut = true;
	return line;
}

void log_details_keep(struct log_details *d, const char *job, const char *text, int64_t now_ms)
{
	struct log_detail *line = find_room(d);

	line->time_ms = now_ms;
	line->order = ++d->kept;
	line->cut = false;
	(void)str_copy(line->job, sizeof(line->job), job);
	(void)str_copy(line->text, sizeof(line->text), text);
}

void log_details_take(struct log_details *d, const char *job,
                      void (*each)(void *data, const struct log_detail *line), void *data)
{
	struct log_detail *line;

	while ((line = oldest(d, job))) {
		each(data, line);
		line->job[0] = '\0';
	}
}

void log_details_forget(struct log_details *d, const char *job)
{
	for (unsigned i = 0; i < LOG_DETAILS; i++)
		if (strcmp(d->lines[i].job, job) == 0)
			d->lines[i].job[0] = '\0';
}

static bool is_same(const char *kept, size_t size, const char *text)
{
	return strncmp(kept, text ? text : "", size - 1) == 0;
}

static bool is_equal(const struct log_repeat *line, enum log_level level,
                     const struct log_about *about, const char *text)
{
	return line->since_ms && line->level == level &&
	       is_same(line->text, sizeof(line->text), text) &&
	       is_same(line->queue, sizeof(line->queue), about->queue) &&
	       is_same(line->cloud, sizeof(line->cloud), about->cloud) &&
	       is_same(line->job, sizeof(line->job), about->job);
}

static void keep(char *to, size_t size, const char *text)
{
	(void)str_copy(to, size, text ? text : "");
}

bool log_repeats_admit(struct log_repeats *r, enum log_level level, const struct log_about *about,
                       const char *text, int64_t now_ms)
{
	struct log_repeat *spare = NULL;

	for (int i = 0; i < LOG_REPEATS; i++) {
		struct log_repeat *line = &r->lines[i];
		bool held_back = line->count > LOG_BURST;

		if (is_equal(line, level, about, text) &&
		    (held_back || now_ms - line->since_ms < LOG_WINDOW_MS))
			return ++line->count <= LOG_BURST;
		/* one with something to tell is never given up */
		if (!held_back && (!spare || line->since_ms < spare->since_ms))
			spare = line;
	}
	if (!spare)
		return true;
	spare->since_ms = now_ms;
	spare->count = 1;
	spare->level = level;
	spare->message_id = about->message_id;
	keep(spare->text, sizeof(spare->text), text);
	keep(spare->queue, sizeof(spare->queue), about->queue);
	keep(spare->cloud, sizeof(spare->cloud), about->cloud);
	keep(spare->job, sizeof(spare->job), about->job);
	return true;
}

void log_repeats_end(struct log_repeats *r, int64_t now_ms, bool all,
                     void (*each)(void *data, const struct log_repeat *line, unsigned held_back),
                     void *data)
{
	for (int i = 0; i < LOG_REPEATS; i++) {
		struct log_repeat *line = &r->lines[i];

		if (!all && now_ms - line->since_ms < LOG_WINDOW_MS)
			continue;
		if (line->count > LOG_BURST)
			each(data, line, line->count - LOG_BURST);
		*line = (struct log_repeat){ 0 };
	}
}
