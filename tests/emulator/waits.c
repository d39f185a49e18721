#include "tests/emulator/waits.h"

#include <stdlib.h>
#include <string.h>

#include <cups/ipp.h>
#include <microhttpd.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/events.h"
#include "tests/emulator/jobs.h"
#include "tests/emulator/json.h"
#include "tests/emulator/operations.h"
#include "tests/emulator/printers.h"
#include "tests/emulator/record.h"
#include "tests/emulator/up.h"

const char *query(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
}

long long query_number(struct MHD_Connection *connection, const char *name, long long absent)
{
	const char *text = query(connection, name);

	return text != NULL && *text != '\0' ? strtoll(text, NULL, 0) : absent;
}

static struct printer *named_printer(struct MHD_Connection *connection)
{
	const char *name = query(connection, "printer");

	return name ? printers_find(name, strlen(name)) : NULL;
}

/* "9", "7,8,9" or "final" */
static bool state_fits(const char *list, int state)
{
	if (list == NULL)
		return true;
	if (strcmp(list, "final") == 0)
		return state >= IPP_JSTATE_CANCELED;
	while (*list != '\0') {
		char *end;

		if (strtol(list, &end, 10) == state)
			return true;
		if (end == list)
			return false;
		list = *end == ',' ? end + 1 : end;
	}
	return false;
}

static bool has_reason(const struct job *j, const char *reason)
{
	int i;

	for (i = 0; reason != NULL && i < j->device_reason_count; i++) {
		if (strcmp(j->device_reasons[i], reason) == 0)
			return true;
	}
	return reason == NULL;
}

static bool job_fits(struct MHD_Connection *c, struct printer *p)
{
	struct job *j = p ? job_find(p, (int)query_number(c, "job", 0)) : NULL;

	return j != NULL && state_fits(query(c, "state"), j->state) &&
	       (query_number(c, "acknowledged", 0) == 0 || j->acknowledged_us != 0) &&
	       (query_number(c, "fetchable", 0) == 0 || job_is_fetchable(j)) &&
	       j->impressions >= query_number(c, "impressions", j->impressions) &&
	       has_reason(j, query(c, "reason"));
}

static long long count_jobs(const struct printer *p, const char *states)
{
	long long n = 0;
	int i;

	for (i = 0; i < p->job_count; i++)
		n += state_fits(states, p->jobs[i]->state);
	return n;
}

static bool jobs_fit(struct MHD_Connection *c, struct printer *p)
{
	long long n = 0;
	struct printer *each;

	if (p != NULL) {
		n = count_jobs(p, query(c, "state"));
	} else {
		for (each = printers_first(); each != NULL; each = printer_next(each))
			n += count_jobs(each, query(c, "state"));
	}
	return n >= query_number(c, "jobs", 0);
}

static bool printer_fits(struct MHD_Connection *c, struct printer *p)
{
	const struct device *d;
	struct subscription *s;
	long long devices = 0, subscriptions = 0;

	TAILQ_FOREACH(d, &p->devices, entry)
	devices++;
	TAILQ_FOREACH(s, &p->subscriptions, entry)
	subscriptions++;
	if (query(c, "devices") != NULL && devices != query_number(c, "devices", 0))
		return false;
	return devices >= query_number(c, "device", 0) &&
	       printer_state(p) == query_number(c, "printer-state", printer_state(p)) &&
	       p->waiting >= query_number(c, "waiting", 0) &&
	       subscriptions >= query_number(c, "subscriptions", 0);
}

/* Without a printer: that many of all printers have a device, or a long poll waiting. */
static bool all_printers_fit(struct MHD_Connection *c)
{
	long long with_device = 0, waiting = 0;
	struct printer *p;

	for (p = printers_first(); p != NULL; p = printer_next(p)) {
		with_device += !TAILQ_EMPTY(&p->devices);
		waiting += p->waiting > 0;
	}
	return with_device >= query_number(c, "device", 0) &&
	       waiting >= query_number(c, "waiting", 0);
}

int waits_check(struct MHD_Connection *c, char **why)
{
	const char *operation = query(c, "operation"), *name = query(c, "printer");
	struct printer *p = named_printer(c);
	int code = operation ? operation_value(operation) : 0;

	if (operation != NULL && code <= 0) {
		*why = xprintf("%s: no such operation", operation);
		return -1;
	}
	if (name != NULL && p == NULL)
		return query_number(c, "gone", 0) != 0;
	if (query(c, "job") != NULL && !job_fits(c, p))
		return 0;
	if (query(c, "jobs") != NULL && !jobs_fit(c, p))
		return 0;
	if (p != NULL ? !printer_fits(c, p) : !all_printers_fit(c))
		return 0;
	if (operation != NULL && record_count(name, code) < query_number(c, "count", 1))
		return 0;
	if (up_printers_count() < query_number(c, "registered", 0))
		return 0;
	if (query(c, "violations") != NULL &&
	    record_violations(name) < query_number(c, "violations", 1))
		return 0;
	return 1;
}

void waits_write(struct MHD_Connection *c, struct buffer *b)
{
	struct printer *p = named_printer(c);
	struct job *j = p ? job_find(p, (int)query_number(c, "job", 0)) : NULL;

	if (p != NULL) {
		json_number(b, "printer_state", printer_state(p));
		json_number(b, "waiting", p->waiting);
		json_number(b, "jobs", p->job_count);
	}
	if (j != NULL)
		job_write_json(j, b, "job", true);
	if (query(c, "operation") != NULL)
		json_number(
			b, "count",
			record_count(query(c, "printer"), operation_value(query(c, "operation"))));
}
