#include "connector/summary.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/health.h"
#include "common/str.h"
#include "connector/core/core.h"

#define SUBJECT_SIZE 64

struct summary {
	char *text;
	size_t used;
	unsigned clouds;
	unsigned problems;
	enum health_code worst;
	char subject[SUBJECT_SIZE]; /* of it */
};

__attribute__((format(printf, 2, 3))) static void add(struct summary *s, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(s->text + s->used, SUMMARY_SIZE - s->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		s->used += (size_t)n;
	if (s->used >= SUMMARY_SIZE)
		s->used = SUMMARY_SIZE - 1;
}

/* "2 printers online", and nothing of none. */
static void count(struct summary *s, unsigned n, const char *noun, const char *state)
{
	const char *before = !s->used ? "" : *noun ? "; " : ", ";

	if (!n)
		return;
	if (*noun)
		add(s, "%s%u %s%s %s", before, n, noun, n == 1 ? "" : "s", state);
	else
		add(s, "%s%u %s", before, n, state);
}

static void on_cloud(void *data, const struct core_cloud *cloud)
{
	struct summary *s = data;

	(void)cloud;
	s->clouds++;
}

static void on_health(void *data, const struct core_health *health)
{
	struct summary *s = data;

	if (health_severity(health->code) == HEALTH_SEVERITY_INFO)
		return;
	if (!s->problems || health_severity(health->code) > health_severity(s->worst)) {
		s->worst = health->code;
		(void)str_copy(s->subject, sizeof(s->subject), health->subject);
	}
	s->problems++;
}

static void add_counts(struct summary *s, const struct core_counts *n)
{
	const unsigned off = n->printers_offline + n->printers_refused;
	const unsigned printing = n->jobs[JOB_PRINTING] + n->jobs[JOB_HANDING];
	const unsigned on = n->printers_online;

	count(s, on, "printer", "online");
	count(s, off, on ? "" : "printer", "offline");
	count(s, n->printers_paused, on + off ? "" : "printer", "paused");
	if (!s->used)
		add(s, "no printer is registered");
	count(s, printing, "job", "printing");
	count(s, n->jobs[JOB_WAITING], printing ? "" : "job", "waiting");
	count(s, n->jobs[JOB_HELD], printing + n->jobs[JOB_WAITING] ? "" : "job", "held");
}

void summary_write(struct core *core, char ret[SUMMARY_SIZE])
{
	struct summary s = { .text = ret };
	struct core_counts n = core_counts(core);
	char problem[SUMMARY_SIZE / 2];

	*ret = '\0';
	core_clouds(core, on_cloud, &s);
	core_health(core, on_health, &s);
	add_counts(&s, &n);
	if (!s.clouds)
		add(&s, "; no cloud is configured");
	if (!s.problems)
		return;
	health_text(s.worst, s.subject, problem, sizeof(problem));
	add(&s, "; %s", problem);
	if (s.problems > 1)
		add(&s, " (and %u more, see print-connector status)", s.problems - 1);
}
