#include "connector/cli/complete.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/str.h"
#include "connector/cli/cli.h"
#include "connector/cli/verbs.h"

#define PLACE_SIZE 32

struct completion {
	struct cli *cli;
	const char *typed;       /* the unfinished word */
	const struct verb *verb; /* NULL: not typed yet */
	int arguments;           /* of it, before the unfinished word */
	enum flag wants;         /* the option whose value is unfinished */
};

/* Nothing that a terminal or a shell could take for more than a name. */
static bool is_plain(const char *word)
{
	for (const char *c = word; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == '\x7f' || strchr("\"'\\$`;&|<>", *c))
			return false;
	return *word;
}

static void offer(const struct completion *c, const char *word, const char *what)
{
	char shown[160];

	if (strncmp(word, c->typed, strlen(c->typed)) != 0 || !is_plain(word))
		return;
	str_clean(what, shown, sizeof(shown));
	(void)printf("%s\t%s\n", word, shown);
}

static void offer_verbs(const struct completion *c)
{
	for (size_t i = 0; i < verb_count; i++)
		offer(c, verbs[i].name, verbs[i].help);
}

static void offer_flags(const struct completion *c)
{
	char word[48];

	for (enum flag i = FLAG_NONE + 1; i < FLAG_COUNT; i++) {
		if (!verb_takes(c->verb, i))
			continue;
		(void)snprintf(word, sizeof(word), "--%s", flags[i].name);
		offer(c, word, flags[i].help);
	}
}

/* ---- what the daemon knows ---- */

static bool on_tick(void *data)
{
	(void)data;
	return false; /* somebody waits for the shell */
}

/* Offers a member of each object of a list that the method answers with; those with the member
 * without are left out. */
static void offer_list(const struct completion *c, const char *method, cJSON *parameters,
                       const char *list, const char *name, const char *what, const char *without)
{
	cJSON *answer = NULL;
	const cJSON *item;
	struct failure f;
	char number[24];

	c->cli->tick = on_tick;
	if (cli_call(c->cli, method, parameters, &answer, &f) < 0)
		return;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(answer, list))
	{
		const cJSON *member = cJSON_GetObjectItemCaseSensitive(item, name);

		if (without && member_true(item, without))
			continue;
		if (cJSON_IsNumber(member)) {
			(void)snprintf(number, sizeof(number), "%.0f", member->valuedouble);
			offer(c, number, member_text(item, what));
		} else if (cJSON_IsString(member)) {
			offer(c, member->valuestring, member_text(item, what));
		}
	}
	cJSON_Delete(answer);
}

static void offer_printers(const struct completion *c)
{
	offer_list(c, "ListPrinters", NULL, "printers", "queue", "state", NULL);
}

/* Most verbs are about registered printers, some about any queue. */
static void offer_queues(const struct completion *c)
{
	const char *verb = c->verb && !c->wants ? c->verb->name : "";

	if (strcmp(verb, "register") == 0)
		offer_list(c, "ListQueues", NULL, "queues", "name", "info", "registered");
	else if (strcmp(verb, "explain") == 0 || strcmp(verb, "rebind") == 0)
		offer_list(c, "ListQueues", NULL, "queues", "name", "info", NULL);
	else
		offer_printers(c);
}

static void offer_jobs(const struct completion *c)
{
	cJSON *parameters = cJSON_CreateObject();

	/* a finished job can be looked at, and nothing else */
	if (strcmp(c->verb->name, "job") == 0)
		(void)cJSON_AddTrueToObject(parameters, "all");
	offer_list(c, "ListJobs", parameters, "jobs", "id", "state", NULL);
}

static void offer_clouds(const struct completion *c)
{
	offer_list(c, "GetStatus", NULL, "clouds", "name", "type", NULL);
}

/* ---- what is wanted at this place ---- */

/* The word that stands for the argument in the verb's usage: "QUEUE…" stands for all that follow,
 * "[QUEUE]" for one that may be left out. */
static void place(const struct completion *c, char ret[PLACE_SIZE])
{
	const char *usage = c->verb->arguments ? c->verb->arguments : "";

	*ret = '\0';
	for (int i = 0; *usage; i++) {
		size_t len = strcspn(usage, " ");
		const bool optional = *usage == '[';

		if (usage[optional] == '-')
			return;
		(void)snprintf(ret, PLACE_SIZE, "%.*s", (int)len - 2 * optional, usage + optional);
		if (i == c->arguments || strstr(ret, "…"))
			return;
		*ret = '\0';
		usage += len;
		usage += *usage == ' ';
	}
}

static void offer_place(const struct completion *c, const char *what)
{
	if (strncmp(what, "QUEUE", strlen("QUEUE")) == 0)
		offer_queues(c);
	else if (strcmp(what, "PRINTER") == 0)
		offer_printers(c);
	else if (strcmp(what, "ID") == 0)
		offer_jobs(c);
	else if (strcmp(what, "FILE") == 0 || strcmp(what, "PATH") == 0)
		(void)puts(":files");
}

static enum flag flag_of(const struct verb *verb, const char *word)
{
	for (enum flag i = FLAG_NONE + 1; i < FLAG_COUNT; i++)
		if (verb_takes(verb, i) && strcmp(flags[i].name, word) == 0)
			return i;
	return FLAG_NONE;
}

static const struct verb *verb_of(const char *word)
{
	for (size_t i = 0; i < verb_count; i++)
		if (strcmp(verbs[i].name, word) == 0)
			return &verbs[i];
	return NULL;
}

/* One finished word. false: nothing that follows makes sense. */
static bool take(struct completion *c, const char *word)
{
	const enum flag wants = c->wants;

	if (strcmp(word, "=") == 0) /* bash makes three words of --option=value */
		return true;
	c->wants = FLAG_NONE;
	if (wants == FLAG_CONFIG)
		c->cli->config = word;
	if (wants == FLAG_SOCKET)
		c->cli->socket = word;
	if (wants)
		return true;
	if (strncmp(word, "--", 2) == 0) {
		const enum flag flag = flag_of(c->verb, word + 2);

		if (flag && flags[flag].argument)
			c->wants = flag;
		return true;
	}
	if (c->verb) {
		c->arguments++;
		return true;
	}
	c->verb = verb_of(word);
	return c->verb;
}

void complete(struct cli *cli, int n, char **words)
{
	struct completion c = { .cli = cli, .typed = n ? words[n - 1] : "" };
	char what[PLACE_SIZE];

	for (int i = 0; i < n - 1; i++)
		if (!take(&c, words[i]))
			return;
	if (strcmp(c.typed, "=") == 0)
		c.typed = "";
	if (c.wants == FLAG_CLOUD) {
		offer_clouds(&c);
	} else if (c.wants) {
		offer_place(&c, flags[c.wants].argument);
	} else if (*c.typed == '-') {
		offer_flags(&c);
	} else if (!c.verb) {
		offer_verbs(&c);
	} else {
		place(&c, what);
		offer_place(&c, what);
	}
}
