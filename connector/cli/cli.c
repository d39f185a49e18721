/* cli.c - what all verbs need: the way to the daemon, failures, JSON. */
#include "connector/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config.h"
#include "common/err.h"
#include "common/str.h"
#include "common/util.h"
#include "common/varlink.h"
#include "connector/cli/client.h"
#include "connector/cli/table.h"
#include "connector/cli/terminal.h"

#define ANSWER_MS 30000
#define EVENT_MS  1200000 /* of a registration, which waits for somebody to sign in */

int failure_set(struct failure *f, enum cli_exit exit, const char *kind, const char *remedy,
                const char *fmt, ...)
{
	va_list ap;

	*f = (struct failure){ .exit = exit };
	(void)str_copy(f->kind, sizeof(f->kind), kind);
	(void)str_copy(f->remedy, sizeof(f->remedy), remedy);
	va_start(ap, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	return -1;
}

cJSON *failure_json(const struct failure *f)
{
	cJSON *ret = cJSON_CreateObject();

	(void)cJSON_AddStringToObject(ret, "kind", f->kind);
	(void)cJSON_AddNumberToObject(ret, "code", f->code);
	(void)cJSON_AddStringToObject(ret, "text", f->text);
	if (*f->remedy)
		(void)cJSON_AddStringToObject(ret, "remedy", f->remedy);
	else
		(void)cJSON_AddNullToObject(ret, "remedy");
	return ret;
}

int failure_show(const struct cli *cli, const struct failure *f)
{
	/* whoever looks for it in a file wants it in one line */
	unsigned width = isatty(STDERR_FILENO) ? cli->width : UINT16_MAX;

	if (cli->json) {
		cJSON *object = cJSON_CreateObject();

		(void)cJSON_AddItemToObject(object, "error", failure_json(f));
		cli_print_json(object);
		return (int)f->exit;
	}
	(void)fflush(stdout);
	print_wrapped(stderr, 2, width, "print-connector:", STYLE_PLAIN, f->text, false);
	if (*f->remedy)
		print_wrapped(stderr, 2, width, "", STYLE_PLAIN, f->remedy, false);
	return (int)f->exit;
}

void cli_print_json(cJSON *object)
{
	cJSON *whole = cJSON_CreateObject(), *item;
	char *text;

	(void)cJSON_AddNumberToObject(whole, "schema", 1);
	while ((item = object->child)) {
		cJSON_DetachItemViaPointer(object, item);
		(void)cJSON_AddItemToArray(whole, item);
	}
	text = cJSON_PrintUnformatted(whole);
	if (text)
		(void)puts(text);
	(void)fflush(stdout);
	cJSON_free(text);
	cJSON_Delete(whole);
	cJSON_Delete(object);
}

/* ---- the way to the daemon ---- */

/* Settings that are wrong or not ours to read must not keep us from a daemon that runs. */
static int socket_path(const struct cli *cli, char **ret, struct failure *f)
{
	struct config *config;
	const char *directory;
	struct err err;

	if (cli->socket) {
		*ret = xstrdup(cli->socket);
		return 0;
	}
	if (config_load(cli->config, &config, &err) == 0) {
		*ret = xasprintf("%s/control", config->runtime_directory);
		config_free(config);
		return 0;
	}
	if (cli->config)
		return failure_set(f, CLI_FAILED, err_kind_name(err.kind),
		                   "mend the settings, or say where the daemon listens: --socket "
		                   "PATH",
		                   "%s", err.text);
	directory = getenv("RUNTIME_DIRECTORY");
	*ret = xasprintf("%s/control",
	                 directory && *directory ? directory : "/run/print-connector");
	return 0;
}

static int connect_daemon(struct cli *cli, struct failure *f)
{
	AUTO(free_str) char *path = NULL;

	if (cli->client)
		return 0;
	if (socket_path(cli, &path, f) < 0)
		return -1;
	return client_open(&cli->client, path, f);
}

/* Progress of what takes longer than a second. */
static bool on_wait(void *data)
{
	struct cli *cli = data;
	char line[64];

	(void)snprintf(line, sizeof(line), "waiting for print-connectord, %u s", ++cli->waited);
	status_line(cli, line);
	return true;
}

static int call(struct cli *cli, const char *method, cJSON *parameters, bool more,
                void (*each)(void *data, cJSON *answer), void *data, struct failure *f)
{
	char name[VARLINK_METHOD_SIZE];
	int rc;

	(void)snprintf(name, sizeof(name), VARLINK_INTERFACE ".%s", method);
	if (connect_daemon(cli, f) < 0) {
		cJSON_Delete(parameters);
		return -1;
	}
	cli->waited = 0;
	client_on_tick(cli->client, cli->tick ? cli->tick : on_wait,
	               cli->tick ? cli->tick_data : cli);
	rc = client_call(cli->client, name, parameters, more,
	                 !more              ? ANSWER_MS
	                 : cli->patience_ms ? cli->patience_ms
	                                    : EVENT_MS,
	                 each, data, f);
	if (!cli->tick)
		status_clear(cli);
	if (rc < 0 && f->exit == CLI_UNREACHABLE) {
		client_close(cli->client);
		cli->client = NULL;
	}
	return rc;
}

static void on_answer(void *data, cJSON *answer)
{
	cJSON **ret = data;

	cJSON_Delete(*ret);
	*ret = answer;
}

int cli_call(struct cli *cli, const char *method, cJSON *parameters, cJSON **ret, struct failure *f)
{
	cJSON *answer = NULL;

	if (call(cli, method, parameters, false, on_answer, &answer, f) < 0) {
		cJSON_Delete(answer);
		return -1;
	}
	*ret = answer;
	return 0;
}

struct listener {
	void (*event)(void *data, const cJSON *answer);
	void *data;
};

static void on_event(void *data, cJSON *answer)
{
	const struct listener *l = data;

	l->event(l->data, answer);
	cJSON_Delete(answer);
}

int cli_call_more(struct cli *cli, const char *method, cJSON *parameters,
                  void (*event)(void *data, const cJSON *answer), void *data, struct failure *f)
{
	struct listener l = { .event = event, .data = data };

	return call(cli, method, parameters, true, on_event, &l, f);
}

/* ---- answers ---- */

const char *member_text(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsString(item) ? item->valuestring : "";
}

int64_t member_number(const cJSON *object, const char *name, int64_t fallback)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!cJSON_IsNumber(item) || !(item->valuedouble > -9e15 && item->valuedouble < 9e15))
		return fallback;
	return (int64_t)item->valuedouble;
}

bool member_true(const cJSON *object, const char *name)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, name));
}
