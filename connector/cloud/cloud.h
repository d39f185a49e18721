/* cloud.h - what core asks of a cloud print service (IPP INFRA, PWG 5100.18), through one struct of
 * functions that tests replace. One engine; what differs between services is data (dialect.h).
 * Loop thread only. Contract of struct cloud_op: base/op.h.
 *
 * A channel is one registered printer's line to its cloud. It keeps itself up: device attributes,
 * active jobs, subscription, list, notifications, each again after an outage, with back-off. */
#ifndef CONNECTOR_CLOUD_CLOUD_H
#define CONNECTOR_CLOUD_CLOUD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "connector/base/histogram.h"
#include "connector/base/records.h"
#include "connector/cloud/talk.h"

struct attrs;
struct cloud;   /* one configured service */
struct channel; /* one printer of it */
struct clock;
struct document;
struct http;
struct registration;
struct sign_in;
struct sealed;
struct stream;
struct vault;

enum cloud_type { CLOUD_IPP_INFRA, CLOUD_UNIVERSAL_PRINT };

struct cloud_settings { /* copied */
	const char *name;
	enum cloud_type type;
	const char *system_uri; /* NULL: none */
	const char *ca_file;    /* NULL: the system's */
	const char *proxy;      /* "" none; NULL: environment */
	/* with which enroll() goes to the system_uri; as in struct channel_settings */
	const char *username, *password;
	const char *certificate_file, *key_file;
	/* universal-print: base URLs without a slash at the end, and the organisation's application
	 */
	const char *login_url, *registration_url, *print_url, *notification_url;
	const char *tenant, *client_id, *scope, *resource;
	bool x5c_string;                 /* the certificate in a JWT as a string, not an array */
	const char *notification_path;   /* "ID" in it: the printer's; NULL: "/printers/ID" */
	bool notification_names_print;   /* printer-uri is the one at print_url there too */
	int64_t registration_timeout_ms; /* 0: five minutes */
	const char *connector_name;      /* shown in the portal */
	int64_t heartbeat_ms;            /* of all types; 0: ten minutes */
	int64_t pause_ms;                /* before any printer says its first word */
	struct http *http;
	struct clock *clock;
	const struct vault *vault; /* borrowed; NULL: jobs with a PIN cannot be kept */
};

struct channel_settings {        /* copied */
	const char *uri;         /* of the Infrastructure Printer: ipp(s):// or http(s):// */
	const char *device_uuid; /* UUID text */
	const char *username, *password;         /* NULL: no HTTP Basic */
	const char *certificate_file, *key_file; /* NULL: none */
	/* universal-print: whose tokens it shows, signed for with key_file and certificate_file;
	 * NULL with other clouds. uri is then print_url/printers/DEVICE */
	const struct cloud_identity *identity;
};

enum channel_state {
	CHANNEL_CONNECTING,
	CHANNEL_ONLINE,
	CHANNEL_OFFLINE, /* retried with back-off; the error says why */
	CHANNEL_REFUSED, /* credentials or printer not accepted; retried rarely */
};

/* A job that can be fetched. */
struct cloud_offer {
	int32_t job;
	char uuid[64];   /* "" when not told */
	int64_t created; /* Unix seconds; 0 unknown */
	int priority;    /* 1 to 100, 50 when not told */
};

/* A job that this device holds, for Update-Active-Jobs. */
struct cloud_active {
	int32_t job;
	int state; /* ipp_jstate_t as last reported */
};

struct channel_listener {
	void *data;
	/* err NULL while connecting and online */
	void (*state)(void *data, enum channel_state state, const struct err *err);
	/* All that can be fetched now, in the order in which to claim: priority, then job id.
	 * Replaces what an earlier call offered. Borrowed. */
	void (*offers)(void *data, const struct cloud_offer *offers, size_t count);
	/* Somebody canceled this job in the cloud. May come more than once, and for jobs not ours.
	 */
	void (*canceled)(void *data, int32_t job);
	/* The cloud believes that we hold this job, and it was not in active(): a job of an earlier
	 * life. Core answers with what it remembers, or aborts it. */
	void (*assigned)(void *data, int32_t job);
	void (*identify)(void *data, const char *actions, const char *message);
	/* Fills at most max jobs that are acknowledged and not finally reported. */
	size_t (*active)(void *data, struct cloud_active *out, size_t max);
};

