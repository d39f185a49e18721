/* verb_register.c - register: any number of queues in one call, so that there is one sign-in. What
 * succeeded stays when another queue fails, or when it is interrupted. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/cli/cli.h"
#include "connector/cli/sign_in.h"
#include "connector/cli/table.h"
#include "connector/cli/terminal.h"

#define INDENT 4 /* of what does not fit the first line */

struct enrolling {
	struct cli *cli;
	struct sign_in sign_in;
	unsigned registered, failed, warned;
};

/* ---- events ---- */

static void print_line(const struct enrolling *e, FILE *out, enum style style, const char *queue,
                       const char *text)
{
	AUTO(free_str) char *label = xasprintf("%s:", *queue ? queue : "print-connector");

	(void)fflush(stdout);
	print_wrapped(out, INDENT, e->cli->width, label, style, text,
	              e->cli->colours && out == stdout);
	(void)fflush(stdout);
}

static void show_waiting(struct enrolling *e, const char *queue, const char *text)
{
	AUTO(free_str) char *line = xasprintf("%s%s%s", queue, *queue ? ": " : "", text);

	if (!e->sign_in.expires_ms)
		status_line(e->cli, line);
}

static void show_registered(struct enrolling *e, const cJSON *event)
{
	const char *queue = member_text(event, "queue"), *text = member_text(event, "text");
	const char *key = member_text(event, "key");
	AUTO(free_str) char *line = NULL, *trusted = NULL;

	if (e->cli->dry_run)
		line = xasprintf("can be %s; nothing was changed",
		                 e->cli->renew ? "renewed" : "registered");
	else if (e->cli->renew)
		line = xstrdup("has a new key and certificate");
	else
		line = xasprintf("registered as printer %s", member_text(event, "printer"));
	print_line(e, stdout, STYLE_GOOD, queue, line);
	if (*key) {
		trusted = xasprintf("no authority vouches for it; known by its key %s from now on",
		                    key);
		print_line(e, stdout, STYLE_PLAIN, queue, trusted);
	}
	if (*text)
		print_line(e, stdout, STYLE_WARNING, queue, text);
}

