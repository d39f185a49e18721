/* records.h - what is remembered of printers and jobs, as plain data; the words of job states. */
#ifndef CONNECTOR_BASE_RECORDS_H
#define CONNECTOR_BASE_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define ID_SIZE   40   /* a UUID as text, with room */
#define NAME_SIZE 256  /* names and keywords of IPP (RFC 8011 5.1.3) with NUL */
#define URI_SIZE  1024 /* RFC 8011 5.1.6 with NUL */
#define TEXT_SIZE 192  /* a line for people */

/* The state machine of a job: design in core/job.c, the same words everywhere. */
#define JOB_STATES(X)                                                                              \
	X(CLAIMING, "claiming")                                                                    \
	X(HANDING, "handing")                                                                      \
	X(PRINTING, "printing")                                                                    \
	X(WAITING, "waiting")                                                                      \
	X(HELD, "held")                                                                            \
	X(REPORTING, "reporting")                                                                  \
	X(DONE, "done")

enum job_state {
#define X(name, text) JOB_##name,
	JOB_STATES(X)
#undef X
		JOB_STATE_COUNT
};

#define JOB_OUTCOMES(X)                                                                            \
	X(NONE, "")                                                                                \
	X(COMPLETED, "completed")                                                                  \
	X(ABORTED, "aborted")                                                                      \
	X(CANCELED, "canceled")

enum job_outcome {
#define X(name, text) OUTCOME_##name,
	JOB_OUTCOMES(X)
#undef X
		OUTCOME_COUNT
};

const char *job_state_name(enum job_state state);
const char *job_outcome_name(enum job_outcome outcome); /* "" for none */

struct job_record {
	int64_t id;            /* ours, never used again; 0: not stored yet */
	char uuid[ID_SIZE];    /* ours, random */
	char printer[ID_SIZE]; /* printer_record.id */

	/* Identity in the cloud: job-uuid, or without one id and creation time (ids start again
	 * when some servers restart). */
	int32_t cloud_job;
	char cloud_uuid[64];   /* "" when the cloud gives none */
	int64_t cloud_created; /* Unix seconds; 0 unknown */

	enum job_state state;
	enum job_outcome outcome;
	bool acknowledged;     /* the cloud has taken our Acknowledge-Job */
	bool refused;          /* final without ever having been accepted */
	bool cancel_requested; /* somebody asked, on either side */
	bool taken_back;       /* printing: nobody did, we cancel it at the queue: error_text */
	int32_t crashes;       /* of the daemon, while it was active without getting any further */
	int32_t attempt;   /* the try in progress: 1, 2, …; local uuid = UUIDv5(uuid, attempt) */
	int32_t local_job; /* at the queue; 0: none yet */
	char local_printer_uuid[64]; /* at an IPP printer: its printer-uuid and its own job-uuid */
	char local_job_uuid[64];
	bool closed; /* the whole document is at the queue, or its last byte may be */
	int32_t documents;
	int64_t bytes;               /* of all documents, once fetched */
	int32_t impressions, sheets; /* -1: unknown */

	char job_name[NAME_SIZE], user_name[NAME_SIZE], user_uri[NAME_SIZE];
	char format[NAME_SIZE];

	enum err_kind error_kind; /* of the last failure */
	int32_t error_code;
	char error_text[TEXT_SIZE];
	char report_reasons[NAME_SIZE]; /* job-state-reasons for the final report, comma-separated
	                                 */
	char report_message[TEXT_SIZE]; /* and its text */
	char dropped[1024];             /* ticket options lost and why, one a line */

	int64_t next_try; /* Unix ms; 0: none. All times below too */
	int64_t received, acked, handed, finished, reported;
};

/* One line of a job's time-line. */
struct job_event {
	int64_t time;    /* Unix ms */
	char source[16]; /* "cloud", "connector" or "queue" */
	char text[TEXT_SIZE];
};

/* What Universal Print's registration gave a printer: how it gets its tokens, and for what. */
struct cloud_identity {
	char device[64];          /* cloud_device_id; "" with other clouds */
	char token_url[256];      /* device_token_url */
	char client_id[64];       /* printer_client_id, or the organisation's application */
	char redirect_uri[256];   /* printer_redirect_uri, or its default */
	char resource[128];       /* mcp_svc_resource_id */
	char registration_id[96]; /* of a registration under way; "" none */
};

struct printer_record {
	char id[ID_SIZE];              /* random UUID: key file, output-device-uuid */
	char queue[URI_SIZE];          /* CUPS queue name, or ipp:// or ipps:// URI */
	char cloud[64];                /* section of the configuration */
	char name[NAME_SIZE];          /* shown in the cloud */
	char cloud_uri[URI_SIZE];      /* the Infrastructure Printer */
	char cloud_printer[NAME_SIZE]; /* its printer-uuid or id, when known */
	/* NULL: none; intern(): the same for many printers */
	const char *username; /* HTTP Basic */
	const char *password_file;
	const char *certificate_file, *key_file; /* given by the administrator, in place of ours */
	bool own_certificate;                    /* keys/ID.pem and certificates/ID.pem are used */
	bool second_pair; /* ... or ID-2.pem: which of both is in use is decided by one commit */
	bool registering; /* its registration is not finished, it is not served */
	struct cloud_identity identity;
	char pinned_key[64]; /* "sha256//…" of an ipps printer without a CA; "" none */
	bool paused;
	int64_t created; /* Unix ms */
	char owner[40];  /* machine-id */
	int64_t epoch;   /* raised by a take-over */
};

#endif
