/* queue.h - what core asks of local queues: CUPS queues (by name) and IPP printers (by ipp:// or
 * ipps:// URI), through one struct of functions that tests replace. Loop thread only. Contract of
 * struct local_op: base/op.h. */
#ifndef CONNECTOR_PRINTER_QUEUE_H
#define CONNECTOR_PRINTER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "connector/base/ipp_client.h"
#include "connector/base/records.h"
#include "connector/printer/driver_grey.h"

struct attrs;
struct clock;
struct device;
struct http;
struct mappings;
struct sealed;
struct stream;
struct ticket_explained;
struct ticket_note;
struct vault;
struct queue;  /* one local queue that is looked after */
struct queues; /* all of them, and the connection to cupsd */

struct queues_settings {
	struct http *http;
	struct clock *clock;
	const char *cups_server;   /* path of a socket, or host:port; copied */
	int64_t events_ms;         /* between two questions for events of CUPS; 0: a second */
	const struct vault *vault; /* borrowed; for PINs and passwords; NULL: there are none */
	const char *id; /* of this connector at cupsd, of up to 32 bytes; copied. NULL: restarts of
	                   cupsd are not looked for */
};

enum queue_health {
	QUEUE_UNKNOWN,     /* not asked yet */
	QUEUE_READY,       /* takes jobs and prints */
	QUEUE_STOPPED,     /* there, but stopped, paused or rejecting jobs */
	QUEUE_HALTED,      /* the printer itself says that it stands: paper, a jam, a cover */
	QUEUE_UNREACHABLE, /* the device does not answer; CUPS or the printer said so */
	QUEUE_MISSING,     /* CUPS has no such queue */
	QUEUE_DOWN,        /* CUPS, or the IPP printer itself, does not answer */
	QUEUE_UNTRUSTED,   /* what answers does not show that it is the IPP printer we know */
};

struct queue_status {
	enum queue_health health;
	char text[TEXT_SIZE]; /* for people, with the remedy: "queue laser is stopped; cupsenable
	                         laser" */
	int64_t answered_at;  /* monotonic ms of its last answer; alone it is no change */
	bool whole;           /* documents must be whole before hand-over (IPP printer) */
	bool multiple_documents;
	int32_t closes_after_s; /* multiple-operation-time-out, RFC 8011 5.4.31: it prints by itself
	                           what nobody closed; 0: does not say */
	bool to_file; /* a queue of CUPS that writes to a file: "completed" means nothing */
	char info[NAME_SIZE], make_and_model[NAME_SIZE], printer_uuid[64];
};

/* How a hand-over identifies itself and what the document is. Borrowed for the call. */
struct local_ticket {
	const struct attrs *ticket;      /* of the cloud's job; NULL: none */
	const struct mappings *mappings; /* of print options; NULL: none */
	const char *job_uuid;            /* "urn:uuid:…", sent as job-uuid */
	const char *user_name;           /* requesting-user-name of every job operation */
	const char *job_name;
	int32_t cancel_after_s; /* job-cancel-after; 0: not sent */
};

/* IPP job-state as the queue tells it, with what CUPS hides. */
struct local_job {
	int32_t id;
	char job_uuid[64]; /* ours as kept by the queue, "" when it does not keep it */
	char own_uuid[64]; /* the IPP printer's own job-uuid */
	int state;         /* ipp_jstate_t: 3 to 9; 0: unknown */
	bool incoming; /* not closed yet: job-incoming; followed: waits for ever for some reason */
	int64_t created_at, processing_at, completed_at; /* the queue's seconds; 0: no value */
	char reasons[NAME_SIZE];
	char message[TEXT_SIZE];
	int32_t impressions, sheets; /* -1 unknown */
	/* What became of it: NONE while it may still print. A filter that failed and left the job
	 * in processing-stopped is ABORTED; a cancel is CANCELED whoever asked. */
	enum job_outcome outcome;
	bool unconfirmed; /* COMPLETED, says the queue, but not the device; message says why */
	bool stuck; /* held for authentication, needs somebody at the queue; message says what */
	bool printed_again; /* processing began anew, or cupsd was restarted while it had it */
	bool looping;       /* processing begins anew without end; stuck too */
};

