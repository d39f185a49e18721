#include "connector/control/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/base/crypto.h"

#define HASH_SHOWN 6 /* bytes: enough to tell the users of one site apart */

static cJSON *text_new(const char *text)
{
	size_t size = strlen(text) + 1;
	char small[256];
	AUTO(free_str) char *large = size > sizeof(small) ? xmalloc(size) : NULL;

	str_clean(text, large ? large : small, size);
	return cJSON_CreateString(large ? large : small);
}

static void add(cJSON *object, const char *name, cJSON *value)
{
	(void)cJSON_AddItemToObjectCS(object, name, value);
}

void json_add_text(cJSON *object, const char *name, const char *text)
{
	add(object, name, text ? text_new(text) : cJSON_CreateNull());
}

/* "" is null too. */
static void add_known(cJSON *object, const char *name, const char *text)
{
	json_add_text(object, name, text && *text ? text : NULL);
}

static void add_number(cJSON *object, const char *name, int64_t value)
{
	add(object, name, cJSON_CreateNumber((double)value));
}

void json_add_count(cJSON *object, const char *name, int64_t value, bool known)
{
	add(object, name, known ? cJSON_CreateNumber((double)value) : cJSON_CreateNull());
}

void json_add_time(cJSON *object, const char *name, int64_t unix_ms)
{
	char text[STR_TIME_SIZE];

	if (unix_ms)
		str_time_format(unix_ms, text);
	json_add_text(object, name, unix_ms ? text : NULL);
}

void json_split(const char *text, char what[TEXT_SIZE], char remedy[TEXT_SIZE])
{
	const char *part = strstr(text, "; ");
	size_t len = part ? (size_t)(part - text) : strlen(text);

	if (len >= TEXT_SIZE)
		len = TEXT_SIZE - 1;
	memcpy(what, text, len);
	what[len] = '\0';
	(void)str_copy(remedy, TEXT_SIZE, part ? part + 2 : "");
}

cJSON *json_cloud(const struct core_cloud *cloud)
{
	cJSON *ret = cJSON_CreateObject();
	bool asked = cloud->reachable || cloud->error || cloud->since;

	json_add_text(ret, "name", cloud->name);
	json_add_text(ret, "type", cloud->type);
	add(ret, "reachable", asked ? cJSON_CreateBool(cloud->reachable) : cJSON_CreateNull());
	json_add_time(ret, "since", cloud->since);
	add_known(ret, "error", cloud->error);
	return ret;
}

/* Whose text says what helps: a queue knows better than the table. */
static bool is_of_queue(enum health_code code)
{
	return code == HEALTH_QUEUE_STOPPED || code == HEALTH_QUEUE_MISSING;
}

cJSON *json_health(const struct core_health *health)
{
	const char *subject = health->subject ? health->subject : "";
	char text[512], what[TEXT_SIZE], helps[TEXT_SIZE];
	cJSON *ret = cJSON_CreateObject();

	json_add_text(ret, "code", health_code_name(health->code));
	json_add_text(ret, "severity", health_severity_name(health_severity(health->code)));
	json_add_text(ret, "subject", subject);
	health_text(health->code, subject, text, sizeof(text));
	json_split(health->text && is_of_queue(health->code) ? health->text : "", what, helps);
	json_add_text(ret, "text",
	              *what                           ? what
	              : health->text && *health->text ? health->text
	                                              : text);
	health_remedy(health->code, subject, text, sizeof(text));
	json_add_text(ret, "remedy", health->remedy ? health->remedy : *helps ? helps : text);
	return ret;
}

static cJSON *certificate_new(const struct core_printer *printer)
{
	cJSON *ret;

	if (!printer->not_after)
		return cJSON_CreateNull();
	ret = cJSON_CreateObject();
	json_add_time(ret, "not_after", printer->not_after * 1000);
	json_add_text(ret, "sha256",
	              printer->certificate_sha256 ? printer->certificate_sha256 : "");
	return ret;
}

/* NULL: a queue of CUPS. */
static const char *trust_of(const struct printer_record *printer)
{
	if (!queue_is_uri(printer->queue))
		return NULL;
	if (strncmp(printer->queue, "ipps://", 7) != 0)
		return "none";
	return *printer->pinned_key ? "key" : "authority";
}

cJSON *json_printer(const struct core_printer *printer)
{
	const struct printer_record *r = printer->record;
	cJSON *reasons = cJSON_CreateArray(), *ret = cJSON_CreateObject();

	for (size_t i = 0; i < ARRAY_SIZE(printer->reasons) && printer->reasons[i]; i++)
		(void)cJSON_AddItemToArray(reasons, text_new(printer->reasons[i]));
	json_add_text(ret, "id", r->id);
	json_add_text(ret, "queue", r->queue);
	add_known(ret, "name", r->name);
	json_add_text(ret, "cloud", r->cloud);
	/* where it has none of its own, its URI says which one it is */
	add_known(ret, "cloud_printer", *r->cloud_printer ? r->cloud_printer : r->cloud_uri);
	json_add_text(ret, "state", printer->state);
	add(ret, "reasons", reasons);
	json_add_time(ret, "since", printer->since);
	add_number(ret, "jobs", printer->jobs);
	add(ret, "certificate", certificate_new(printer));
	json_add_text(ret, "trust", trust_of(r));
	return ret;
}

