/* verb_jobs.c - jobs, job, cancel. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/cli/cli.h"
#include "connector/cli/table.h"

#define LABEL       14
#define LIMIT_USUAL 50  /* jobs of a list for people */
#define PAGE        500 /* jobs of one call */

static int64_t now_ms(void)
{
	return (int64_t)time(NULL) * 1000;
}

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* How it ended, or where it is. */
static const char *job_state(const cJSON *job)
{
	const char *state = member_text(job, "state"), *outcome = member_text(job, "outcome");

	return strcmp(state, "done") == 0 && *outcome ? outcome : state;
}

/* ---- jobs ---- */

static bool any_user(const cJSON *jobs)
{
	const cJSON *job;

	cJSON_ArrayForEach(job, jobs)
	{
		if (*member_text(job, "user"))
			return true;
	}
	return false;
}

void jobs_print(FILE *out, const struct cli *cli, const cJSON *jobs)
{
	static const struct column with_user[] = { { "JOB", true, 0 },    { "QUEUE", false, 10 },
		                                   { "STATE", false, 0 }, { "RECEIVED", false, 0 },
		                                   { "PAGES", true, 0 },  { "USER", false, 8 } };
	bool users = any_user(jobs);
	struct table *t = table_new(with_user, ARRAY_SIZE(with_user) - !users);
	char text[TIME_SHORT_SIZE];
	const cJSON *job;

	cJSON_ArrayForEach(job, jobs)
	{
		const char *state = job_state(job);

		(void)snprintf(text, sizeof(text), "%" PRId64, member_number(job, "id", 0));
		table_add(t, STYLE_BOLD, text);
		table_add(t, STYLE_PLAIN, member_text(job, "queue"));
		table_add(t, style_of_state(state), state);
		time_short(member_text(member(job, "times"), "received"), now_ms(), text);
		table_add(t, STYLE_PLAIN, text);
		*text = '\0';
		if (member_number(job, "impressions", -1) >= 0)
			(void)snprintf(text, sizeof(text), "%" PRId64,
			               member_number(job, "impressions", 0));
		table_add(t, STYLE_PLAIN, text);
		if (users)
			table_add(t, STYLE_PLAIN, member_text(job, "user"));
		if (strcmp(state, "completed") != 0)
			table_note(t, member_text(member(job, "error"), "text"));
	}
	table_print(t, out, cli->width, cli->colours);
	table_free(t);
}

struct listing {
	struct cli *cli;
	int64_t limit;  /* 0: none */
	int64_t before; /* of the next page */
	int64_t shown, left;
	cJSON *jobs; /* of all pages; with --json they are printed as they come */
};

static void listing_add(struct listing *l, cJSON *job)
{
	char *text;

	if (!l->cli->json) {
		(void)cJSON_AddItemToArray(l->jobs, job);
	} else {
		text = cJSON_PrintUnformatted(job);
		(void)printf("%s%s", l->shown ? "," : "{\"schema\":1,\"jobs\":[", text);
		cJSON_free(text);
		cJSON_Delete(job);
	}
	l->shown++;
}

static cJSON *page_parameters(const struct listing *l)
{
	cJSON *ret = cJSON_CreateObject();
	int64_t most = l->limit ? l->limit - l->shown : PAGE;

	if (l->cli->printer)
		(void)cJSON_AddStringToObject(ret, "printer", l->cli->printer);
	if (l->cli->all)
		(void)cJSON_AddTrueToObject(ret, "all");
	if (l->before)
		(void)cJSON_AddNumberToObject(ret, "before", (double)l->before);
	(void)cJSON_AddNumberToObject(ret, "limit", (double)(most < PAGE ? most : PAGE));
	return ret;
}

/* One page more. */
static int listing_get(struct listing *l, struct failure *f)
{
	const bool first = !l->before;
	cJSON *answer, *jobs, *job;
	int64_t shown = l->shown;

	if (cli_call(l->cli, "ListJobs", page_parameters(l), &answer, f) < 0)
		return -1;
	jobs = cJSON_GetObjectItemCaseSensitive(answer, "jobs");
	while (jobs && (job = cJSON_DetachItemFromArray(jobs, 0)))
		listing_add(l, job);
	l->left = first ? member_number(answer, "left", 0) : l->left - (l->shown - shown);
	l->before = member_number(answer, "next", 0);
	cJSON_Delete(answer);
	return 0;
}

