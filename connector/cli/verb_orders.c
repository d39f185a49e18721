/* verb_orders.c - retry, resolve, pause, resume, drain. */
#include <inttypes.h>
#include <stdio.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/cli/cli.h"
#include "connector/cli/table.h"

#define INDENT 4 /* of what does not fit the first line */

/* ---- jobs ---- */

/* Consumes parameters; says the sentence, which has the job's number in it. */
static int order_job(struct cli *cli, const char *method, int64_t id, cJSON *parameters,
                     const char *sentence)
{
	struct failure f;
	cJSON *answer;
	char text[256];

	if (cli_call(cli, method, parameters, &answer, &f) < 0)
		return failure_show(cli, &f);
	cJSON_Delete(answer);
	if (cli->json) {
		cli_print_json(cli_id_new(id));
		return CLI_DONE;
	}
	(void)snprintf(text, sizeof(text), "%s; print-connector job %" PRId64 " shows it", sentence,
	               id);
	print_wrapped(stdout, 0, cli->width, "", STYLE_PLAIN, text, false);
	return CLI_DONE;
}

int verb_retry(struct cli *cli)
{
	AUTO(free_str) char *sentence = NULL;
	struct failure f;
	int64_t id;

	if (cli_parse_id(cli, &id, &f) < 0)
		return failure_show(cli, &f);
	sentence = xasprintf("job %" PRId64 " is tried again", id);
	return order_job(cli, "Retry", id, cli_id_new(id), sentence);
}

int verb_resolve(struct cli *cli)
{
	AUTO(free_str) char *sentence = NULL;
	const char *verdict = cli->printed ? "printed" : cli->print_again ? "print-again" : "abort";
	cJSON *parameters;
	struct failure f;
	int64_t id;

	if (cli_parse_id(cli, &id, &f) < 0)
		return failure_show(cli, &f);
	if (cli->printed + cli->print_again + cli->abort != 1) {
		(void)failure_set(&f, CLI_USAGE, "rejected",
		                  "look at the printer, then say --printed, --print-again or "
		                  "--abort",
		                  "resolve needs one verdict");
		return failure_show(cli, &f);
	}
	parameters = cli_id_new(id);
	(void)cJSON_AddStringToObject(parameters, "verdict", verdict);
	sentence = xasprintf("job %" PRId64 " %s", id,
	                     cli->printed       ? "counts as printed"
	                     : cli->print_again ? "is printed again"
	                                        : "is aborted");
	return order_job(cli, "Resolve", id, parameters, sentence);
}

/* ---- printers ---- */

static cJSON *outcome_new(const char *queue, const struct failure *f)
{
	cJSON *ret = cJSON_CreateObject();

	(void)cJSON_AddStringToObject(ret, "queue", queue);
	(void)cJSON_AddItemToObject(ret, "error", f ? failure_json(f) : cJSON_CreateNull());
	return ret;
}

/* What succeeded stays when another queue fails. */
static int order_printers(struct cli *cli, const char *method, const char *done)
{
	cJSON *object = cJSON_CreateObject(), *outcomes = cJSON_CreateArray(), *answer;
	struct failure f, first = { .exit = CLI_DONE };

	for (int i = 0; i < cli->n && first.exit != CLI_UNREACHABLE; i++) {
		const char *queue = cli->arguments[i];
		cJSON *parameters = cJSON_CreateObject();
		bool failed;

		(void)cJSON_AddStringToObject(parameters, "queue", queue);
		if (cli->cloud)
			(void)cJSON_AddStringToObject(parameters, "cloud", cli->cloud);
		failed = cli_call(cli, method, parameters, &answer, &f) < 0;
		if (failed && (first.exit == CLI_DONE || f.exit == CLI_UNREACHABLE))
			first = f;
		if (failed && !cli->json) {
			(void)failure_show(cli, &f);
		} else if (!failed && !cli->json) {
			AUTO(free_str) char *label = xasprintf("%s:", queue);

			print_wrapped(stdout, INDENT, cli->width, label, STYLE_GOOD, done,
			              cli->colours);
		}
		if (!failed)
			cJSON_Delete(answer);
		(void)cJSON_AddItemToArray(outcomes, outcome_new(queue, failed ? &f : NULL));
	}
	if (first.exit != CLI_DONE)
		(void)cJSON_AddItemToObject(object, "error", failure_json(&first));
	(void)cJSON_AddItemToObject(object, "queues", outcomes);
	if (cli->json)
		cli_print_json(object);
	else
		cJSON_Delete(object);
	return (int)first.exit;
}

int verb_pause(struct cli *cli)
{
	return order_printers(cli, "Pause", "paused; its jobs wait in the cloud");
}

int verb_resume(struct cli *cli)
{
	struct failure f;
	cJSON *answer;

	if (cli->n)
		return order_printers(cli, "Resume", "resumed");
	if (cli_call(cli, "Resume", NULL, &answer, &f) < 0)
		return failure_show(cli, &f);
	if (cli->json)
		cli_print_json(answer);
	else
		(void)puts("jobs are taken from the clouds again");
	if (!cli->json)
		cJSON_Delete(answer);
	return CLI_DONE;
}

/* ---- drain ---- */

struct drain {
	const struct cli *cli;
	int64_t handing, printing;
};

static void on_drain(void *data, const cJSON *answer)
{
	struct drain *d = data;

	d->handing = member_number(answer, "handing", 0);
	d->printing = member_number(answer, "printing", 0);
	if (d->cli->json || !d->handing)
		return;
	(void)printf("%s queue\n", COUNTED(d->handing, "job is on the way to its",
	                                   "jobs are on the way to their"));
	(void)fflush(stdout);
}

int verb_drain(struct cli *cli)
{
	struct drain d = { .cli = cli };
	struct failure f;
	cJSON *object;

	if (cli_call_more(cli, "Drain", NULL, on_drain, &d, &f) < 0)
		return failure_show(cli, &f);
	if (cli->json) {
		object = cJSON_CreateObject();
		(void)cJSON_AddNumberToObject(object, "handing", (double)d.handing);
		(void)cJSON_AddNumberToObject(object, "printing", (double)d.printing);
		cli_print_json(object);
		return CLI_DONE;
	}
	if (d.printing)
		(void)printf("drained; %s\n",
		             COUNTED(d.printing, "job that prints is left to its queue",
		                     "jobs that print are left to their queues"));
	else
		(void)puts("drained; nothing is on its way and nothing prints");
	(void)puts("print-connector resume takes jobs from the clouds again");
	return CLI_DONE;
}