static void show_event(struct enrolling *e, const cJSON *event)
{
	const char *kind = member_text(event, "event"), *text = member_text(event, "text");
	const char *queue = member_text(event, "queue"), *remedy = member_text(event, "remedy");

	if (strcmp(kind, "waiting") == 0) {
		/* for one queue it is as before, for all of them somebody has signed in */
		if (!*queue)
			e->sign_in.expires_ms = 0;
		show_waiting(e, queue, text);
		return;
	}
	status_clear(e->cli);
	if (strcmp(kind, "code") == 0) {
		sign_in_show(&e->sign_in, e->cli, event);
	} else if (strcmp(kind, "failed") == 0) {
		print_line(e, stderr, STYLE_BAD, queue, text);
		if (*remedy)
			print_wrapped(stderr, INDENT, e->cli->width, "", STYLE_PLAIN, remedy,
			              false);
	} else if (strcmp(kind, "registered") == 0) {
		show_registered(e, event);
	} else if (strcmp(kind, "done") == 0) {
		if (e->cli->all && !e->registered && !e->failed)
			print_wrapped(stdout, 0, e->cli->width, "", STYLE_PLAIN,
			              e->cli->renew ? "there is no certificate to renew"
			                            : "all queues that [printers] includes are "
			                              "registered already",
			              false);
		else if (e->registered + e->failed > 1)
			(void)printf("%u %s, %u failed\n", e->registered,
			             e->cli->renew ? "renewed" : "registered", e->failed);
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
	if (strcmp(kind, "done") == 0) { /* counts those too that were told together */
		const unsigned failed = (unsigned)member_number(event, "failed", 0);

		e->failed = failed > e->failed ? failed : e->failed;
	}
	e->failed += strcmp(kind, "failed") == 0;
	if (!e->cli->json)
		show_event(e, event);
	else if (strcmp(kind, "done") != 0)
		cli_print_json(cJSON_Duplicate(event, true));
}

static bool on_tick(void *data)
{
	struct enrolling *e = data;

	if (!e->cli->json)
		sign_in_tick(&e->sign_in, e->cli);
	return !terminal_was_interrupted();
}

/* ---- the call ---- */

static void add_text(cJSON *object, const char *name, const char *text)
{
	if (text)
		(void)cJSON_AddStringToObject(object, name, text);
}

static void add_true(cJSON *object, const char *name, bool value)
{
	if (value)
		(void)cJSON_AddTrueToObject(object, name);
}

/* The daemon runs elsewhere. */
static void add_path(cJSON *object, const char *name, const char *path)
{
	char here[PATH_MAX];

	if (path && !fs_is_secret_path(path) && getcwd(here, sizeof(here))) {
		AUTO(free_str) char *whole = xasprintf("%s/%s", here, path);

		add_text(object, name, whole);
		return;
	}
	add_text(object, name, path);
}

static cJSON *parameters_new(const struct cli *cli)
{
	cJSON *ret = cJSON_CreateObject();

	if (cli->all)
		add_true(ret, "all", true);
	else
		(void)cJSON_AddItemToObject(
			ret, "queues",
			cJSON_CreateStringArray((const char *const *)cli->arguments, cli->n));
	add_text(ret, "cloud", cli->cloud);
	add_text(ret, "name", cli->name);
	add_text(ret, "cloud_uri", cli->cloud_uri);
	add_path(ret, "certificate_file", cli->certificate);
	add_path(ret, "key_file", cli->key);
	add_text(ret, "username", cli->username);
	add_path(ret, "password_file", cli->password_file);
	add_true(ret, "renew", cli->renew);
	add_true(ret, "dry_run", cli->dry_run);
	return ret;
}

/* The call itself failed: the same as an event for all queues. */
static void refused(struct enrolling *e, const struct failure *f)
{
	static const char *const none[] = { "user_code",  "verification_uri", "expires_at",
		                            "registered", "failed",           "key" };
	cJSON *event = cJSON_CreateObject();

	add_text(event, "event", "failed");
	(void)cJSON_AddNullToObject(event, "queue");
	(void)cJSON_AddNullToObject(event, "printer");
	add_text(event, "text", f->text);
	if (*f->remedy)
		add_text(event, "remedy", f->remedy);
	else
		(void)cJSON_AddNullToObject(event, "remedy");
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		(void)cJSON_AddNullToObject(event, none[i]);
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
	if (!cli->n == !cli->all)
		return failure_set(f, CLI_USAGE, "rejected",
		                   "usage: print-connector register QUEUE… | --all [OPTIONS]",
		                   cli->all ? "register: --all goes without queues"
		                            : "register: too few arguments");
	if (cli->cloud_uri && (cli->all || cli->n > 1))
		return failure_set(f, CLI_USAGE, "rejected", "register them one by one",
		                   "--cloud-uri names one printer, but there are several queues");
	if (cli->name && (cli->all || cli->n > 1))
		return failure_set(f, CLI_USAGE, "rejected", "register them one by one",
		                   "--name is for one queue, but there are several");
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
	int rc;

	if (check(cli, &f) < 0)
		return failure_show(cli, &f);
	terminal_catch_signals();
	cli->tick = on_tick;
	cli->tick_data = &e;
	rc = cli_call_more(cli, "Register", parameters_new(cli), on_event, &e, &f);
	status_clear(cli);
	/* nothing was begun, or nobody knows what was */
	if (rc < 0 && f.exit != CLI_FAILED)
		return failure_show(cli, &f);
	if (rc < 0)
		refused(&e, &f);
	if (cli->json)
		print_done(&e);
	if (e.failed)
		return CLI_FAILED;
	return e.warned ? CLI_ATTENTION : CLI_DONE;
}