struct local_op {
	const char *user_name; /* borrowed; requesting-user-name, the owner's; NULL: ours */
	/* probe: as of open(), borrowed for the call. NULL: a printer that no CA vouches for is
	 * believed this once, and `learned` says what to pin. */
	const char *pinned_key;
	const struct sealed *document_password; /* send: borrowed; NULL none */
	void *data;
	void (*done)(struct local_op *op, const struct err *err);

	/* results */
	struct local_job job;    /* create, send, find, get */
	struct local_job *found; /* find: all jobs with that uuid; owned, op_clear frees */
	size_t found_count;
	struct attrs *capabilities;    /* probe; owned */
	struct driver_grey grey;       /* probe; for explain */
	struct queue_status status;    /* probe */
	char warning[TEXT_SIZE];       /* probe: for whoever registers it, or "" */
	char device_host[NAME_SIZE];   /* probe: the device in the network behind a queue of CUPS
	                                  that is idle */
	int device_port;               /* 0: there is none */
	char learned[CRYPTO_PIN_SIZE]; /* probe: "" a CA vouches for it, or it is not asked */
	char dropped[1024]; /* create: ticket options changed or lost and why, one a line */

	struct ipp_op ipp; /* private from here on */
	struct queue *queue;
	struct device *device; /* identify: the printer behind the queue; NULL: none */
	int step;
};

/* A local job that is followed until it ends. */
struct local_watch {
	/* On each change; the last time with job->outcome set, or with err: ERR_GONE the queue has
	 * no such job (any more), anything else after which asking goes on is not told here. */
	void (*changed)(struct local_watch *w, const struct local_job *job, const struct err *err);
	void *data;
	const char *user_name; /* borrowed */
	int32_t job;           /* its id */
	const char
		*job_uuid; /* borrowed; another uuid under this id is ERR_GONE; NULL: not checked */

	struct local_follow *private;
};

struct queue_listener {
	/* status, capabilities or state became other than before */
	void (*changed)(void *data);
	/* May a document of this format come from the cloud, beyond the safe ones? NULL: none. */
	bool (*allows)(void *data, const char *format);
	/* Does the administrator say that a queue without a driver takes this format? NULL: no. */
	bool (*names)(void *data, const char *format);
	/* Can XPS become PDF here? NULL: no. */
	bool (*converts)(void *data);
	/* Of print options, borrowed until the loop goes on; NULL: there are none. */
	const struct mappings *(*mappings)(void *data);
	void *data;
};

struct queue_ops {
	int (*open_all)(struct queues **ret, const struct queues_settings *settings,
	                struct err *err);
	void (*close_all)(struct queues *qs); /* all queues closed before */

	/* Begins to look after a queue; changed() follows, also when it cannot be reached.
	 * pinned_key: of an ipps printer without a CA, may be "". */
	struct queue *(*open)(struct queues *qs, const char *name, const char *pinned_key,
	                      const struct queue_listener *listener);
	void (*close)(struct queue *q); /* no operation or watch may be under way */
	const struct queue_status *(*status)(const struct queue *q);
	/* What it can do, tables 7 and 8 of PWG 5100.18; NULL until first read. Borrowed. */
	struct attrs *(*capabilities)(const struct queue *q);
	/* Whether it has this document format; true as long as nobody knows. */
	bool (*takes)(const struct queue *q, const char *format);
	/* printer-state, -reasons, -message, printer-is-accepting-jobs, media-ready, trays,
	 * supplies, alerts: what changes by itself. Never NULL: an unreachable queue is "stopped"
	 * with the reason. Borrowed. */
	struct attrs *(*state)(const struct queue *q);
	/* Asks now; changed() follows, also when nothing is other than before. */
	void (*refresh)(struct queue *q);
	/* The same with what it can do: what the listener says of that is other than before. */
	void (*reread)(struct queue *q);
	/* Another pinned key from now on, as of open(); then as reread(). */
	void (*trust)(struct queue *q, const char *pinned_key);
	/* Whether a queue could be registered: reads it once without looking after it. REJECTED
	 * with the remedy when its policy wants more than we may do, GONE when there is none. */
	int (*probe)(struct queues *qs, const char *name, struct local_op *op, struct err *err);

