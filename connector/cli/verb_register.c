/* verb_register.c - register and unregister, queue by queue: what succeeded stays when another one
 * fails. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/cli/cli.h"
#include "connector/cli/table.h"

#define INDENT 4 /* of what does not fit the first line */

/* ---- register ---- */

struct enrolling {
	struct cli *cli;
	const char *queue;
	unsigned registered, failed, warned;
};

static void print_line(const struct enrolling *e, FILE *out, enum style style, const char *queue,
                       const char *text)
{
	AUTO(free_str) char *label = xasprintf("%s:", queue);

	(void)fflush(stdout);
	print_wrapped(out, INDENT, e->cli->width, label, style, text,
	              e->cli->colours && out == stdout);
}

static void show_event(struct enrolling *e, const cJSON *event)
{
	const char *kind = member_text(event, "event"), *text = member_text(event, "text");
	const char *remedy = member_text(event, "remedy");

	if (strcmp(kind, "waiting") == 0) {
		if (isatty(STDERR_FILENO))
			print_line(e, stderr, STYLE_DIM, e->queue, text);
	} else if (strcmp(kind, "failed") == 0) {
		print_line(e, stderr, STYLE_BAD, e->queue, text);
		if (*remedy)
			print_wrapped(stderr, INDENT, e->cli->width, "", STYLE_PLAIN, remedy,
			              false);
	} else if (strcmp(kind, "registered") == 0) {
		AUTO(free_str) char *line = NULL;

		if (e->cli->dry_run)
			line = xstrdup("can be registered; nothing was changed");
		else
			line = xasprintf("registered as printer %s", member_text(event, "printer"));
		print_line(e, stdout, STYLE_GOOD, e->queue, line);
		if (*text)
			print_line(e, stdout, STYLE_WARNING, e->queue, text);
	}
}

static void on_event(void *data, const cJSON *event)
{
	struct enrolling *e = data;
	const char *kind = member_text(event, "event");

	if (strcmp(kind, "registered") == 0) {
		e->registered++;
		e->warned += *member_text(event, "text") != '\0';
	}
	e->failed += strcmp(kind, "failed") == 0;
	if (!e->cli->json)
		show_event(e, event);
	else if (strcmp(kind, "done") != 0) /* the last queue's is the one that counts */
		cli_print_json(cJSON_Duplicate(event, true));
}

static void add_text(cJSON *object, const char *name, const char *text)
{
	if (text)
		(void)cJSON_AddStringToObject(object, name, text);
}

/* The daemon runs elsewhere. */
static void add_path(cJSON *object, const char *name, const char *path)
{
	char here[PATH_MAX];

	if (path && *path != '/' && getcwd(here, sizeof(here))) {
		AUTO(free_str) char *whole = xasprintf("%s/%s", here, path);

		add_text(object, name, whole);
		return;
	}
	add_text(object, name, path);
}

static cJSON *parameters_new(const struct cli *cli, const char *queue)
{
	cJSON *ret = cJSON_CreateObject();

	add_text(ret, "queue", queue);
	add_text(ret, "cloud", cli->cloud);
	add_text(ret, "name", cli->name);
	add_text(ret, "cloud_uri", cli->cloud_uri);
	add_path(ret, "certificate_file", cli->certificate);
	add_path(ret, "key_file", cli->key);
	add_text(ret, "username", cli->username);
	add_path(ret, "password_file", cli->password_file);
	if (cli->dry_run)
		(void)cJSON_AddTrueToObject(ret, "dry_run");
	return ret;
}

/* The daemon refused the call itself: the same as an event. */
static void refused(struct enrolling *e, const struct failure *f)
{
	cJSON *event = cJSON_CreateObject();

	add_text(event, "event", "failed");
	add_text(event, "queue", e->queue);
	(void)cJSON_AddNullToObject(event, "printer");
	add_text(event, "text", f->text);
	if (*f->remedy)
		add_text(event, "remedy", f->remedy);
	else
		(void)cJSON_AddNullToObject(event, "remedy");
	on_event(e, event);
	cJSON_Delete(event);
}

static void print_done(const struct enrolling *e)
{
	cJSON *event = cJSON_CreateObject();

	add_text(event, "event", "done");
	(void)cJSON_AddNumberToObject(event, "registered", e->registered);
	(void)cJSON_AddNumberToObject(event, "failed", e->failed);
	cli_print_json(event);
}

static int check(const struct cli *cli, struct failure *f)
{
	if (cli->cloud_uri && cli->n > 1)
		return failure_set(f, CLI_USAGE, "rejected", "register them one by one",
		                   "--cloud-uri names one printer, but there are %d queues",
		                   cli->n);
	if (cli->name && cli->n > 1)
		return failure_set(f, CLI_USAGE, "rejected", "register them one by one",
		                   "--name is for one queue, but there are %d", cli->n);
	if (!cli->key != !cli->certificate)
		return failure_set(f, CLI_USAGE, "rejected", "give both or none",
		                   "--certificate and --key go together");
	if (cli->username && !cli->password_file)
		return failure_set(f, CLI_USAGE, "rejected",
		                   "write the password into a file that only the daemon may read",
		                   "--username needs --password-file");
	return 0;
}

int verb_register(struct cli *cli)
{
	struct enrolling e = { .cli = cli };
	struct failure f;

	if (check(cli, &f) < 0)
		return failure_show(cli, &f);
	for (int i = 0; i < cli->n; i++) {
		e.queue = cli->arguments[i];
		if (cli_call_more(cli, "Register", parameters_new(cli, e.queue), on_event, &e,
		                  &f) == 0)
			continue;
		/* the same for all that follow */
		if (f.exit == CLI_UNREACHABLE || (f.exit == CLI_USAGE && cli->n == 1))
			return failure_show(cli, &f);
		refused(&e, &f);
	}
	if (cli->json)
		print_done(&e);
	if (e.failed)
		return CLI_FAILED;
	return e.warned ? CLI_ATTENTION : CLI_DONE;
}

/* ---- unregister ---- */

/* False: do not. */
static bool ask(const struct cli *cli, struct failure *f)
{
	char line[16];

	if (cli->yes)
		return true;
	(void)failure_set(f, CLI_USAGE, "rejected", "say --yes",
	                  "unregister forgets keys and certificates and asks first, but nobody is "
	                  "there to answer");
	if (!isatty(STDIN_FILENO) || cli->json)
		return false;
	if (cli->n == 1)
		(void)fprintf(stderr, "Unregister %s? Its key and certificate are removed. [y/N] ",
		              cli->arguments[0]);
	else
		(void)fprintf(stderr,
		              "Unregister %d printers? Their keys and certificates are removed. "
		              "[y/N] ",
		              cli->n);
	(void)failure_set(f, CLI_FAILED, "canceled", "", "nothing was changed");
	return fgets(line, sizeof(line), stdin) && (*line == 'y' || *line == 'Y');
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
			print_line(&(struct enrolling){ .cli = cli }, stdout, STYLE_GOOD,
			           cli->arguments[i], "unregistered");
			if (*member_text(answer, "text"))
				(void)print_wrapped(stdout, 2, cli->width, "  ", STYLE_PLAIN,
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
