/* verb_doctor.c - doctor: each step as it goes, then the causes with what helps. Without a daemon
 * the same program looks as far as it can get without one. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/cli/cli.h"
#include "connector/cli/helper.h"
#include "connector/cli/table.h"
#include "connector/cli/terminal.h"

#define INDENT       22
#define PATIENCE_MS  60000 /* for one step */
#define TICK_MS      1000
#define LINE_MAX_LEN (64u * 1024)

struct visit {
	struct cli *cli;
	cJSON *findings;
	unsigned steps;
};

/* ---- what is seen ---- */

static void show_step(struct visit *v, const cJSON *event)
{
	const char *mark = member_text(event, "mark");
	AUTO(free_str)
	char *label = xasprintf("%-6.6s  %-12.12s", mark, member_text(event, "step"));

	status_clear(v->cli);
	print_wrapped(stdout, INDENT, v->cli->width, label, style_of_state(mark),
	              member_text(event, "text"), v->cli->colours);
	(void)fflush(stdout);
}

static void on_event(void *data, const cJSON *event)
{
	struct visit *v = data;
	const char *kind = member_text(event, "event");
	bool finding = strcmp(kind, "finding") == 0;

	v->steps += strcmp(kind, "step") == 0;
	if (finding)
		(void)cJSON_AddItemToArray(v->findings, cJSON_Duplicate(event, true));
	if (v->cli->json) {
		if (strcmp(kind, "done") != 0)
			cli_print_json(cJSON_Duplicate(event, true));
	} else if (!finding && strcmp(kind, "step") == 0) {
		show_step(v, event);
	}
}

static void show_findings(const struct visit *v)
{
	int n = cJSON_GetArraySize(v->findings);
	const cJSON *finding;

	if (!n) {
		(void)printf("\nnothing is wrong: %s as it should be\n",
		             COUNTED(v->steps, "step, and it is", "steps, each"));
		return;
	}
	(void)printf("\n%s to do:\n", COUNTED(n, "thing", "things"));
	cJSON_ArrayForEach(finding, v->findings)
	{
		const char *mark = member_text(finding, "mark");

		print_wrapped(stdout, 6, v->cli->width, mark, style_of_state(mark),
		              member_text(finding, "text"), v->cli->colours);
		print_wrapped(stdout, 8, v->cli->width, "      >", STYLE_DIM,
		              member_text(finding, "remedy"), v->cli->colours);
	}
}

static int print_done(const struct visit *v)
{
	int n = cJSON_GetArraySize(v->findings);
	cJSON *event;

	if (!v->cli->json) {
		show_findings(v);
	} else {
		event = cJSON_CreateObject();
		(void)cJSON_AddStringToObject(event, "event", "done");
		(void)cJSON_AddNumberToObject(event, "steps", v->steps);
		(void)cJSON_AddNumberToObject(event, "findings", n);
		cli_print_json(event);
	}
	return n ? CLI_ATTENTION : CLI_DONE;
}

/* ---- without a daemon ---- */

static void find(struct visit *v, const char *step, const char *text, const char *remedy)
{
	static const char *const events[] = { "step", "finding" };

	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		cJSON *event = cJSON_CreateObject();

		(void)cJSON_AddStringToObject(event, "event", events[i]);
		(void)cJSON_AddStringToObject(event, "step", step);
		(void)cJSON_AddStringToObject(event, "mark", "fail");
		(void)cJSON_AddNullToObject(event, "cloud");
		(void)cJSON_AddNullToObject(event, "subject");
		(void)cJSON_AddStringToObject(event, "text", text);
		(void)cJSON_AddStringToObject(event, "remedy", remedy);
		on_event(v, event);
		cJSON_Delete(event);
	}
}

/* The first line of text; NULL: there is no whole one. To be freed. */
static char *take_line(struct buf *text)
{
	const char *end = text->len ? memchr(text->data, '\n', text->len) : NULL;
	char *ret;

	if (!end)
		return NULL;
	ret = xstrndup((const char *)text->data, (size_t)(end - (const char *)text->data));
	buf_consume(text, strlen(ret) + 1);
	return ret;
}

static void read_events(struct visit *v, int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char data[4096], *line;
	struct buf text;
	cJSON *event;
	ssize_t n;

	buf_init(&text, LINE_MAX_LEN);
	for (;;) {
		while (poll(&ready, 1, TICK_MS) <= 0)
			status_line(v->cli, "looking; what does not answer takes its time");
		n = read(fd, data, sizeof(data));
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || buf_append(&text, data, (size_t)n) < 0)
			break;
		while ((line = take_line(&text))) {
			event = cJSON_Parse(line);
			if (event)
				on_event(v, event);
			cJSON_Delete(event);
			free(line);
		}
	}
	status_clear(v->cli);
	buf_clear(&text);
}

static int look_without_daemon(struct visit *v, struct failure *f)
{
	const char *queue = v->cli->n ? v->cli->arguments[0] : NULL;
	AUTO(free_str)
	char *option = queue ? xasprintf("--doctor=%s", queue) : xstrdup("--doctor");
	const char *const arguments[] = { option, NULL };
	AUTO(free_str)
	char *text =
		xasprintf("%s; whether the cloud knows the printers is not looked at", f->text);
	AUTO(free_str) char *said = NULL;
	char clean[sizeof(f->text)];
	struct helper h;
	int status;

	find(v, "daemon", text, f->remedy);
	if (helper_start(&h, v->cli, arguments, f) < 0)
		return -1;
	close_fd(&h.in);
	read_events(v, h.out);
	status = helper_end(&h, &said);
	if (status == 0)
		return 0;
	str_clean(said, clean, sizeof(clean));
	if (status == 2)
		return failure_set(f, CLI_FAILED, "gone", "", "%s", clean);
	find(v, "settings", *clean ? clean : "they could not be read",
	     "mend them: print-connectord --check-config says what is wrong");
	return 0;
}

int verb_doctor(struct cli *cli)
{
	struct visit v = { .cli = cli, .findings = cJSON_CreateArray() };
	cJSON *parameters = cJSON_CreateObject();
	struct failure f;
	int rc;

	if (cli->n)
		(void)cJSON_AddStringToObject(parameters, "queue", cli->arguments[0]);
	cli->patience_ms = PATIENCE_MS;
	rc = cli_call_more(cli, "Diagnose", parameters, on_event, &v, &f);
	if (rc < 0 && f.exit == CLI_UNREACHABLE && strcmp(f.kind, "denied") != 0 && !v.steps)
		rc = look_without_daemon(&v, &f);
	rc = rc < 0 ? failure_show(cli, &f) : print_done(&v);
	cJSON_Delete(v.findings);
	return rc;
}
