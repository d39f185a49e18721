/* jobs.h - jobs of a printer, their states by PWG 5100.18 and RFC 8011, and all they were told. */
#ifndef TESTS_EMULATOR_JOBS_H
#define TESTS_EMULATOR_JOBS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <cups/ipp.h>

struct buffer;
struct device;
struct document;
struct printer;

#define JOB_REASONS(X)                                                                             \
	X(INCOMING, "job-incoming")                                                                \
	X(HELD, "job-hold-until-specified")                                                        \
	X(FETCHABLE, "job-fetchable")                                                              \
	X(PRINTER_STOPPED, "printer-stopped")                                                      \
	X(CANCELED_BY_USER, "job-canceled-by-user")                                                \
	X(CANCELED_AT_DEVICE, "job-canceled-at-device")                                            \
	X(STOP_POINT, "processing-to-stop-point")                                                  \
	X(ABORTED, "aborted-by-system")                                                            \
	X(COMPLETED, "job-completed-successfully")

enum job_reason {
#define REASON_ENUM(id, name) JOB_REASON_##id,
	JOB_REASONS(REASON_ENUM)
#undef REASON_ENUM
		JOB_REASON_COUNT
};

#define REASON(id) (1u << JOB_REASON_##id)

/* One word a job was told, by either side. */
struct told {
	int64_t us;
	int operation;
	const char *side; /* "client", "proxy" */
	int status;       /* IPP status it was answered with */
	int state;        /* -1: the request named none */
	char *reasons;    /* joined by ',' */
	char *message;
	int64_t impressions; /* -1: not named */
	int64_t sheets;
	int document;     /* 0: not named */
	int fetch_status; /* -1: not named */
	int job_state;    /* of the job afterwards */
};

struct job {
	TAILQ_ENTRY(job) active; /* not final, in order of submission */
	struct printer *printer;
	int id;
	char uuid[46];
	char *name;
	char *user;
	int priority;
	int state;             /* ipp_jstate_t */
	unsigned int reasons;  /* REASON() bits */
	char **device_reasons; /* from Update-Job-Status */
	int device_reason_count;
	int device_state; /* 0: never told */
	char *message;
	ipp_t *attrs;     /* job template and what else the client sent, group 2 */
	ipp_t *microsoft; /* microsoft-* of Update-Job-Status; NULL: none */
	char *password;
	char *password_encryption;
	struct document **documents;
	int document_count;
	bool closed; /* the last document is here */
	bool hold;   /* job-hold-until other than no-hold */
	bool cancel; /* a client asked while a device has it */
	bool ever_fetchable;
	bool zombie;    /* came back once by quirk */
	char *device;   /* uuid it is assigned to; NULL: nobody */
	char **refused; /* uuids of devices that refused it */
	int refused_count;
	int refusal;                                  /* the first fetch-status-code */
	int64_t impressions, sheets, pages, k_octets; /* -1: never told */
	int64_t created_us, submitted_us, fetchable_us, fetched_us, acknowledged_us, processing_us,
		final_us, canceled_us;
	struct told *told;
	int told_count;
	int final_told; /* how often a device said a final state */
};

struct job *job_new(struct printer *p, const char *name, const char *user);
void job_free(struct job *j);
struct job *job_find(struct printer *p, int id); /* NULL: unknown, or forgotten */

bool job_is_final(const struct job *j);
bool job_is_fetchable(const struct job *j);
bool job_refused_by(const struct job *j, const char *uuid);

void job_close(struct job *j); /* all documents are here: held or fetchable */
void job_set_state(struct job *j, int state, unsigned int reasons);
/* Fetchable again or no longer, by what the printer and the job now are. */
void job_schedule(struct job *j);
void job_cancel(struct job *j);
void job_acknowledge(struct job *j, struct device *d);
void job_refuse(struct job *j, struct device *d, int status, const char *message);
void job_set_device_reasons(struct job *j, ipp_attribute_t *reasons);
void job_set_text(char **field, const char *value);

void job_tell(struct job *j, const struct told *t); /* takes the strings */
const char *job_state_name(int state);

void job_write_ipp(const struct job *j, ipp_t *to, ipp_tag_t group,
                   bool (*wanted)(const char *name, void *data), void *data);
void job_write_json(struct job *j, struct buffer *b, const char *key, bool with_told);

/* What ippserver's scheduler does when a job is submitted (quirks 3 and 4). */
void jobs_scheduler_race(struct printer *p);

#endif