static int listing_get_all(struct listing *l, struct failure *f)
{
	do {
		if (listing_get(l, f) < 0)
			return -1;
	} while (l->before && (!l->limit || l->shown < l->limit));
	return 0;
}

/* What was begun is ended as JSON, also when it could not be had to its end. */
static int listing_print_json(const struct listing *l, const struct failure *f)
{
	cJSON *error = f ? failure_json(f) : NULL;
	char *text = error ? cJSON_PrintUnformatted(error) : NULL;

	(void)printf("%s],\"left\":%" PRId64 "%s%s}\n", l->shown ? "" : "{\"schema\":1,\"jobs\":[",
	             l->left, text ? ",\"error\":" : "", text ? text : "");
	cJSON_free(text);
	cJSON_Delete(error);
	return f ? (int)f->exit : CLI_DONE;
}

static void listing_print(const struct listing *l)
{
	if (l->shown)
		jobs_print(stdout, l->cli, l->jobs);
	else if (l->cli->all)
		(void)puts("there are no jobs yet; print-connector printers shows whether all is "
		           "ready");
	else
		(void)puts("no jobs are open; finished ones: print-connector jobs --all");
	if (l->left > 0)
		(void)printf("\n%" PRId64 " more; --limit 0 shows all\n", l->left);
}

int verb_jobs(struct cli *cli)
{
	struct listing l = { .cli = cli, .limit = cli->json ? 0 : LIMIT_USUAL };
	struct failure f;
	int rc;

	if (cli->limit && str_number_parse(cli->limit, 0, INT64_C(1) << 31, &l.limit) < 0) {
		(void)failure_set(&f, CLI_USAGE, "rejected", "0 shows all",
		                  "--limit wants a number of jobs");
		return failure_show(cli, &f);
	}
	l.jobs = cJSON_CreateArray();
	rc = listing_get_all(&l, &f);
	if (rc < 0 && !(cli->json && l.shown))
		rc = failure_show(cli, &f);
	else if (cli->json)
		rc = listing_print_json(&l, rc < 0 ? &f : NULL);
	else
		listing_print(&l);
	cJSON_Delete(l.jobs);
	return rc;
}

/* ---- job ---- */

int cli_parse_id(const struct cli *cli, int64_t *ret, struct failure *f)
{
	char shown[40];

	str_clean(cli->arguments[0], shown, sizeof(shown));
	if (str_number_parse(cli->arguments[0], 1, INT64_C(1) << 53, ret) < 0)
		return failure_set(f, CLI_USAGE, "rejected", "print-connector jobs shows them",
		                   "%s is not the number of a job", shown);
	return 0;
}

cJSON *cli_id_new(int64_t id)
{
	cJSON *ret = cJSON_CreateObject();

	(void)cJSON_AddNumberToObject(ret, "id", (double)id);
	return ret;
}

static void show_line(const struct cli *cli, const char *label, const char *text)
{
	if (*text)
		print_wrapped(stdout, LABEL, cli->width, label, STYLE_DIM, text, cli->colours);
}

static void show_document(const struct cli *cli, const cJSON *job)
{
	int64_t bytes = member_number(job, "bytes", -1);
	int64_t pages = member_number(job, "impressions", -1);
	char size[SIZE_SHORT_SIZE] = "unknown size", text[96];

	if (bytes < 0 && pages < 0)
		return;
	if (bytes >= 0)
		size_short(bytes, size);
	(void)str_copy(text, sizeof(text), size);
	if (pages >= 0)
		(void)snprintf(text, sizeof(text), "%s, %s", size,
		               COUNTED(pages, "impression", "impressions"));
	show_line(cli, "Document", text);
}

/* The longest time: one of another day has its date before it. */
static int time_width(const cJSON *events)
{
	char time[TIME_SHORT_SIZE];
	const cJSON *event;
	size_t longest = 0;

	cJSON_ArrayForEach(event, events)
	{
		time_exact(member_text(event, "time"), now_ms(), time);
		if (strlen(time) > longest)
			longest = strlen(time);
	}
	return (int)longest;
}

