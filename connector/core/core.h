/* core.h - the connector itself: registered printers, their jobs, what to do next. Everything that
 * control/ and daemon.c ask or order goes through here. No sockets, no files: cloud, printer and
 * store are reached through one struct of functions each. Loop thread only. */
#ifndef CONNECTOR_CORE_CORE_H
#define CONNECTOR_CORE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/health.h"
#include "connector/cloud/cloud.h"
#include "connector/printer/queue.h"
#include "connector/base/records.h"
#include "connector/store/store.h"

struct clock;
struct config;
struct convert;
struct core;
struct http;
struct transit;
struct vault;
struct work;

#define CORE_WORKERS 3 /* of libuv's 4 threads: the store has one */

struct core_settings { /* all borrowed for the core's life, but for config: see core_reload() */
	struct config *config;
	struct clock *clock;
	struct loop *loop; /* for the doctor; NULL: as in struct doctor_world */
	struct http *http;
	struct transit *transit;
	struct convert *convert;   /* NULL: none */
	const struct vault *vault; /* NULL: jobs with a PIN are refused */
	struct work
		*work[CORE_WORKERS]; /* for making keys, which takes a tenth of a second and more */
	struct store *store;
	const struct store_ops *store_ops;
	const struct cloud_ops *cloud_ops;
	const struct queue_ops *queue_ops;
	const char *state_directory;   /* keys/ and certificates/ are in it */
	unsigned crashes;              /* of the daemon in a row, until this start */
	const char *machine;           /* machine-id: printers of another machine are not served */
	const char *(*short_of)(void); /* as limits_short_of(); NULL: always enough */
};

/* Takes printers and open jobs from the store and serves them at once; neither cloud nor queue need
 * be up. */
int core_open(struct core **ret, const struct core_settings *settings, struct err *err);
/* Claims nothing more, lets hand-overs finish for at most limit_ms, abandons what is left, then
 * calls drained(). Called again it takes the new limit. Jobs that print are left to their queues
 * and taken up again at the next start.
 */
void core_drain(struct core *c, int64_t limit_ms, void (*drained)(void *data), void *data);
/* After drained(). */
void core_close(struct core *c);
/* New settings; the old config may be freed afterwards. Clouds that came, went or changed take
 * effect at the next start, and a log line says so. */
void core_reload(struct core *c, struct config *config);
/* New settings are wrong: a health entry says so until core_reload(). */
void core_reload_failed(struct core *c);

/* ---- looking ----------------------------------------------------------------------------------
 */

struct core_printer {
	const struct printer_record *record;
	const char *state;      /* registering, online, offline, paused, refused */
	const char *reasons[4]; /* why it is not online, for people; ended by NULL */
	int64_t since;          /* Unix ms of the last change of state */
	unsigned jobs;          /* open ones */
	int64_t not_after;      /* certificate: Unix seconds; 0 none */
	const char *certificate_sha256;
};
/* Borrowed for the call of each(). */
void core_printers(struct core *c, void (*each)(void *data, const struct core_printer *p),
                   void *data);

struct core_cloud {
	const char *name, *type;
	bool reachable;
	int64_t since;
	const char *error; /* NULL none */
	const struct cloud_stats *stats;
};
void core_clouds(struct core *c, void (*each)(void *data, const struct core_cloud *cl), void *data);

struct core_health {
	enum health_code code;
	const char *subject;
	const char *text;   /* NULL: the code's own; "what; what helps" of a queue */
	const char *remedy; /* NULL: the code's own */
};
void core_health(struct core *c, void (*each)(void *data, const struct core_health *h), void *data);

enum core_stage {                      /* of a job's way, in order */
	          CORE_STAGE_CLOUD,    /* made there, until it was fetched; whole seconds */
	          CORE_STAGE_CLAIM,    /* until the cloud had taken our Acknowledge-Job */
	          CORE_STAGE_TRANSFER, /* until the queue had all of it, waiting for its turn
	                                  included */
	          CORE_STAGE_QUEUE,    /* until it ended there */
	          CORE_STAGE_REPORT,   /* until the cloud had taken the outcome */
	          CORE_STAGE_COUNT
};

struct core_tally { /* of jobs that ended since the start */
	struct histogram stages[CORE_STAGE_COUNT];
	uint64_t finished[OUTCOME_COUNT];
	uint64_t retries; /* tries beyond the first, of all jobs */
	uint64_t bytes;   /* of documents that queues have */
};
const struct core_tally *core_tally(const struct core *c); /* borrowed, live */

struct core_counts {
	unsigned jobs[JOB_STATE_COUNT]; /* open jobs by state */
	unsigned printers_online, printers_offline, printers_refused, printers_paused,
		printers_registering;
	unsigned transfers;    /* documents under way */
	unsigned handing_over; /* jobs that are being claimed or are on their way to a queue */
	int64_t started;       /* Unix ms */
	bool draining;
	bool resting; /* drained by hand */
};
struct core_counts core_counts(const struct core *c);

/* The live record of an open job, or NULL. Borrowed until the loop goes on. */
const struct job_record *core_job(struct core *c, int64_t id);
void core_jobs(struct core *c, void (*each)(void *data, const struct job_record *job), void *data);
struct store *core_store(struct core *c); /* for finished jobs and events */
const struct config *core_config(const struct core *c);

/* ---- doing ------------------------------------------------------------------------------------
 */

/* GONE: no such job. REJECTED: it has ended. Otherwise it is on its way. */
int core_cancel(struct core *c, int64_t id, struct err *err);

/* What became of a held job, by the administrator's word. */
enum core_verdict { CORE_PRINTED, CORE_PRINT_AGAIN, CORE_ABORT };

