#include "connector/control/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/metrics.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/http.h"
#include "connector/base/loop.h"
#include "connector/core/core.h"

#define DAY_S 86400

static const char *const types[] = {
#define X(name, text) [METRIC_TYPE_##name] = text,
	METRIC_TYPES(X)
#undef X
};

static const struct {
	const char *name;
	enum metric_type type;
	const char *labels; /* at most two, parted by a comma */
	const char *help;
} metrics[] = {
#define X(id, name, type, labels, help) [METRIC_##id] = { name, METRIC_TYPE_##type, labels, help },
	METRICS(X)
#undef X
};

struct page {
	struct buf *out;
	struct core *core;
	int64_t wall_ms;
	bool full;
};

__attribute__((format(printf, 2, 3))) static void print(struct page *p, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= sizeof(text) || buf_append(p->out, text, (size_t)len) < 0)
		p->full = true;
}

static void begin(struct page *p, enum metric m)
{
	print(p, "# TYPE %s %s\n# HELP %s %s\n", metrics[m].name, types[metrics[m].type],
	      metrics[m].name, metrics[m].help);
}

/* OpenMetrics, "escaped-string": backslash, quote and line feed; the rest is made safe. */
static void print_label(struct page *p, const char *value)
{
	char clean[NAME_SIZE];

	str_clean(value, clean, sizeof(clean));
	for (const char *c = clean; *c; c++)
		print(p, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
}

/* first, second: values of the metric's labels, NULL: it has none such. */
static void print_labels(struct page *p, enum metric m, const char *first, const char *second)
{
	size_t len = strcspn(metrics[m].labels, ",");

	if (!first)
		return;
	print(p, "%.*s=\"", (int)len, metrics[m].labels);
	print_label(p, first);
	if (second) {
		print(p, "\",%s=\"", metrics[m].labels + len + 1);
		print_label(p, second);
	}
	print(p, "\"");
}

static void sample_of(struct page *p, enum metric m, const char *first, const char *second,
                      double value)
{
	print(p, "%s%s", metrics[m].name, metrics[m].type == METRIC_TYPE_COUNTER ? "_total" : "");
	if (first) {
		print(p, "{");
		print_labels(p, m, first, second);
		print(p, "}");
	}
	print(p, " %.15g\n", value);
}

static void sample(struct page *p, enum metric m, const char *label, double value)
{
	sample_of(p, m, label, NULL, value);
}

/* label NULL: none. OpenMetrics counts up to each bound; _count is its last bucket. */
static void print_histogram(struct page *p, enum metric m, const char *label,
                            const struct histogram *h)
{
	uint64_t all = 0;

	for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		all += h->count[i];
		print(p, "%s_bucket{", metrics[m].name);
		print_labels(p, m, label, NULL);
		if (histogram_bounds_us[i] == INT64_MAX)
			print(p, "%sle=\"+Inf\"} %" PRIu64 "\n", label ? "," : "", all);
		else
			print(p, "%sle=\"%.15g\"} %" PRIu64 "\n", label ? "," : "",
			      (double)histogram_bounds_us[i] / 1e6, all);
	}
	for (int count = 0; count < 2; count++) {
		print(p, "%s_%s", metrics[m].name, count ? "count" : "sum");
		if (label) {
			print(p, "{");
			print_labels(p, m, label, NULL);
			print(p, "}");
		}
		print(p, " %.15g\n", count ? (double)all : (double)h->sum_us / 1e6);
	}
}

static void single(struct page *p, enum metric m, double value)
{
	begin(p, m);
	sample(p, m, NULL, value);
}

static void print_counts(struct page *p)
{
	const struct core_counts n = core_counts(p->core);

	begin(p, METRIC_START_TIME);
	print(p, "%s %" PRId64 ".%03" PRId64 "\n", metrics[METRIC_START_TIME].name,
	      n.started / 1000, n.started % 1000);
	begin(p, METRIC_PRINTERS);
	sample(p, METRIC_PRINTERS, "online", n.printers_online);
	sample(p, METRIC_PRINTERS, "offline", n.printers_offline);
	sample(p, METRIC_PRINTERS, "paused", n.printers_paused);
	sample(p, METRIC_PRINTERS, "refused", n.printers_refused);
	sample(p, METRIC_PRINTERS, "registering", n.printers_registering);
	begin(p, METRIC_JOBS);
	for (int state = 0; state < JOB_DONE; state++)
		sample(p, METRIC_JOBS, job_state_name((enum job_state)state), n.jobs[state]);
	single(p, METRIC_TRANSFERS, n.transfers);
}

