#include "tests/emulator/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/clock.h"
#include "tests/emulator/exchange.h"
#include "tests/emulator/jobs.h"
#include "tests/emulator/json.h"
#include "tests/emulator/operations.h"
#include "tests/emulator/printers.h"

#define OPERATION_COUNT WEB_END /* of IPP, then of the web */

struct remark {
	TAILQ_ENTRY(remark) entry;
	bool violation;
	char *rule;
	char *text;
	char *printer;
	char *device;
	int operation;
	int job;
	int64_t us;
};

uint64_t record_changes;
static TAILQ_HEAD(, remark) remarks = TAILQ_HEAD_INITIALIZER(remarks);
static int64_t totals[OPERATION_COUNT];
static FILE *file;

int record_open(const char *path)
{
	file = fopen(path, "ae");
	return file ? 0 : -1;
}

void record_flush(void)
{
	if (file != NULL)
		fflush(file);
}

void record_close(void)
{
	record_clear_violations();
	if (file != NULL)
		fclose(file);
	file = NULL;
}

static void record_line(struct buffer *b)
{
	record_changes++;
	json_close(b, '}');
	if (file != NULL)
		fprintf(file, "%s\n", b->data);
	buffer_clear(b);
}

static void remark_write(const struct remark *r, struct buffer *b)
{
	json_string(b, "rule", r->rule);
	json_string(b, "text", r->text);
	json_string(b, "printer", r->printer);
	json_string(b, "device", r->device);
	json_string(b, "operation", r->operation ? operation_name(r->operation) : NULL);
	json_number(b, "job", r->job);
}

static void record_remark(struct remark *r)
{
	struct buffer b = { 0 };

	r->us = clock_us();
	TAILQ_INSERT_TAIL(&remarks, r, entry);
	json_open(&b, NULL, '{');
	json_time(&b, "time", r->us);
	json_string(&b, "kind", r->violation ? "violation" : "notice");
	remark_write(r, &b);
	record_line(&b);
}

__attribute__((format(printf, 3, 0))) static struct remark *
remark_new(bool violation, const char *rule, const char *fmt, va_list ap)
{
	struct remark *r = xcalloc(1, sizeof(*r));

	if (vasprintf(&r->text, fmt, ap) < 0)
		abort();
	r->violation = violation;
	r->rule = xstrdup(rule);
	return r;
}

__attribute__((format(printf, 4, 0))) static void
record_exchange(struct exchange *x, bool violation, const char *rule, const char *fmt, va_list ap)
{
	struct remark *r = remark_new(violation, rule, fmt, ap);

	if (x != NULL) {
		r->printer = xstrdup(x->printer ? x->printer->name : NULL);
		r->device = xstrdup(x->uuid);
		r->operation = x->request ? (int)ippGetOperation(x->request) : 0;
		r->job = x->job ? x->job->id : 0;
	}
	record_remark(r);
}

void record_web(const char *printer, int operation, bool violation, const char *rule,
                const char *fmt, va_list ap)
{
	struct remark *r = remark_new(violation, rule, fmt, ap);

	r->printer = xstrdup(printer);
	r->operation = operation;
	record_remark(r);
}

void record_web_operation(int operation)
{
	record_changes++;
	totals[operation]++;
}

void record_violation(struct exchange *x, const char *rule, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record_exchange(x, true, rule, fmt, ap);
	va_end(ap);
}

void record_notice(struct exchange *x, const char *rule, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record_exchange(x, false, rule, fmt, ap);
	va_end(ap);
}

void record_job(struct job *j, const char *what)
{
	struct buffer b = { 0 };

	record_changes++;
	if (file == NULL)
		return;
	json_open(&b, NULL, '{');
	json_time(&b, "time", clock_us());
	json_string(&b, "kind", "job");
	json_string(&b, "what", what);
	job_write_json(j, &b, "job", false);
	record_line(&b);
}

void record_told(struct job *j, const struct told *t)
{
	struct buffer b = { 0 };

	record_changes++;
	if (file == NULL)
		return;
	json_open(&b, NULL, '{');
	json_time(&b, "time", t->us);
	json_string(&b, "kind", "told");
	json_string(&b, "printer", j->printer->name);
	json_number(&b, "job", j->id);
	json_string(&b, "uuid", j->uuid);
	json_string(&b, "side", t->side);
	json_string(&b, "operation", ippOpString((ipp_op_t)t->operation));
	json_number(&b, "status", t->status);
	json_number(&b, "state", t->state);
	json_string(&b, "reasons", t->reasons);
	json_string(&b, "message", t->message);
	json_number(&b, "impressions", t->impressions);
	json_number(&b, "document", t->document);
	json_number(&b, "fetch_status", t->fetch_status);
	json_number(&b, "job_state", t->job_state);
	record_line(&b);
}

void record_operation(struct exchange *x, int status)
{
	int op = (int)ippGetOperation(x->request);

	(void)status;
	record_changes++;
	if (op < 0 || op >= WEB_NONE)
		return;
	totals[op]++;
	if (x->printer != NULL)
		x->printer->operations[op]++;
}

int64_t record_violations(const char *printer)
{
	struct remark *r;
	int64_t n = 0;

	TAILQ_FOREACH(r, &remarks, entry)
	{
		if (r->violation &&
		    (printer == NULL || (r->printer != NULL && strcmp(r->printer, printer) == 0)))
			n++;
	}
	return n;
}

static void record_write_kind(struct buffer *b, const char *key, bool violation,
                              const char *printer)
{
	struct remark *r;

	json_open(b, key, '[');
	TAILQ_FOREACH(r, &remarks, entry)
	{
		if (r->violation != violation ||
		    (printer != NULL && (r->printer == NULL || strcmp(r->printer, printer) != 0)))
			continue;
		json_open(b, NULL, '{');
		json_time(b, "time", r->us);
		remark_write(r, b);
		json_close(b, '}');
	}
	json_close(b, ']');
}

void record_write_violations(struct buffer *b, const char *printer)
{
	record_write_kind(b, "violations", true, printer);
	record_write_kind(b, "notices", false, printer);
}

void record_clear_violations(void)
{
	struct remark *r;

	while ((r = TAILQ_FIRST(&remarks)) != NULL) {
		TAILQ_REMOVE(&remarks, r, entry);
		free(r->rule);
		free(r->text);
		free(r->printer);
		free(r->device);
		free(r);
	}
}

int64_t record_count(const char *printer, int operation)
{
	struct printer *p;

	if (operation < 0 || operation >= OPERATION_COUNT)
		return 0;
	if (printer == NULL)
		return totals[operation];
	p = printers_find(printer, strlen(printer));
	return p && operation < WEB_NONE ? p->operations[operation] : 0;
}

void record_write_counters(struct buffer *b, const char *printer)
{
	int op;

	json_open(b, "operations", '{');
	for (op = 0; op < OPERATION_COUNT; op++) {
		int64_t n = record_count(printer, op);

		if (n > 0)
			json_number(b, operation_name(op), n);
	}
	json_close(b, '}');
}