/* GONE: no such job. REJECTED: it is in another state. Otherwise it is on its way. */
int core_resolve(struct core *c, int64_t id, enum core_verdict verdict, struct err *err);
/* Another try now, of a job that waits or is held. REJECTED too: its printer cannot print. */
int core_retry(struct core *c, int64_t id, struct err *err);
/* Drained by hand: nothing is taken from the clouds and no hand-over is begun until it is called
 * with false; core_counts() tells what is still under way. Not durable. */
void core_rest(struct core *c, bool rest);

struct core_pause {
	void *data;
	void (*done)(struct core_pause *op, const struct err *err);
	struct store_op store; /* private from here on */
	struct printer_record record;
	struct core *core;
};
/* Nothing is claimed for a paused printer until it is resumed; durable. GONE: no such printer;
 * REJECTED with the remedy. queue: name or id. */
int core_pause(struct core *c, struct core_pause *op, const char *queue, const char *cloud,
               bool paused, struct err *err);

struct core_code { /* what somebody types, and where, to sign in; never to be logged */
	const char *user_code, *verification_uri;
	int64_t expires; /* Unix ms */
};

struct core_enrolled { /* what became of one queue */
	const char *queue;
	const struct printer_record *record; /* NULL: it failed */
	const char *warning;                 /* "" none */
	const struct err *err;               /* NULL: it succeeded */
};

/* Any number of queues with one cloud under one sign-in; contract: base/op.h. One that was begun by
 * an earlier run is gone on with. */
struct core_register {
	const char *const *queues; /* all borrowed until done, this array until the call returns */
	size_t count;
	bool all; /* in place of queues: all that [printers] includes and that are not registered */
	const char *cloud;     /* NULL: the only one */
	const char *name;      /* NULL: the queue's info or name */
	const char *cloud_uri; /* NULL: the cloud registers one by itself */
	const char *certificate_file, *key_file, *username, *password_file; /* NULL none */
	bool renew;   /* another key and certificate for registered ones, all else stays */
	bool dry_run; /* only what can be found out without changing anything or signing in */
	void *data;
	/* Somebody must sign in; NULL: there is nobody. Arguments of all are borrowed. */
	void (*code)(struct core_register *op, const struct core_code *code);
	/* What it waits for; queue NULL: all of them. */
	void (*progress)(struct core_register *op, const char *queue, const char *text);
	void (*ended)(struct core_register *op, const struct core_enrolled *queue);
	/* err: why it ended before all queues did. */
	void (*done)(struct core_register *op, const struct err *err);
	unsigned registered, failed; /* results */
	struct batch *private;
};
int core_register(struct core *c, struct core_register *op, struct err *err);
void core_register_cancel(struct core_register *op);

struct core_unregister {
	void *data;
	void (*done)(struct core_unregister *op, const struct err *err);
	struct printer_record record; /* result */
	struct store_op store;        /* private */
	struct core *core;
};
/* The command lines that register a printer again as it was; forget: after it is unregistered.
 * False: they did not fit. */
bool core_again(const struct config *config, const struct printer_record *r, bool forget, char *ret,
                size_t size);
/* Forgets binding, key and certificate. GONE: no such printer; REJECTED with the remedy: it has
 * open jobs, or the queue is registered with several clouds and none is named. queue: name or id.
 */
int core_unregister(struct core *c, struct core_unregister *op, const char *queue,
                    const char *cloud, struct err *err);

struct core_rebind {
	void *data;
	void (*done)(struct core_rebind *op, const struct err *err);
	char warning[TEXT_SIZE];      /* result: what is wrong with the queue; "" nothing */
	struct printer_record record; /* result; private until then */
	struct core *core;
	struct local_op local;
	struct store_op store;
	bool asking;
};
/* Moves a printer (queue or id) to another queue: key, certificate, share and permissions stay.
 * GONE: no such printer; REJECTED with the remedy: it has open jobs, the queue is taken or does not
 * let us print. */
int core_rebind(struct core *c, struct core_rebind *op, const char *printer, const char *cloud,
                const char *queue, struct err *err);
/* Connects a printer (queue or id) to its cloud anew, reads its queue again, tries what waits. Open
 * jobs go on. */
int core_reset(struct core *c, const char *printer, const char *cloud, struct err *err);

struct core_trust {
	void *data;
	void (*done)(struct core_trust *op, const struct err *err);
	struct printer_record record; /* result: pinned_key is "" when a CA vouches for it now */
	struct core *core;            /* private from here on */
	struct local_op local;
	struct store_op store;
	bool asking;
};
/* Believes the key that an ipps printer (queue or id) shows now, then as core_reset(). */
int core_trust(struct core *c, struct core_trust *op, const char *printer, const char *cloud,
               struct err *err);

/* CUPS queues that could be registered: struct queue_ops list(). */
int core_list_queues(struct core *c, struct local_op *op,
                     void (*each)(void *data, const char *name, const char *info,
                                  const char *make_and_model),
                     void *each_data, struct err *err);
void core_list_queues_clear(struct core *c, struct local_op *op); /* frees what op got */
bool core_is_registered(struct core *c, const char *queue);

/* Looks at a queue, registered or not; op->capabilities afterwards, whatever err says, when it
 * could be looked at. */
int core_probe(struct core *c, struct local_op *op, const char *queue, struct err *err);
/* How a ticket would be sent to a queue that was looked at: struct queue_ops explain(). */
int core_explain(struct core *c, const struct local_op *op, const char *queue, const char *ticket,
                 const struct ticket_explained *to, struct err *err);
/* The queue that a name means: of a printer when it is its id, else the name itself. Borrowed. */
const char *core_queue_of(struct core *c, const char *name);

#endif