	/* How a ticket (text as in ticket.h; NULL: none) would be sent to the queue with these
	 * capabilities, of probe; no exchange. -1 (REJECTED): the text is wrong. */
	int (*explain)(const char *name, const struct attrs *capabilities,
	               const struct driver_grey *grey, const struct mappings *mappings,
	               const char *ticket, const struct ticket_explained *to, struct err *err);

	/* Defaults of mapping files that the queue does not have, as far as is known of it: those
	 * left out, and those with something near in their place. why says what it offers. */
	void (*defaults)(const struct queue *q,
	                 void (*lost)(void *data, const struct ticket_note *note), void *data);

	/* Whether create() would refuse the ticket; no exchange. */
	int (*check)(struct queue *q, const struct local_ticket *ticket, struct err *err);
	bool (*takes_document_password)(const struct queue *q);
	/* Create-Job. A printer without it: job.id stays 0 and send() uses Print-Job. busy: the
	 * queue takes one job at a time and has one: ERR_TEMPORARY with code
	 * IPP_STATUS_ERROR_BUSY. */
	int (*create)(struct queue *q, struct local_op *op, const struct local_ticket *ticket,
	              struct err *err);
	/* Send-Document. length -1: chunked (CUPS). To CUPS always with last-document=false; to an
	 * IPP printer as `last` says. The stream is borrowed and is failed when the operation
	 * fails. */
	int (*send)(struct queue *q, struct local_op *op, const struct local_ticket *ticket,
	            int32_t job, struct stream *document, int64_t length, const char *format,
	            bool last, struct err *err);
	/* The empty Send-Document with last-document=true that lets CUPS print. */
	int (*finish)(struct queue *q, struct local_op *op, int32_t job, struct err *err);
	int (*cancel)(struct queue *q, struct local_op *op, int32_t job, struct err *err);
	/* A canceled job of CUPS is forgotten there: a Send-Document that cupsd has not read to its
	 * end yet would bring it back, to be printed some time after cupsd's next start. */
	int (*purge)(struct queue *q, struct local_op *op, int32_t job, struct err *err);
	/* job: the number under which the queue may know it, 0: none was heard of. Without it jobs
	 * that ended long ago are not seen where CUPS keeps a long history. */
	int (*find)(struct queue *q, struct local_op *op, const char *job_uuid, int32_t job,
	            struct err *err);
	int (*get)(struct queue *q, struct local_op *op, int32_t job, struct err *err);
	/* actions: keywords joined by commas, of which it does those it can. A queue of CUPS: the
	 * IPP printer behind it. REJECTED where there is nobody who could. */
	int (*identify)(struct queue *q, struct local_op *op, const char *actions,
	                const char *message, struct err *err);
	void (*op_cancel)(struct local_op *op); /* of the operation, not of the job */
	void (*op_clear)(struct local_op *op);

	/* Notifications and adaptive polling: milliseconds first, then backing off to two seconds.
	 */
	void (*watch)(struct queue *q, struct local_watch *w);
	void (*unwatch)(struct local_watch *w); /* not from inside changed(); fine when it ended */

	/* Names of CUPS' queues for `printers --available` and `register --all`. */
	int (*list)(struct queues *qs, struct local_op *op,
	            void (*each)(void *data, const char *name, const char *info,
	                         const char *make_and_model),
	            void *each_data, struct err *err);
};

extern const struct queue_ops queue_ops; /* the real ones */

/* Whether a TEMPORARY failure with this code means that CUPS has no room for more: of bytes in its
 * spool, or of jobs. */
bool queue_code_is_full(int code);

/* Whether a queue name means an IPP printer. */
bool queue_is_uri(const char *name);

#endif