static void print_tally(struct page *p)
{
	static const char *const stages[CORE_STAGE_COUNT] = {
		[CORE_STAGE_CLOUD] = "cloud",       [CORE_STAGE_CLAIM] = "claim",
		[CORE_STAGE_TRANSFER] = "transfer", [CORE_STAGE_QUEUE] = "queue",
		[CORE_STAGE_REPORT] = "report",
	};
	const struct core_tally *t = core_tally(p->core);

	begin(p, METRIC_JOBS_FINISHED);
	for (int outcome = OUTCOME_COMPLETED; outcome < OUTCOME_COUNT; outcome++)
		sample(p, METRIC_JOBS_FINISHED, job_outcome_name((enum job_outcome)outcome),
		       (double)t->finished[outcome]);
	single(p, METRIC_JOB_RETRIES, (double)t->retries);
	single(p, METRIC_DOCUMENT_BYTES, (double)t->bytes);
	begin(p, METRIC_STAGE);
	for (int i = 0; i < CORE_STAGE_COUNT; i++)
		print_histogram(p, METRIC_STAGE, stages[i], &t->stages[i]);
}

static void on_cloud(void *data, const struct core_cloud *cloud)
{
	/* one that was not asked yet is neither */
	if (cloud->reachable || cloud->error || cloud->since)
		sample(data, METRIC_CLOUD_UP, cloud->name, cloud->reachable);
}

static void print_results(struct page *p, enum metric metric, const char *cloud,
                          const uint64_t counts[ERR_KIND_COUNT])
{
	for (int kind = 0; kind < ERR_KIND_COUNT; kind++)
		sample_of(p, metric, cloud, kind ? err_kind_name((enum err_kind)kind) : "ok",
		          (double)counts[kind]);
}

static void on_requests(void *data, const struct core_cloud *cloud)
{
	print_results(data, METRIC_CLOUD_REQUESTS, cloud->name, cloud->stats->requests);
}

static void on_tokens(void *data, const struct core_cloud *cloud)
{
	print_results(data, METRIC_TOKENS, cloud->name, cloud->stats->tokens);
}

static void on_lag(void *data, const struct core_cloud *cloud)
{
	print_histogram(data, METRIC_NOTIFICATION_LAG, cloud->name, &cloud->stats->lag);
}

static void on_printer(void *data, const struct core_printer *printer)
{
	struct page *p = data;

	if (printer->not_after)
		sample(p, METRIC_CERTIFICATE_DAYS, printer->record->id,
		       (double)(printer->not_after - p->wall_ms / 1000) / DAY_S);
}

static void on_health(void *data, const struct core_health *health)
{
	unsigned *count = data;

	count[health_severity(health->code)]++;
}

static void print_health(struct page *p)
{
	static const enum health_severity all[] = { HEALTH_SEVERITY_INFO, HEALTH_SEVERITY_WARNING,
		                                    HEALTH_SEVERITY_ERROR };
	unsigned count[ARRAY_SIZE(all)] = { 0 };

	core_health(p->core, on_health, count);
	begin(p, METRIC_HEALTH);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		sample(p, METRIC_HEALTH, health_severity_name(all[i]), count[all[i]]);
}

int metrics_print(struct buf *out, struct core *core, const struct histogram *lag,
                  const struct http *http, int64_t wall_ms)
{
	struct page p = { .out = out, .core = core, .wall_ms = wall_ms };
	const struct store_stats store = store_stats(core_store(core));

	print_counts(&p);
	print_tally(&p);
	begin(&p, METRIC_CLOUD_UP);
	core_clouds(core, on_cloud, &p);
	begin(&p, METRIC_CLOUD_REQUESTS);
	core_clouds(core, on_requests, &p);
	begin(&p, METRIC_TOKENS);
	core_clouds(core, on_tokens, &p);
	begin(&p, METRIC_NOTIFICATION_LAG);
	core_clouds(core, on_lag, &p);
	begin(&p, METRIC_CERTIFICATE_DAYS);
	core_printers(core, on_printer, &p);
	print_health(&p);
	single(&p, METRIC_STORE_COMMITS, (double)store.commits);
	begin(&p, METRIC_STORE_COMMIT);
	print_histogram(&p, METRIC_STORE_COMMIT, NULL, &store.took);
	if (http) {
		const struct http_stats stats = http_stats(http);

		single(&p, METRIC_HTTP_REQUESTS, (double)stats.requests);
		single(&p, METRIC_HTTP_CONNECTIONS, (double)stats.connections);
	}
	begin(&p, METRIC_LOOP_LAG);
	print_histogram(&p, METRIC_LOOP_LAG, NULL, lag);
	print(&p, "# EOF\n");
	return p.full ? -1 : 0;
}
