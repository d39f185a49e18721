/* verb_watch.c - watch: status and open jobs, drawn again whenever they change. A daemon that goes
 * away is waited for. Without a terminal it prints a line for each change; Ctrl-C ends it. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/util.h"
#include "connector/cli/cli.h"
#include "connector/cli/client.h"
#include "connector/cli/table.h"
#include "connector/cli/terminal.h"

#define PATIENCE_MS 90000 /* the daemon says something every 30 s */
#define AGAIN_MS    1000
#define JOBS_MIN    4 /* lines for them, even when much is wrong */

/* Another page, no cursor; and back. */
#define SCREEN_BEGIN "\033[?1049h\033[?25l"
#define SCREEN_END   "\033[?25h\033[?1049l"
#define HOME         "\033[H"
#define LINE_END     "\033[K\n"
#define BELOW_END    "\033[J"

struct watching {
	struct cli *cli;
	cJSON *last;    /* answer; NULL: none yet */
	char *line;     /* printed last, without a terminal */
	bool attention; /* of the last answer */
	bool lost;      /* the daemon does not answer */
};

/* ---- on a terminal ---- */

/* At most so many lines of text, each to its end. */
static void draw_lines(const char *text, unsigned lines)
{
	while (*text && lines--) {
		size_t len = strcspn(text, "\n");

		(void)fwrite(text, 1, len, stdout);
		(void)fputs(lines && text[len] ? LINE_END : "\033[K", stdout);
		text += len + (text[len] == '\n');
	}
}

static void draw(const struct watching *w)
{
	const cJSON *jobs = cJSON_GetObjectItemCaseSensitive(w->last, "open");
	unsigned height = w->cli->height;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return;
	if (w->lost)
		(void)fputs("print-connectord does not answer; trying again\n\n", out);
	if (w->last) {
		bool any = cJSON_GetArraySize(jobs) > 0;

		status_print(out, w->cli, w->last,
		             any && height > 2 * JOBS_MIN ? height - JOBS_MIN : height, true);
		if (any) {
			(void)fputc('\n', out);
			jobs_print(out, w->cli, jobs);
		}
	}
	(void)fclose(out);
	(void)fputs(HOME, stdout);
	draw_lines(text, height);
	(void)fputs(BELOW_END, stdout);
	(void)fflush(stdout);
	free(text);
}

/* ---- without one ---- */

static void add_counts(struct buf *line, const char *label, const cJSON *counts)
{
	const cJSON *item;
	const char *before = label;

	cJSON_ArrayForEach(item, counts)
	{
		if (!cJSON_IsNumber(item) || item->valuedouble < 1)
			continue;
		(void)buf_printf(line, "%s%.0f %s", before, item->valuedouble, item->string);
		before = ", ";
	}
}

static void print_change(struct watching *w)
{
	const cJSON *health = cJSON_GetObjectItemCaseSensitive(w->last, "health"), *entry;
	char now[32];
	time_t at = time(NULL);
	struct tm tm;
	struct buf line;

	buf_init(&line, 64 * 1024);
	add_counts(&line, "printers: ", cJSON_GetObjectItemCaseSensitive(w->last, "printers"));
	add_counts(&line, line.len ? "; jobs: " : "jobs: ",
	           cJSON_GetObjectItemCaseSensitive(w->last, "jobs"));
	cJSON_ArrayForEach(entry, health)
	{
		(void)buf_printf(&line, "%s%s", line.len ? "; " : "", member_text(entry, "text"));
	}
	if (!w->line || strcmp(w->line, buf_text(&line)) != 0) {
		free(w->line);
		w->line = xstrdup(buf_text(&line));
		(void)strftime(now, sizeof(now), "%H:%M:%S", localtime_r(&at, &tm));
		print_wrapped(stdout, 10, w->cli->width, now, STYLE_PLAIN,
		              *w->line ? w->line : "no printers, no jobs", false);
		(void)fflush(stdout);
	}
	buf_clear(&line);
}

/* ---- both ---- */

static bool is_drawn(const struct watching *w)
{
	return w->cli->terminal && !w->cli->json;
}

static void on_answer(void *data, const cJSON *answer)
{
	struct watching *w = data;
	const cJSON *entry;

	w->lost = false;
	cJSON_Delete(w->last);
	w->last = cJSON_Duplicate(answer, true);
	w->attention = false;
	cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(answer, "health"))
	{
		if (strcmp(member_text(entry, "severity"), "error") == 0)
			w->attention = true;
	}
	if (w->cli->json)
		cli_print_json(cJSON_Duplicate(answer, true));
	else if (is_drawn(w))
		draw(w);
	else
		print_change(w);
}

static bool on_tick(void *data)
{
	struct watching *w = data;

	if (terminal_was_resized() && is_drawn(w)) {
		terminal_look(w->cli);
		draw(w);
	}
	return !terminal_was_interrupted() && !ferror(stdout);
}

/* 0: interrupted, or the daemon ended it. */
static int follow(struct watching *w, struct failure *f)
{
	for (;;) {
		if (cli_call_more(w->cli, "Watch", NULL, on_answer, w, f) == 0 ||
		    strcmp(f->kind, "canceled") == 0)
			return 0;
		if (f->exit != CLI_UNREACHABLE || !w->last || strcmp(f->kind, "denied") == 0)
			return -1;
		w->lost = true;
		if (is_drawn(w))
			draw(w);
		(void)poll(NULL, 0, AGAIN_MS);
		if (!on_tick(w))
			return 0;
	}
}

int verb_watch(struct cli *cli)
{
	struct watching w = { .cli = cli };
	struct failure f;
	int rc;

	terminal_catch_signals();
	cli->tick = on_tick;
	cli->tick_data = &w;
	cli->patience_ms = PATIENCE_MS;
	if (is_drawn(&w)) {
		(void)fputs(SCREEN_BEGIN, stdout);
		(void)fflush(stdout);
	}
	rc = follow(&w, &f);
	if (is_drawn(&w)) {
		(void)fputs(SCREEN_END, stdout);
		(void)fflush(stdout);
	}
	rc = rc < 0 ? failure_show(cli, &f) : w.attention ? CLI_ATTENTION : CLI_DONE;
	cJSON_Delete(w.last);
	free(w.line);
	return rc;
}
