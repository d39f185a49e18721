/* metrics.h - the names of all metrics: X(NAME, "name", TYPE, "labels", "help"). As in OpenMetrics
 * the samples of a counter end in _total and those of a histogram in _bucket, _sum and _count; the
 * name has neither. Names are added, never renamed. */
#ifndef COMMON_METRICS_H
#define COMMON_METRICS_H

#define METRIC_TYPES(X)                                                                            \
	X(COUNTER, "counter")                                                                      \
	X(GAUGE, "gauge")                                                                          \
	X(HISTOGRAM, "histogram")

/* clang-format off */
#define METRICS(X) \
	X(START_TIME, "print_connector_start_time_seconds", GAUGE, "", \
	  "When the connector started, in Unix time.") \
	X(PRINTERS, "print_connector_printers", GAUGE, "state", \
	  "Registered printers by state.") \
	X(JOBS, "print_connector_jobs", GAUGE, "state", \
	  "Jobs that are not done, by state.") \
	X(JOBS_FINISHED, "print_connector_jobs_finished", COUNTER, "outcome", \
	  "Jobs that reached their end, by outcome.") \
	X(JOB_RETRIES, "print_connector_job_retries", COUNTER, "", \
	  "Tries of jobs beyond the first.") \
	X(STAGE, "print_connector_stage_seconds", HISTOGRAM, "stage", \
	  "Time of jobs in each stage: cloud (waiting there), claim, transfer, queue, report.") \
	X(TRANSFERS, "print_connector_transfers", GAUGE, "", \
	  "Documents on their way now.") \
	X(DOCUMENT_BYTES, "print_connector_document_bytes", COUNTER, "", \
	  "Bytes of documents handed to queues.") \
	X(CLOUD_UP, "print_connector_cloud_up", GAUGE, "cloud", \
	  "1 while the cloud answers, else 0.") \
	X(CLOUD_REQUESTS, "print_connector_cloud_requests", COUNTER, "cloud,result", \
	  "Requests to the cloud by result: ok or the kind of error.") \
	X(TOKENS, "print_connector_tokens", COUNTER, "cloud,result", \
	  "Tokens of printers that were asked for, by result: ok or the kind of error.") \
	X(NOTIFICATION_LAG, "print_connector_notification_lag_seconds", HISTOGRAM, "cloud", \
	  "Time from an event in the cloud to its arrival here.") \
	X(CERTIFICATE_DAYS, "print_connector_certificate_days", GAUGE, "printer", \
	  "Days until the certificate of a printer expires.") \
	X(STORE_COMMIT, "print_connector_store_commit_seconds", HISTOGRAM, "", \
	  "Time that commits to the store take.") \
	X(STORE_COMMITS, "print_connector_store_commits", COUNTER, "", \
	  "Commits to the store.") \
	X(HTTP_REQUESTS, "print_connector_http_requests", COUNTER, "", \
	  "HTTP requests to clouds and queues.") \
	X(HTTP_CONNECTIONS, "print_connector_http_connections", COUNTER, "", \
	  "Connections that were opened for them.") \
	X(LOOP_LAG, "print_connector_loop_lag_seconds", HISTOGRAM, "", \
	  "How late the event loop was.") \
	X(HEALTH, "print_connector_health", GAUGE, "severity", \
	  "Health entries by severity.")
/* clang-format on */

enum metric_type {
#define X(name, text) METRIC_TYPE_##name,
	METRIC_TYPES(X)
#undef X
};

enum metric {
#define X(name, ...) METRIC_##name,
	METRICS(X)
#undef X
		METRIC_COUNT
};

#endif
