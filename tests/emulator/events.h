/* events.h - subscriptions and their events (RFC 3995, RFC 3996), and the long polls on them. */
#ifndef TESTS_EMULATOR_EVENTS_H
#define TESTS_EMULATOR_EVENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <cups/ipp.h>

struct buffer;
struct exchange;
struct job;
struct printer;

#define EVENTS(X)                                                                                  \
	X(JOB_CREATED, "job-created")                                                              \
	X(JOB_FETCHABLE, "job-fetchable")                                                          \
	X(JOB_COMPLETED, "job-completed")                                                          \
	X(JOB_STOPPED, "job-stopped")                                                              \
	X(JOB_CONFIG, "job-config-changed")                                                        \
	X(JOB_PROGRESS, "job-progress")                                                            \
	X(JOB_STATE, "job-state-changed")                                                          \
	X(PRINTER_STOPPED, "printer-stopped")                                                      \
	X(PRINTER_CONFIG, "printer-config-changed")                                                \
	X(PRINTER_QUEUE_ORDER, "printer-queue-order-changed")                                      \
	X(PRINTER_MEDIA, "printer-media-changed")                                                  \
	X(PRINTER_FINISHINGS, "printer-finishings-changed")                                        \
	X(PRINTER_STATE, "printer-state-changed")                                                  \
	X(DOCUMENT_FETCHABLE, "document-fetchable")                                                \
	X(DOCUMENT_COMPLETED, "document-completed")                                                \
	X(DOCUMENT_CREATED, "document-created")                                                    \
	X(DOCUMENT_CONFIG, "document-config-changed")                                              \
	X(DOCUMENT_STATE, "document-state-changed")

enum event {
#define EVENT_ENUM(id, name) EVENT_##id,
	EVENTS(EVENT_ENUM)
#undef EVENT_ENUM
		EVENT_COUNT
};

struct event_record {
	int64_t us;
	int sequence;
	enum event name; /* as subscribed */
	int job_id;      /* 0: about the printer */
	int state;
	unsigned int reasons;
	int64_t impressions;
	char uuid[46];
};

struct subscription {
	TAILQ_ENTRY(subscription) entry;
	struct printer *printer;
	int id;
	unsigned int events; /* 1 << enum event */
	int64_t lease_s;     /* 0: for ever */
	int64_t expires_us;  /* 0: never */
	int next_sequence;
	int delivered; /* highest number ever put into an answer */
	struct event_record *records;
	int count, cap;
	char *user;
	char *device;
};

void events_job(struct job *j, enum event specific);
void events_printer(struct printer *p, enum event name);
void subscription_free(struct subscription *s);
void subscriptions_write(struct printer *p, struct buffer *b);
const char *event_name(enum event e);

/* Operations: an IPP status, or EXCHANGE_WAIT. */
int events_create_subscriptions(struct exchange *x);
int events_renew_subscription(struct exchange *x);
int events_cancel_subscription(struct exchange *x);
int events_get_subscriptions(struct exchange *x);
int events_get_notifications(struct exchange *x);

#endif