enum cloud_job_state {
	CLOUD_JOB_PROCESSING,
	CLOUD_JOB_STOPPED, /* waiting or held: processing-stopped */
	CLOUD_JOB_COMPLETED,
	CLOUD_JOB_ABORTED,
	CLOUD_JOB_CANCELED,
};

struct cloud_report { /* borrowed for the call */
	int32_t job;
	enum cloud_job_state state;
	const char *reasons;         /* IPP keywords, comma-separated; "" none */
	const char *message;         /* "" none */
	int32_t impressions, sheets; /* -1 unknown */
	int32_t documents;           /* how many the job has; 0 when none was fetched */
	bool printed;                /* the documents, whatever the end of the job */
	int32_t fetched_s, queued_s; /* seconds from Acknowledge-Job to the last byte, and at the
	                                queue; 0 unknown */
};

struct cloud_op {
	void *data;
	void (*done)(struct cloud_op *op, const struct err *err);
	/* document: its first message came: format and compression are known, bytes follow.
	 * enroll: the registration has begun, identity.registration_id is known. */
	void (*begun)(struct cloud_op *op);
	void (*code)(struct cloud_op *op); /* sign_in: user_code and so on are there to be shown */

	/* results */
	struct attrs *ticket;  /* fetch: the job's attributes as sent; owned, op_clear frees */
	struct job_record job; /* fetch: cloud_*, documents, job_name, user_name, user_uri, format
	                          filled; check: cloud_uuid */
	int priority;
	char format[NAME_SIZE];           /* document: as declared, "" not said */
	char compression[32];             /* document: "none" or "gzip" */
	struct sealed *document_password; /* document: NULL none; owned */
	bool canceled;                    /* check: the job is canceled there */
	bool final;                       /* check: it is in a final state */
	char printer_uri[URI_SIZE];       /* enroll */
	char printer_uuid[NAME_SIZE];
	struct buf certificate;         /* enroll: PEM; owned */
	struct cloud_identity identity; /* enroll */
	char user_code[32];             /* code: what the administrator types */
	char verification_uri[256];     /* code: where */
	int64_t expires_s;              /* code: for how long, from now */
	struct cloud_session *session;  /* sign_in */

	struct talk talk; /* private from here on */
	struct channel *channel;
	struct cloud *cloud;
	struct channel *temporary;
	struct cloud_report report;
	char reasons[NAME_SIZE], message[TEXT_SIZE], text[URI_SIZE];
	int step, status;
	int32_t number;
	bool stopping;             /* canceled: no further step begins */
	struct document *document; /* a document under way; owned */
	struct sign_in *sign_in;   /* under way; owned */
	struct registration *registration;
};

/* An administrator who has signed in: his token, in memory until sign_out(). */
struct cloud_session;

struct cloud_enrolment {               /* borrowed for the call */
	struct cloud_session *session; /* NULL where the cloud wants none; borrowed until done() */
	const char *device_uuid;       /* stable for the queue: registering it again renews */
	const char *name, *manufacturer, *model; /* shown in the cloud */
	const char *request_pem;                 /* PKCS#10, signed by the printer's own key */
	const char *registration_id; /* "": begin; else go on with a registration that was begun */
};

struct cloud_stats {                       /* since the start */
	uint64_t requests[ERR_KIND_COUNT]; /* by how they ended */
	uint64_t tokens[ERR_KIND_COUNT];   /* likewise; each of one exchange or two */
	struct histogram lag; /* of events, where the cloud tells when they were; whole seconds */
	int64_t server_time;  /* Unix ms, as its last answer said; 0: none did */
	int64_t heard_at;     /* the clock's ms of that answer */
};

