/* verb_status.c - status: what fits a screen, and what to do next. Entries of one kind are counted
 * after the second one: a thousand stopped queues are one thing to look at. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/buf.h"
#include "common/util.h"
#include "connector/cli/cli.h"
#include "connector/cli/table.h"
#include "connector/cli/terminal.h"

#define LABEL     10 /* columns */
#define OF_KIND   2  /* health entries with the same code that are shown */
#define KINDS_MAX 64
#define LINES_OF  2 /* of the line about those that are not, and of the one that says what next */

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static int64_t now_ms(void)
{
	return (int64_t)time(NULL) * 1000;
}

static bool has_severity(const cJSON *status, const char *severity)
{
	const cJSON *entry;

	cJSON_ArrayForEach(entry, member(status, "health"))
	{
		if (strcmp(member_text(entry, "severity"), severity) == 0)
			return true;
	}
	return false;
}

/* ---- clouds and counts ---- */

static void show_clouds(FILE *out, const struct cli *cli, const cJSON *clouds)
{
	static const struct column columns[] = { { "CLOUD", false, 8 },
		                                 { "TYPE", false, 0 },
		                                 { "STATE", false, 0 },
		                                 { "SINCE", false, 0 } };
	struct table *t = table_new(columns, ARRAY_SIZE(columns));
	const cJSON *cloud, *reachable;
	char since[TIME_SHORT_SIZE];

	if (cJSON_GetArraySize(clouds) == 0)
		print_wrapped(out, 0, cli->width, "", STYLE_PLAIN,
		              "no cloud is configured yet; put [cloud NAME] with type and uri into "
		              "/etc/print-connector/print-connector.conf, then: systemctl restart "
		              "print-connector",
		              false);
	cJSON_ArrayForEach(cloud, clouds)
	{
		const char *state = "not asked yet";

		reachable = member(cloud, "reachable");
		if (cJSON_IsBool(reachable))
			state = cJSON_IsTrue(reachable) ? "reachable" : "unreachable";
		time_short(member_text(cloud, "since"), now_ms(), since);
		table_add(t, STYLE_PLAIN, member_text(cloud, "name"));
		table_add(t, STYLE_PLAIN, member_text(cloud, "type"));
		table_add(t, style_of_state(state), state);
		table_add(t, STYLE_PLAIN, since);
	}
	if (cJSON_GetArraySize(clouds) > 0)
		table_print(t, out, cli->width, cli->colours);
	table_free(t);
}

static double count_all(const cJSON *counts)
{
	const cJSON *item;
	double n = 0;

	cJSON_ArrayForEach(item, counts)
	{
		n += cJSON_IsNumber(item) ? item->valuedouble : 0;
	}
	return n;
}

/* "3 online, 1 offline" */
static void show_counts(FILE *out, const struct cli *cli, const char *label, const cJSON *counts,
                        const char *none)
{
	const cJSON *item;
	struct buf text;

	buf_init(&text, 4096);
	cJSON_ArrayForEach(item, counts)
	{
		if (cJSON_IsNumber(item) && item->valuedouble >= 1)
			(void)buf_printf(&text, "%s%.0f %s", text.len ? ", " : "",
			                 item->valuedouble, item->string);
	}
	print_wrapped(out, LABEL, cli->width, label, STYLE_BOLD, text.len ? buf_text(&text) : none,
	              cli->colours);
	buf_clear(&text);
}

/* ---- health ---- */

/* Entries met so far, by their code. */
struct kinds {
	struct {
		const char *code; /* borrowed */
		unsigned n;
	} items[KINDS_MAX];
	size_t count;
};

/* How many of its kind were met before this one. */
static unsigned kinds_add(struct kinds *k, const char *code)
{
	size_t i = 0;

	while (i < k->count && strcmp(k->items[i].code, code) != 0)
		i++;
	if (i == KINDS_MAX)
		return OF_KIND; /* of a daemon that knows many more: all counted, none shown */
	k->count += i == k->count;
	k->items[i].code = code;
	return k->items[i].n++;
}

static unsigned count_lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* As text of its own, so that one knows how many lines it takes; to be freed. */
static char *entry_text(const struct cli *cli, const cJSON *entry)
{
	const char *severity = member_text(entry, "severity");
	const char *subject = member_text(entry, "subject"), *said = member_text(entry, "text");
	AUTO(free_str) char *named = xasprintf("%s: %s", subject, said);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return xstrdup("");
	print_wrapped(out, LABEL, cli->width, severity, style_of_state(severity),
	              strstr(said, subject) ? said : named, cli->colours);
	print_wrapped(out, LABEL + 2, cli->width, "          >", STYLE_DIM,
	              member_text(entry, "remedy"), cli->colours);
	(void)fclose(out);
	return text;
}

