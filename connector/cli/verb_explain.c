/* verb_explain.c - how options of a job would be sent to a queue. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/fs.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/cli/cli.h"
#include "connector/cli/table.h"

#define TICKET_MAX ((size_t)32 * 1024)
#define NAMES_MAX  4096

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* ---- the ticket ---- */

static cJSON *lines_new(const char *text)
{
	cJSON *lines = cJSON_CreateArray();
	size_t len;

	for (; *text; text += len + (text[len] == '\n')) {
		AUTO(free_str) char *line = NULL;

		len = strcspn(text, "\n");
		line = xstrndup(text, len);
		(void)cJSON_AddItemToArray(lines, cJSON_CreateString(line));
	}
	return lines;
}

static int read_ticket(const struct cli *cli, cJSON *parameters, struct failure *f)
{
	struct buf text;
	struct err err;
	int rc;

	buf_init(&text, TICKET_MAX);
	rc = fs_read_linked(cli->ticket, TICKET_MAX, &text, &err);
	if (rc < 0)
		(void)failure_set(f, CLI_FAILED, err_kind_name(err.kind),
		                  "give a file with lines such as sides = two-sided-long-edge",
		                  "%s", err.text);
	else if (strlen(buf_text(&text)) != text.len || !str_is_utf8(buf_text(&text)))
		rc = failure_set(f, CLI_FAILED, "rejected",
		                 "give a file with lines such as sides = two-sided-long-edge",
		                 "%s is no text", cli->ticket);
	else
		(void)cJSON_AddItemToObject(parameters, "ticket", lines_new(buf_text(&text)));
	buf_clear(&text);
	return rc;
}

/* ---- what people see ---- */

static enum style style_of_fate(const char *fate)
{
	return strcmp(fate, "sent") == 0      ? STYLE_GOOD
	       : strcmp(fate, "changed") == 0 ? STYLE_WARNING
	                                      : STYLE_BAD;
}

static void show_options(const struct cli *cli, const cJSON *options)
{
	static const struct column columns[] = { { "OPTION", false, 0 },
		                                 { "ASKED", false, 10 },
		                                 { "", false, 0 },
		                                 { "SENT", false, 10 } };
	struct table *t = table_new(columns, ARRAY_SIZE(columns));
	const cJSON *option;
	char note[384];

	cJSON_ArrayForEach(option, options)
	{
		const char *fate = member_text(option, "fate"), *why = member_text(option, "why");
		const char *place = member_text(option, "place");
		bool site = member_true(option, "site");

		table_add(t, STYLE_BOLD, member_text(option, "name"));
		table_add(t, STYLE_PLAIN, member_text(option, "asked"));
		table_add(t, style_of_fate(fate), fate);
		table_add(t, STYLE_PLAIN, member_text(option, "sent"));
		(void)snprintf(note, sizeof(note), "%s%s%s%s%s%s",
		               site ? "default of this site" : "", *place ? " (" : "", place,
		               *place ? ")" : "", site && *why ? ": " : "", why);
		table_note(t, note);
	}
	table_print(t, stdout, cli->width, cli->colours);
	table_free(t);
}

/* What the queue can do, then the names of what it cannot. */
static void show_choices(const struct cli *cli, const cJSON *choices)
{
	const cJSON *choice;
	struct buf none;

	buf_init(&none, NAMES_MAX);
	cJSON_ArrayForEach(choice, choices)
	{
		const char *name = member_text(choice, "name");
		const char *values = member_text(choice, "values");
		const char *usual = member_text(choice, "usual");
		AUTO(free_str) char *text = NULL;

		if (!*values) {
			(void)buf_printf(&none, "%s%s", none.len ? ", " : "", name);
			continue;
		}
		text = *usual && strcmp(usual, values) != 0
		               ? xasprintf("%s (usually %s)", values, usual)
		               : xstrdup(values);
		print_wrapped(stdout, 34, cli->width, name, STYLE_BOLD, text, cli->colours);
	}
	if (none.len)
		print_wrapped(stdout, 34, cli->width, "not possible", STYLE_DIM, buf_text(&none),
		              cli->colours);
	buf_clear(&none);
}

static void show_attributes(const struct cli *cli, const cJSON *attributes)
{
	const cJSON *attribute;

	(void)puts("\nThe job at the queue would have:");
	cJSON_ArrayForEach(attribute, attributes)
	{
		if (cJSON_IsString(attribute))
			print_wrapped(stdout, 4, cli->width, "", STYLE_PLAIN,
			              attribute->valuestring, cli->colours);
	}
}

static void show(const struct cli *cli, const cJSON *answer)
{
	const char *model = member_text(answer, "make_and_model");
	const char *attention = member_text(answer, "attention");
	const char *refused = member_text(answer, "refused");
	char queue[256];

	str_clean(member_text(answer, "queue"), queue, sizeof(queue));
	(void)printf("Queue %s", queue);
	str_clean(model, queue, sizeof(queue));
	(void)printf("%s%s%s%s\n", *model ? " (" : "", queue, *model ? ")" : "",
	             member_true(answer, "registered") ? "" : ", not registered");
	if (*attention)
		print_wrapped(stdout, 0, cli->width, "Attention:", STYLE_WARNING, attention,
		              cli->colours);
	(void)puts("");
	if (!cli->ticket)
		show_choices(cli, member(answer, "choices"));
	if (cJSON_GetArraySize(member(answer, "options")) > 0) {
		if (!cli->ticket)
			(void)puts("");
		show_options(cli, member(answer, "options"));
	} else if (cli->ticket) {
		(void)puts("the ticket asks for nothing");
	}
	if (*refused) {
		(void)puts("");
		print_wrapped(stdout, 0, cli->width, "Refused:", STYLE_BAD, refused, cli->colours);
	} else if (cJSON_GetArraySize(member(answer, "attributes")) > 0) {
		show_attributes(cli, member(answer, "attributes"));
	}
}

/* Whether something would not be as asked. */
static bool any_loss(const cJSON *answer)
{
	const cJSON *option;

	cJSON_ArrayForEach(option, member(answer, "options"))
	{
		if (strcmp(member_text(option, "fate"), "sent") != 0 &&
		    !member_true(option, "site"))
			return true;
	}
	return *member_text(answer, "refused");
}

int verb_explain(struct cli *cli)
{
	cJSON *parameters = cJSON_CreateObject(), *answer;
	struct failure f;
	int rc;

	(void)cJSON_AddStringToObject(parameters, "queue", cli->arguments[0]);
	if (cli->ticket && read_ticket(cli, parameters, &f) < 0) {
		cJSON_Delete(parameters);
		return failure_show(cli, &f);
	}
	if (cli_call(cli, "Explain", parameters, &answer, &f) < 0)
		return failure_show(cli, &f);
	rc = any_loss(answer) ? CLI_ATTENTION : CLI_DONE;
	if (cli->json) {
		cli_print_json(answer);
		return rc;
	}
	show(cli, answer);
	cJSON_Delete(answer);
	return rc;
}