struct cloud_ops {
	int (*open)(struct cloud **ret, const struct cloud_settings *settings, struct err *err);
	void (*close)(struct cloud *c);                            /* all channels closed before */
	const struct cloud_stats *(*stats)(const struct cloud *c); /* borrowed, live */

	int (*channel_open)(struct channel **ret, struct cloud *c,
	                    const struct channel_settings *settings,
	                    const struct channel_listener *listener, struct err *err);
	/* Stops at once and quietly; its own exchanges are abandoned. No cloud_op may be under way.
	 */
	void (*channel_close)(struct channel *ch);
	/* What the device is and how it is, both of printer/; sent when other than last time (the
	 * whole set, or only the state), and as heartbeat. The channel starts with the first call.
	 */
	void (*update)(struct channel *ch, struct attrs *capabilities, struct attrs *state);
	void (*list)(
		struct channel *ch); /* Get-Jobs now: a slot became free and no offers are left */

	/* Fetch-Job. GONE: not fetchable (any more), or another device's. */
	int (*fetch)(struct channel *ch, struct cloud_op *op, int32_t job, struct err *err);
	/* Acknowledge-Job. GONE: not-possible, another device has it; code says more. */
	int (*accept)(struct channel *ch, struct cloud_op *op, int32_t job, struct err *err);
	/* Acknowledge-Job with fetch-status-code, then what the dialect needs to end the job. */
	int (*refuse)(struct channel *ch, struct cloud_op *op, int32_t job, int ipp_status,
	              const char *message, struct err *err);
	/* Fetch-Document, bytes into the stream. Numbers from 1. TEMPORARY with code
	 * IPP_STATUS_ERROR_NOT_FETCHABLE: not ready yet; GONE: no longer available. `limit`: bytes;
	 * more is REJECTED. gzip is undone here when the server compressed. */
	int (*document)(struct channel *ch, struct cloud_op *op, int32_t job, int32_t number,
	                struct stream *into, uint64_t limit, struct err *err);
	/* Update-Job-Status; a final state goes with the documents' Update-Document-Status and
	 * Acknowledge-Document. "Already in a final state" is success. GONE: the cloud knows no
	 * such job any more. */
	int (*report)(struct channel *ch, struct cloud_op *op, const struct cloud_report *report,
	              struct err *err);
	/* Get-Job-Attributes: was it canceled? */
	int (*check)(struct channel *ch, struct cloud_op *op, int32_t job, struct err *err);

	/* Whether a printer is there and takes us as its device: Get-Printer-Attributes with these
	 * credentials. Results printer_uuid, printer_uri. */
	int (*probe)(struct cloud *c, struct cloud_op *op, const struct channel_settings *settings,
	             struct err *err);
	/* Whether an administrator must sign in before enroll(). */
	bool (*wants_sign_in)(const struct cloud *c);
	/* OAuth 2.0 device authorization grant (RFC 8628): ->code() runs when there is a code to
	 * show, done() when it was approved, with ->session, the caller's to sign_out(). REJECTED:
	 * declined, expired, or the application lacks consent, each with the remedy. */
	int (*sign_in)(struct cloud *c, struct cloud_op *op, struct err *err);
	void (*sign_out)(struct cloud_session *s); /* wipes the token; NULL is fine */
	/* A printer of its own for a queue: Register-Output-Device at the cloud's system-uri, or
	 * Universal Print's registration service. ->begun() runs when ->identity.registration_id is
	 * known, so that a registration cut in the middle can be gone on with. Results printer_uri,
	 * printer_uuid, certificate, identity. DENIED: who signed in may not register printers. */
	int (*enroll)(struct cloud *c, struct cloud_op *op, const struct cloud_enrolment *what,
	              struct err *err);
	void (*op_cancel)(struct cloud_op *op);
	void (*op_clear)(struct cloud_op *op);
};

extern const struct cloud_ops cloud_ops; /* the real ones */

#endif