static void show_health_of(FILE *out, const struct cli *cli, const cJSON *health,
                           const char *severity, unsigned *lines, unsigned *hidden)
{
	struct kinds kinds = { 0 };
	const cJSON *entry;

	cJSON_ArrayForEach(entry, health)
	{
		AUTO(free_str) char *text = NULL;
		unsigned n;

		if (strcmp(member_text(entry, "severity"), severity) != 0)
			continue;
		if (kinds_add(&kinds, member_text(entry, "code")) < OF_KIND)
			text = entry_text(cli, entry);
		n = text ? count_lines(text) : 0;
		if (!n || n > *lines) {
			++*hidden;
			continue;
		}
		*lines -= n;
		(void)fputs(text, out);
	}
}

static void show_health(FILE *out, const struct cli *cli, const cJSON *health, unsigned lines)
{
	static const char *const severities[] = { "error", "warning", "info" };
	unsigned hidden = 0;

	if (cJSON_GetArraySize(health) == 0) {
		print_wrapped(out, LABEL, cli->width, "Health", STYLE_BOLD,
		              "nothing needs attention", cli->colours);
		return;
	}
	(void)fputc('\n', out);
	for (size_t i = 0; i < ARRAY_SIZE(severities); i++)
		show_health_of(out, cli, health, severities[i], &lines, &hidden);
	if (hidden)
		(void)fprintf(out, "%*sand %u more; all: print-connector --json status\n", LABEL,
		              "", hidden);
}

/* The verb that one would want now. */
static const char *what_next(const cJSON *status, bool watched)
{
	if (!cJSON_GetArraySize(member(status, "clouds")))
		return "man print-connector.conf describes all settings";
	if (count_all(member(status, "printers")) < 1)
		return "print-connector printers --available lists what could be registered";
	if (has_severity(status, "error"))
		return "print-connector doctor walks the whole way and finds the cause";
	if (member_number(member(status, "jobs"), "held", 0))
		return "print-connector jobs shows which job waits for a decision";
	if (has_severity(status, "warning"))
		return "print-connector printers shows how each of them is";
	if (count_all(member(status, "jobs")) >= 1)
		return watched ? "print-connector job ID tells what happened to one of them"
		               : "print-connector watch follows the jobs";
	return "print-connector jobs --all shows what was printed";
}

/* ---- all of it ---- */

static void print_head(FILE *out, const struct cli *cli, const cJSON *status)
{
	AUTO(free_str) char *title = NULL;
	char since[TIME_SHORT_SIZE];

	time_short(member_text(status, "since"), now_ms(), since);
	title = xasprintf("print-connector %s, running since %s", member_text(status, "version"),
	                  since);
	print_wrapped(out, 0, cli->width, "", STYLE_PLAIN, title, false);
	(void)fputc('\n', out);
	show_clouds(out, cli, member(status, "clouds"));
	(void)fputc('\n', out);
	show_counts(out, cli, "Printers", member(status, "printers"),
	            "none yet; register one: print-connector register QUEUE");
	show_counts(out, cli, "Jobs", member(status, "jobs"), "none open");
}

void status_print(FILE *out, const struct cli *cli, const cJSON *status, unsigned lines,
                  bool watched)
{
	char *head = NULL;
	unsigned used;
	size_t len;
	FILE *memory = open_memstream(&head, &len);

	if (!memory)
		return;
	print_head(memory, cli, status);
	(void)fclose(memory);
	used = count_lines(head) + 1;
	(void)fputs(head, out);
	free(head);
	show_health(out, cli, member(status, "health"),
	            lines > used + LINES_OF ? lines - used - LINES_OF : 0);
	print_wrapped(out, LABEL, cli->width, "Next", STYLE_BOLD, what_next(status, watched),
	              cli->colours);
}

int verb_status(struct cli *cli)
{
	struct failure f;
	cJSON *status;
	int rc;

	if (cli_call(cli, "GetStatus", NULL, &status, &f) < 0)
		return failure_show(cli, &f);
	rc = has_severity(status, "error") ? CLI_ATTENTION : CLI_DONE;
	if (cli->json) {
		cli_print_json(status);
		return rc;
	}
	status_print(stdout, cli, status, cli->height - 1, false); /* the prompt needs one too */
	cJSON_Delete(status);
	return rc;
}
