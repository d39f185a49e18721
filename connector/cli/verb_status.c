/* verb_status.c - status. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/buf.h"
#include "common/util.h"
#include "connector/cli/cli.h"
#include "connector/cli/table.h"

#define LABEL 10 /* columns */

static int64_t now_ms(void)
{
	return (int64_t)time(NULL) * 1000;
}

static bool has_error(const cJSON *status)
{
	const cJSON *entry;

	cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(status, "health"))
	{
		if (strcmp(member_text(entry, "severity"), "error") == 0)
			return true;
	}
	return false;
}

static void show_clouds(const struct cli *cli, const cJSON *clouds)
{
	static const struct column columns[] = { { "CLOUD", false, 8 },
		                                 { "TYPE", false, 0 },
		                                 { "STATE", false, 0 },
		                                 { "SINCE", false, 0 } };
	struct table *t = table_new(columns, ARRAY_SIZE(columns));
	const cJSON *cloud, *reachable;
	char since[TIME_SHORT_SIZE];

	if (cJSON_GetArraySize(clouds) == 0)
		print_wrapped(stdout, 0, cli->width, "", STYLE_PLAIN,
		              "no cloud is configured yet; put [cloud NAME] with type and uri into "
		              "/etc/print-connector/print-connector.conf, then: systemctl restart "
		              "print-connector",
		              false);
	cJSON_ArrayForEach(cloud, clouds)
	{
		const char *state = "not asked yet";

		reachable = cJSON_GetObjectItemCaseSensitive(cloud, "reachable");
		if (cJSON_IsBool(reachable))
			state = cJSON_IsTrue(reachable) ? "reachable" : "unreachable";
		time_short(member_text(cloud, "since"), now_ms(), since);
		table_add(t, STYLE_PLAIN, member_text(cloud, "name"));
		table_add(t, STYLE_PLAIN, member_text(cloud, "type"));
		table_add(t, style_of_state(state), state);
		table_add(t, STYLE_PLAIN, since);
	}
	if (cJSON_GetArraySize(clouds) > 0)
		table_print(t, stdout, cli->width, cli->colours);
	table_free(t);
}

/* "3 online, 1 offline" */
static void show_counts(const struct cli *cli, const char *label, const cJSON *counts,
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
	print_wrapped(stdout, LABEL, cli->width, label, STYLE_BOLD,
	              text.len ? buf_text(&text) : none, cli->colours);
	buf_clear(&text);
}

static void show_health(const struct cli *cli, const cJSON *health)
{
	const cJSON *entry;

	if (cJSON_GetArraySize(health) == 0) {
		print_wrapped(stdout, LABEL, cli->width, "Health", STYLE_BOLD,
		              "nothing needs attention", cli->colours);
		return;
	}
	(void)puts("");
	cJSON_ArrayForEach(entry, health)
	{
		const char *severity = member_text(entry, "severity");

		print_wrapped(stdout, LABEL, cli->width, severity, style_of_state(severity),
		              member_text(entry, "text"), cli->colours);
		print_wrapped(stdout, LABEL + 2, cli->width, "          >", STYLE_DIM,
		              member_text(entry, "remedy"), cli->colours);
	}
}

int verb_status(struct cli *cli)
{
	AUTO(free_str) char *title = NULL;
	char since[TIME_SHORT_SIZE];
	struct failure f;
	cJSON *status;
	int rc;

	if (cli_call(cli, "GetStatus", NULL, &status, &f) < 0)
		return failure_show(cli, &f);
	rc = has_error(status) ? CLI_ATTENTION : CLI_DONE;
	if (cli->json) {
		cli_print_json(status);
		return rc;
	}
	time_short(member_text(status, "since"), now_ms(), since);
	title = xasprintf("print-connector %s, running since %s", member_text(status, "version"),
	                  since);
	print_wrapped(stdout, 0, cli->width, "", STYLE_PLAIN, title, false);
	(void)puts("");
	show_clouds(cli, cJSON_GetObjectItemCaseSensitive(status, "clouds"));
	(void)puts("");
	show_counts(cli, "Printers", cJSON_GetObjectItemCaseSensitive(status, "printers"),
	            "none yet; register one: print-connector register QUEUE");
	show_counts(cli, "Jobs", cJSON_GetObjectItemCaseSensitive(status, "jobs"), "none open");
	show_health(cli, cJSON_GetObjectItemCaseSensitive(status, "health"));
	cJSON_Delete(status);
	return rc;
}
