/* verb_rebind.c - rebind and reset: what is done to a registered printer without losing it. */
#include <stdio.h>

#include "common/util.h"
#include "connector/cli/cli.h"
#include "connector/cli/table.h"

static void add_text(cJSON *object, const char *name, const char *text)
{
	if (text)
		(void)cJSON_AddStringToObject(object, name, text);
}

int verb_rebind(struct cli *cli)
{
	const char *queue = cli->arguments[1];
	cJSON *parameters = cJSON_CreateObject(), *answer;
	AUTO(free_str) char *label = NULL;
	struct failure f;
	bool warned;

	add_text(parameters, "printer", cli->arguments[0]);
	add_text(parameters, "queue", queue);
	add_text(parameters, "cloud", cli->cloud);
	if (cli_call(cli, "Rebind", parameters, &answer, &f) < 0)
		return failure_show(cli, &f);
	warned = *member_text(answer, "text") != '\0';
	if (cli->json) {
		add_text(answer, "queue", queue);
		cli_print_json(answer);
		return warned ? CLI_ATTENTION : CLI_DONE;
	}
	label = xasprintf("%s:", queue);
	print_wrapped(stdout, 4, cli->width, label, STYLE_GOOD,
	              "is what the printer prints on now; its shares and permissions stay",
	              cli->colours);
	if (warned)
		print_wrapped(stdout, 4, cli->width, label, STYLE_WARNING,
		              member_text(answer, "text"), cli->colours);
	cJSON_Delete(answer);
	return warned ? CLI_ATTENTION : CLI_DONE;
}

int verb_reset(struct cli *cli)
{
	const char *queue = cli->arguments[0];
	cJSON *parameters = cJSON_CreateObject(), *answer;
	AUTO(free_str) char *label = NULL;
	struct failure f;

	add_text(parameters, "queue", queue);
	add_text(parameters, "cloud", cli->cloud);
	if (cli->trust_new_key)
		(void)cJSON_AddTrueToObject(parameters, "trust_new_key");
	if (cli_call(cli, "Reset", parameters, &answer, &f) < 0)
		return failure_show(cli, &f);
	if (cli->json) {
		add_text(answer, "queue", queue);
		cli_print_json(answer);
		return CLI_DONE;
	}
	label = xasprintf("%s:", queue);
	if (cli->trust_new_key) {
		AUTO(free_str)
		char *text = xasprintf("trusted by its %s%s from now on",
		                       *member_text(answer, "key") ? "key " : "authority",
		                       member_text(answer, "key"));

		print_wrapped(stdout, 4, cli->width, label, STYLE_GOOD, text, cli->colours);
	}
	print_wrapped(stdout, 4, cli->width, label, STYLE_GOOD,
	              "connects to its cloud anew and reads its queue again; print-connector "
	              "printers tells how it is",
	              cli->colours);
	cJSON_Delete(answer);
	return CLI_DONE;
}