static void add_name(cJSON *object, const char *key, const char *name, enum config_names names)
{
	uint8_t hash[32];
	char text[2 + 2 * HASH_SHOWN] = "#";

	switch (names) {
	case CONFIG_NAMES_SHOWN:
		add_known(object, key, name);
		return;
	case CONFIG_NAMES_HIDDEN:
		json_add_text(object, key, NULL);
		return;
	case CONFIG_NAMES_HASHED:
		break;
	}
	crypto_sha256(name, strlen(name), hash);
	for (size_t i = 0; i < HASH_SHOWN; i++)
		(void)snprintf(text + 1 + 2 * i, 3, "%02x", hash[i]);
	add_known(object, key, *name ? text : NULL);
}

static cJSON *failure_new(const struct job_record *job)
{
	cJSON *ret;

	if (job->error_kind == ERR_NONE)
		return cJSON_CreateNull();
	ret = cJSON_CreateObject();
	json_add_text(ret, "kind", err_kind_name(job->error_kind));
	add_number(ret, "code", job->error_code);
	json_add_text(ret, "text", job->error_text);
	return ret;
}

/* One option a line. */
static cJSON *dropped_new(const char *lines)
{
	cJSON *ret = cJSON_CreateArray();
	char line[sizeof(((struct job_record *)0)->dropped)];

	while (*lines) {
		size_t len = strcspn(lines, "\n");

		if (len && len < sizeof(line)) {
			memcpy(line, lines, len);
			line[len] = '\0';
			(void)cJSON_AddItemToArray(ret, text_new(line));
		}
		lines += len + (lines[len] == '\n');
	}
	return ret;
}

static cJSON *times_new(const struct job_record *job)
{
	cJSON *ret = cJSON_CreateObject();

	json_add_time(ret, "received", job->received);
	json_add_time(ret, "acknowledged", job->acked);
	json_add_time(ret, "handed", job->handed);
	json_add_time(ret, "finished", job->finished);
	json_add_time(ret, "reported", job->reported);
	return ret;
}

cJSON *json_job(const struct job_record *job, const char *queue, const char *cloud,
                enum config_names names)
{
	cJSON *ret = cJSON_CreateObject();

	add_number(ret, "id", job->id);
	json_add_text(ret, "uuid", job->uuid);
	json_add_text(ret, "queue", queue);
	json_add_text(ret, "cloud", cloud);
	add_number(ret, "cloud_job", job->cloud_job);
	add_name(ret, "name", job->job_name, names);
	add_name(ret, "user", job->user_name, names);
	json_add_text(ret, "state", job_state_name(job->state));
	add_known(ret, "outcome", job_outcome_name(job->outcome));
	json_add_count(ret, "local_job", job->local_job, job->local_job > 0);
	json_add_count(ret, "bytes", job->bytes, job->bytes > 0);
	json_add_count(ret, "impressions", job->impressions, job->impressions >= 0);
	add_number(ret, "attempts", job->attempt);
	add(ret, "error", failure_new(job));
	add(ret, "dropped", dropped_new(job->dropped));
	add(ret, "times", times_new(job));
	return ret;
}

cJSON *json_event(const struct job_event *event)
{
	cJSON *ret = cJSON_CreateObject();
	char time[STR_TIME_SIZE];

	str_time_format(event->time, time);
	json_add_text(ret, "time", time);
	json_add_text(ret, "source", event->source);
	json_add_text(ret, "text", event->text);
	return ret;
}

cJSON *json_printer_counts(const struct core_counts *n)
{
	cJSON *ret = cJSON_CreateObject();

	add_number(ret, "online", n->printers_online);
	add_number(ret, "offline", n->printers_offline);
	add_number(ret, "paused", n->printers_paused);
	add_number(ret, "refused", n->printers_refused);
	add_number(ret, "registering", n->printers_registering);
	return ret;
}

cJSON *json_job_counts(const struct core_counts *n)
{
	cJSON *ret = cJSON_CreateObject();

	for (int state = 0; state < JOB_DONE; state++)
		add_number(ret, job_state_name((enum job_state)state), n->jobs[state]);
	return ret;
}

cJSON *json_doctor(const char *event, const struct doctor_result *r)
{
	cJSON *ret = cJSON_CreateObject();

	json_add_text(ret, "event", event);
	json_add_text(ret, "step", r ? doctor_step_name(r->step) : NULL);
	json_add_text(ret, "mark", r ? doctor_mark_name(r->mark) : NULL);
	add_known(ret, "cloud", r ? r->cloud : NULL);
	add_known(ret, "subject", r ? r->subject : NULL);
	add_known(ret, "text", r ? r->text : NULL);
	add_known(ret, "remedy", r ? r->remedy : NULL);
	return ret;
}

cJSON *json_doctor_done(const unsigned marks[3])
{
	cJSON *ret = json_doctor("done", NULL);

	add_number(ret, "passed", marks[DOCTOR_PASS]);
	add_number(ret, "warned", marks[DOCTOR_WARN]);
	add_number(ret, "failed", marks[DOCTOR_FAIL]);
	return ret;
}
