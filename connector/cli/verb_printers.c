/* verb_printers.c - printers, and local queues that could be. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/buf.h"
#include "common/util.h"
#include "connector/cli/cli.h"
#include "connector/cli/table.h"

static void show_hint(const struct cli *cli, const char *text)
{
	print_wrapped(stdout, 0, cli->width, "", STYLE_PLAIN, text, false);
}

static void show_queues(const struct cli *cli, const cJSON *queues)
{
	static const struct column columns[] = { { "QUEUE", false, 12 },
		                                 { "DESCRIPTION", false, 10 },
		                                 { "MODEL", false, 10 },
		                                 { "REGISTERED", false, 0 } };
	struct table *t;
	const cJSON *queue;

	if (cJSON_GetArraySize(queues) == 0) {
		show_hint(cli, "CUPS has no queues; make one with lpadmin, or register an IPP "
		               "printer by its URI: print-connector register ipp://HOST/ipp/print "
		               "--cloud-uri URI");
		return;
	}
	t = table_new(columns, ARRAY_SIZE(columns));
	cJSON_ArrayForEach(queue, queues)
	{
		bool registered = member_true(queue, "registered");

		table_add(t, STYLE_PLAIN, member_text(queue, "name"));
		table_add(t, STYLE_PLAIN, member_text(queue, "info"));
		table_add(t, STYLE_PLAIN, member_text(queue, "make_and_model"));
		table_add(t, registered ? STYLE_GOOD : STYLE_DIM, registered ? "yes" : "no");
	}
	table_print(t, stdout, cli->width, cli->colours);
	table_free(t);
}

static void add_number(struct table *t, int64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)number);
	table_add(t, STYLE_PLAIN, text);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The queues of all printers in order: one that stands there twice is in several clouds. */
struct queues {
	const char **names; /* borrowed */
	size_t n;
};

static void queues_sort(struct queues *q, const cJSON *printers)
{
	const cJSON *printer;

	q->names = xcalloc((size_t)cJSON_GetArraySize(printers) + 1, sizeof(*q->names));
	q->n = 0;
	cJSON_ArrayForEach(printer, printers)
	{
		q->names[q->n++] = member_text(printer, "queue");
	}
	qsort(q->names, q->n, sizeof(*q->names), by_text);
}

static bool is_twin(const struct queues *q, const char *name)
{
	const char **at = bsearch(&name, q->names, q->n, sizeof(*q->names), by_text);

	if (!at)
		return false;
	return (at > q->names && strcmp(at[-1], name) == 0) ||
	       (at + 1 < q->names + q->n && strcmp(at[1], name) == 0);
}

/* Why it is not online; its id where the queue's name does not say which one is meant. */
static void add_note(struct table *t, const struct queues *queues, const cJSON *printer)
{
	AUTO(free_str) char *id = xasprintf("id %s", member_text(printer, "id"));
	const cJSON *reason;
	struct buf text;

	buf_init(&text, 4096);
	cJSON_ArrayForEach(reason, cJSON_GetObjectItemCaseSensitive(printer, "reasons"))
	{
		if (cJSON_IsString(reason))
			(void)buf_printf(&text, "%s%s", text.len ? "; " : "", reason->valuestring);
	}
	if (strcmp(member_text(printer, "trust"), "none") == 0)
		(void)buf_printf(&text, "%sunencrypted", text.len ? "; " : "");
	table_note(t, buf_text(&text));
	if (is_twin(queues, member_text(printer, "queue")))
		table_note(t, id);
	buf_clear(&text);
}

static void show_printers(const struct cli *cli, const cJSON *printers)
{
	static const struct column columns[] = { { "QUEUE", false, 12 },
		                                 { "CLOUD", false, 6 },
		                                 { "STATE", false, 0 },
		                                 { "SINCE", false, 0 },
		                                 { "JOBS", true, 0 } };
	char since[TIME_SHORT_SIZE];
	const cJSON *printer;
	struct queues queues;
	struct table *t;

	if (cJSON_GetArraySize(printers) == 0) {
		show_hint(cli, "no printers are registered yet; register one: print-connector "
		               "register QUEUE (print-connector printers "
		               "--available lists queues)");
		return;
	}
	t = table_new(columns, ARRAY_SIZE(columns));
	queues_sort(&queues, printers);
	cJSON_ArrayForEach(printer, printers)
	{
		const char *state = member_text(printer, "state");

		time_short(member_text(printer, "since"), (int64_t)time(NULL) * 1000, since);
		table_add(t, STYLE_PLAIN, member_text(printer, "queue"));
		table_add(t, STYLE_PLAIN, member_text(printer, "cloud"));
		table_add(t, style_of_state(state), state);
		table_add(t, STYLE_PLAIN, since);
		add_number(t, member_number(printer, "jobs", 0));
		add_note(t, &queues, printer);
	}
	table_print(t, stdout, cli->width, cli->colours);
	table_free(t);
	free(queues.names);
}

int verb_printers(struct cli *cli)
{
	struct failure f;
	cJSON *answer;

	if (cli_call(cli, cli->available ? "ListQueues" : "ListPrinters", NULL, &answer, &f) < 0)
		return failure_show(cli, &f);
	if (cli->json) {
		cli_print_json(answer);
		return CLI_DONE;
	}
	if (cli->available)
		show_queues(cli, cJSON_GetObjectItemCaseSensitive(answer, "queues"));
	else
		show_printers(cli, cJSON_GetObjectItemCaseSensitive(answer, "printers"));
	cJSON_Delete(answer);
	return CLI_DONE;
}
