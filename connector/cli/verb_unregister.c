/* verb_unregister.c - printers are forgotten, one after the other: what succeeded stays when
 * another one fails. */
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "connector/cli/cli.h"
#include "connector/cli/table.h"
#include "connector/cli/terminal.h"

#define INDENT 4 /* of what does not fit the first line */

static void add_text(cJSON *object, const char *name, const char *text)
{
	if (text)
		(void)cJSON_AddStringToObject(object, name, text);
}

static void print_line(const struct cli *cli, const char *queue, const char *text)
{
	AUTO(free_str) char *label = xasprintf("%s:", queue);

	print_wrapped(stdout, INDENT, cli->width, label, STYLE_GOOD, text, cli->colours);
}

/* False: do not. */
static bool ask(const struct cli *cli, struct failure *f)
{
	AUTO(free_str) char *question = NULL;

	if (cli->n == 1)
		question = xasprintf("Unregister %s? Its key and certificate are removed.",
		                     cli->arguments[0]);
	else
		question = xasprintf("Unregister %d printers? Their keys and certificates are "
		                     "removed.",
		                     cli->n);
	return terminal_confirm(cli, question, "unregister forgets keys and certificates", f);
}

static cJSON *outcome_new(const char *queue, const cJSON *answer, const struct failure *f)
{
	const char *text = member_text(answer, "text");
	cJSON *ret = cJSON_CreateObject();

	add_text(ret, "queue", queue);
	(void)cJSON_AddBoolToObject(ret, "unregistered", answer != NULL);
	(void)cJSON_AddItemToObject(ret, "text",
	                            *text ? cJSON_CreateString(text) : cJSON_CreateNull());
	(void)cJSON_AddItemToObject(ret, "error", answer ? cJSON_CreateNull() : failure_json(f));
	return ret;
}

int verb_unregister(struct cli *cli)
{
	cJSON *outcomes, *object, *answer, *parameters;
	struct failure f, first = { .exit = CLI_DONE };

	if (!ask(cli, &f))
		return failure_show(cli, &f);
	outcomes = cJSON_CreateArray();
	for (int i = 0; i < cli->n && first.exit != CLI_UNREACHABLE; i++) {
		answer = NULL;
		parameters = cJSON_CreateObject();
		add_text(parameters, "queue", cli->arguments[i]);
		add_text(parameters, "cloud", cli->cloud);
		if (cli_call(cli, "Unregister", parameters, &answer, &f) < 0) {
			if (first.exit == CLI_DONE || f.exit == CLI_UNREACHABLE)
				first = f;
			if (!cli->json)
				(void)failure_show(cli, &f);
		} else if (!cli->json) {
			print_line(cli, cli->arguments[i], "unregistered");
			if (*member_text(answer, "text"))
				(void)print_wrapped(stdout, 2, cli->width, "", STYLE_PLAIN,
				                    member_text(answer, "text"), false);
		}
		(void)cJSON_AddItemToArray(outcomes, outcome_new(cli->arguments[i], answer, &f));
		cJSON_Delete(answer);
	}
	if (cli->json) {
		object = cJSON_CreateObject();
		if (first.exit != CLI_DONE)
			(void)cJSON_AddItemToObject(object, "error", failure_json(&first));
		(void)cJSON_AddItemToObject(object, "queues", outcomes);
		cli_print_json(object);
	} else {
		cJSON_Delete(outcomes);
	}
	return (int)first.exit;
}