static void show_events(const struct cli *cli, const cJSON *events)
{
	int width = time_width(events);
	const cJSON *event;

	(void)puts("");
	if (cJSON_GetArraySize(events) == 0)
		(void)puts("its time-line is no longer kept");
	cJSON_ArrayForEach(event, events)
	{
		char time[TIME_SHORT_SIZE];
		AUTO(free_str) char *label = NULL;

		time_exact(member_text(event, "time"), now_ms(), time);
		label = xasprintf("%*s  %-9.20s", width, time, member_text(event, "source"));
		print_wrapped(stdout, text_width(label) + 2, cli->width, label, STYLE_DIM,
		              member_text(event, "text"), cli->colours);
	}
}

static void show_job(const struct cli *cli, const cJSON *job, const cJSON *events)
{
	const cJSON *error = member(job, "error"), *option;
	const char *state = job_state(job), *queue = member_text(job, "queue");
	char text[160];
	int64_t local = member_number(job, "local_job", 0);

	(void)printf("Job %" PRId64 ": ", member_number(job, "id", 0));
	style_begin(stdout, style_of_state(state), cli->colours);
	str_clean(state, text, sizeof(text));
	(void)fputs(text, stdout);
	style_end(stdout, style_of_state(state), cli->colours);
	(void)puts("\n");
	(void)snprintf(text, sizeof(text), "%.80s, job %" PRId64, member_text(job, "cloud"),
	               member_number(job, "cloud_job", 0));
	show_line(cli, "Cloud", *member_text(job, "cloud") ? text : "unregistered since");
	if (local)
		(void)snprintf(text, sizeof(text), "%.100s, job %" PRId64, queue, local);
	else
		(void)snprintf(text, sizeof(text), "%.100s", queue);
	show_line(cli, "Queue", *queue ? text : "unregistered since");
	show_line(cli, "Name", member_text(job, "name"));
	show_line(cli, "User", member_text(job, "user"));
	show_document(cli, job);
	(void)snprintf(text, sizeof(text), "%" PRId64, member_number(job, "attempts", 0));
	if (member_number(job, "attempts", 0) > 1)
		show_line(cli, "Tries", text);
	show_line(cli, "Last error", member_text(error, "text"));
	cJSON_ArrayForEach(option, member(job, "dropped"))
	{
		if (cJSON_IsString(option))
			show_line(cli, "Not as asked", option->valuestring);
	}
	show_events(cli, events);
}

/* The job's members beside "events". */
static cJSON *flattened(cJSON *answer)
{
	cJSON *job = cJSON_DetachItemFromObjectCaseSensitive(answer, "job");
	cJSON *events = cJSON_DetachItemFromObjectCaseSensitive(answer, "events");

	cJSON_Delete(answer);
	if (!cJSON_IsObject(job)) {
		cJSON_Delete(job);
		job = cJSON_CreateObject();
	}
	(void)cJSON_AddItemToObject(job, "events", events ? events : cJSON_CreateArray());
	return job;
}

int verb_job(struct cli *cli)
{
	struct failure f;
	cJSON *answer;
	int64_t id;

	if (cli_parse_id(cli, &id, &f) < 0 ||
	    cli_call(cli, "GetJob", cli_id_new(id), &answer, &f) < 0)
		return failure_show(cli, &f);
	if (cli->json) {
		cli_print_json(flattened(answer));
		return CLI_DONE;
	}
	show_job(cli, member(answer, "job"), member(answer, "events"));
	cJSON_Delete(answer);
	return CLI_DONE;
}

/* ---- cancel ---- */

int verb_cancel(struct cli *cli)
{
	struct failure f;
	cJSON *answer;
	int64_t id;

	if (cli_parse_id(cli, &id, &f) < 0 ||
	    cli_call(cli, "Cancel", cli_id_new(id), &answer, &f) < 0)
		return failure_show(cli, &f);
	cJSON_Delete(answer);
	if (cli->json) {
		cli_print_json(cli_id_new(id));
		return CLI_DONE;
	}
	(void)printf("job %" PRId64 " is being canceled; print-connector job %" PRId64
	             " tells when it has ended\n",
	             id, id);
	return CLI_DONE;
}
