/* fake_world.h - a cloud, a print system, a store and transit files that exist only in memory and
 * only in virtual time: what core/ is tested against. Every operation is carried out by a timer of
 * the clock, never from inside start or cancel, and done() runs exactly once; the doubles assert
 * that their callers keep their side of base/op.h as well. Streams are the real ones.
 *
 * Results are scripted with fake_fail() or drawn at random. Whatever happens is written down as a
 * line "verb CLOUD-JOB details", which tests ask for and compare in order:
 *   "> cloud.accept 7"                  core asked for it
 *   "cloud.accept 7 ok"                 it was carried out ("lost": carried out, answer lost)
 *   "store.save 7 handing try=1 local=0 open ok"
 * A program that uses this includes tests/unit/core_doubles.h, which makes the linker take the
 * doubles for transit files, the work queue and the loading of the store. */
#ifndef TESTS_LIB_FAKE_WORLD_H
#define TESTS_LIB_FAKE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "connector/base/clock.h"
#include "connector/base/transit.h"
#include "connector/base/work.h"
#include "connector/cloud/cloud.h"
#include "connector/core/core.h"
#include "connector/printer/queue.h"
#include "connector/printer/ticket_note.h"
#include "connector/store/store.h"
#include "tests/lib/fake_clock.h"

#define FAKE_JOBS_MAX     256
#define FAKE_PRINTERS_MAX 40
#define FAKE_RULES_MAX    32

struct fake_world;

enum fake_how {
	FAKE_START,  /* start returns -1 */
	FAKE_BEFORE, /* nothing was done */
	FAKE_MIDDLE, /* documents: some bytes went over */
	FAKE_AFTER,  /* all was done, but the answer was lost */
	FAKE_LIE,    /* nothing was done, and the answer says that it was */
	FAKE_NEVER,  /* hangs until it is canceled */
};

struct fake_rule {
	const char *verb;
	int32_t job;          /* in the cloud; 0: any */
	unsigned times, skip; /* skip: so often it works before */
	enum err_kind kind;
	int code;
	enum fake_how how;
};

enum fake_hold { FAKE_FETCHABLE, FAKE_OURS, FAKE_TAKEN, FAKE_FINAL, FAKE_FORGOTTEN };

struct fake_cloud_job {
	int32_t job;
	char uuid[64];
	int printer; /* index */
	int32_t documents;
	char format[NAME_SIZE];
	const char *bytes; /* of each document */
	size_t len;
	enum fake_hold hold;
	bool canceled; /* by somebody there */
	bool hidden;   /* offered no more */
	bool never_acknowledged;
	enum cloud_job_state told; /* last report */
	bool printed;              /* its documents, in that */
	char reasons[NAME_SIZE], message[TEXT_SIZE];
	unsigned reports, finals, accepts;
	int64_t told_at, worst_silence; /* virtual ms */
	bool was_told;
};

struct fake_local {
	int32_t id;
	char uuid[64];
	int32_t cloud_job;
	int printer;
	unsigned documents;
	uint64_t bytes;
	bool closed, vanished, canceled, printed_again, unconfirmed;
	int64_t processing_at, print_ms;
	enum job_outcome outcome;
	int printed; /* whole jobs that came out of it */
	char message[TEXT_SIZE];
	struct timer timer;
	struct fake_world *w;
};

struct queue {
	struct fake_world *w;
	int printer;
	char name[URI_SIZE];
	struct queue_listener listener;
	struct queue_status status;
	struct timer changed;
	unsigned refreshed, calls;
	bool goes_down; /* off, which shows when it is asked */
	bool open;
};

struct channel {
	struct fake_world *w;
	int printer;
	struct channel_listener listener;
	enum channel_state state;
	struct timer connect, offers;
	unsigned updates, calls;
	bool open;
};

struct fake_call;
struct transit_file;

struct fake_world {
	struct fake_clock clock;
	char *dir;
	struct config *config;
	bool borrows; /* both: fake_world_open_at() */
	struct core *core;
	struct core_settings settings;
	bool drained;
	const char *damage;        /* of the store: what was set aside */
	int64_t identities_before; /* Unix ms: older ones were forgotten last */

	struct fake_rule rules[FAKE_RULES_MAX];
	unsigned fault_percent;      /* random results */
	int64_t delay_ms, jitter_ms; /* of every operation */
	bool cloud_down, queue_down, store_down, accept_again_refused, offers_ours;
	bool timeless;          /* the cloud never says what time it is */
	int64_t clock_ahead_ms; /* our wall clock, of the cloud's */
	bool manual;            /* local jobs go on only by fake_print() and the like */
	int64_t print_ms;       /* how long the queue prints */
	unsigned abort_percent, again_percent, vanish_percent;
	bool ghost;       /* the daemon was killed: nothing has an effect any more */
	unsigned dies_in; /* ... at the so many-th moment from now: an operation begins, or a commit
	                     is durable and nobody has heard of it yet; 0: never */
	bool printers_whole, printers_single;
	bool busy_when_printing;

	struct fake_call *calls;
	size_t job_count, local_count, printer_count, row_count;
	struct local_watch *watches[FAKE_JOBS_MAX];
	size_t watches_used;   /* those behind it are NULL */
	const char *key_shown; /* by printers that are probed; borrowed; NULL: none */
	const char *names[FAKE_PRINTERS_MAX]; /* of queues there are; ended by NULL */
	struct attrs *capabilities;           /* of every queue, borrowed; NULL: not read */
	struct ticket_note lost[3]; /* defaults that no queue has; ended by one without a name */
	/* of the cloud's registration service */
	bool wants_sign_in, never_signed_in, wrong_key, other_device, forgets_registrations;
	int valid_days; /* of the certificates it makes */
	unsigned sessions, sign_ins, enrolled, enrolling, most_enrolling;
	struct fake_registration {
		char device[ID_SIZE], id[32], *request; /* owned */
	} registrations[FAKE_PRINTERS_MAX];
	size_t registration_count;
	struct attrs *tickets[FAKE_JOBS_MAX];
	int64_t next_id;
	int32_t next_local;
	unsigned commits, events, transit_files, transfers, most_transfers;
	unsigned faults; /* random ones so far */

	char **lines;
	size_t line_count, line_size;
	bool quiet; /* no lines */

	/* large: cleared as they are taken */
	struct fake_cloud_job jobs[FAKE_JOBS_MAX];
	struct fake_local locals[FAKE_JOBS_MAX * 8];
	struct job_record rows[FAKE_JOBS_MAX];
	struct printer_record printers[FAKE_PRINTERS_MAX];
	struct queue queues[FAKE_PRINTERS_MAX];
	struct channel channels[FAKE_PRINTERS_MAX];
};

/* The world that the doubles of core_doubles.h belong to. */
extern struct fake_world *fake_world;

/* The memory must have been zeroed, or closed before. settings: the text of a settings file, or
 * NULL for one cloud "c" and nothing else. */
void fake_world_open(struct fake_world *w, uint64_t seed, const char *settings);
/* The same without a file, for thousands of worlds: directory and settings stay the caller's. */
void fake_world_open_at(struct fake_world *w, uint64_t seed, const char *dir,
                        struct config *config);
/* Asserts that nothing is left: no operation, no timer, no file. */
void fake_world_close(struct fake_world *w);
/* A registered printer, before fake_start(); its index. */
int fake_printer(struct fake_world *w, const char *queue);
void fake_start(struct fake_world *w);                   /* core_open() */
void fake_stop(struct fake_world *w);                    /* drains and closes */
void fake_drain(struct fake_world *w, int64_t limit_ms); /* ... only begins to */
void fake_kill(struct fake_world *w);                    /* kill -9: only what is committed stays */
void fake_moment(struct fake_world *w);                  /* for the doubles: counts dies_in */
void fake_run(struct fake_world *w, int64_t ms);
/* Until a line begins so; fails after an hour of virtual time. */
void fake_until(struct fake_world *w, const char *line);

struct fake_cloud_job *fake_job(struct fake_world *w, int printer, int32_t job);
struct fake_cloud_job *fake_cloud_job(struct fake_world *w, int32_t job);
void fake_offer(struct fake_world *w, int printer); /* the cloud lists what is fetchable */
void fake_cloud_cancel(struct fake_world *w, int32_t job);
void fake_channel(struct fake_world *w, int printer, enum channel_state state);
void fake_health(struct fake_world *w, int printer, enum queue_health health);

struct fake_rule *fake_fail(struct fake_world *w, const char *verb, int32_t job, enum err_kind kind,
                            enum fake_how how);

/* The newest local job of a cloud job; NULL none. */
struct fake_local *fake_local(struct fake_world *w, int32_t job);
unsigned fake_closed(const struct fake_world *w, int32_t job); /* how often it could print */
void fake_begin(struct fake_local *l);                         /* it starts to print */
void fake_end(struct fake_local *l, enum job_outcome outcome);
void fake_vanish(struct fake_local *l);
struct job_record *fake_row(struct fake_world *w, int32_t job); /* committed; NULL none */
/* A row as an earlier life left it. */
struct job_record *fake_old_row(struct fake_world *w, int printer, int32_t job,
                                enum job_state state);
/* A local job as an earlier life left it: of the row's attempt. */
struct fake_local *fake_old_local(struct fake_world *w, const struct job_record *row, bool closed);

/* Index of the first line at or behind `from` that begins so, -1 none. */
long fake_find(const struct fake_world *w, const char *line, size_t from);
unsigned fake_count(const struct fake_world *w, const char *line);
void fake_print_lines(const struct fake_world *w);

/* ---- for the doubles themselves */

struct fake_call {
	struct fake_call *next;
	struct fake_world *w;
	struct timer timer;
	const char *verb;
	void *op; /* of the caller */
	int32_t job, number;
	int step;
	bool canceled, planned, effect, in_flight;
	enum fake_how how;
	struct err err; /* to come */
	/* Carries it out; a stream's goes on until fake_call_end(). */
	void (*run)(struct fake_call *c);
	void (*done)(struct fake_call *c, const struct err *err);
	struct channel *channel;
	struct queue *queue;
	struct stream *stream;
	struct transit_file *file;
	struct attrs *ticket;
	struct job_record *row;         /* owned */
	struct printer_record *printer; /* owned */
	struct cloud_report report;
	char uuid[64], text[TEXT_SIZE], reasons[NAME_SIZE];
	bool last;
	size_t at; /* bytes moved */
	int64_t limit;
	unsigned *busy;
};

void fake_line(struct fake_world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* NULL: it is to fail at once, err says why. */
struct fake_call *fake_call_start(struct fake_world *w, const char *verb, void *op, int32_t job,
                                  void (*run)(struct fake_call *c),
                                  void (*done)(struct fake_call *c, const struct err *err),
                                  struct err *err);
/* The operation ends: done() now, c is freed. err NULL: as planned. */
void fake_call_end(struct fake_call *c, const struct err *err);
struct fake_call *fake_call_of(struct fake_world *w, const void *op);
void fake_call_cancel(struct fake_world *w, const void *op);
/* Goes on after ms. */
void fake_call_again(struct fake_call *c, int64_t ms);
bool fake_dice(struct fake_world *w, unsigned percent);
uint64_t fake_random(struct fake_world *w, uint64_t below);
void fake_locals_stop(struct fake_world *w);
void fake_offer_later(struct channel *ch);

extern const struct cloud_ops fake_cloud_ops;
extern const struct queue_ops fake_queue_ops;
extern const struct store_ops fake_store_ops;

/* The registration service: tests/lib/fake_registration.c */
#define FAKE_USER_CODE "QWER-7890"
bool fake_wants_sign_in(const struct cloud *c);
int fake_sign_in(struct cloud *cl, struct cloud_op *op, struct err *err);
void fake_sign_out(struct cloud_session *s);
int fake_enroll(struct cloud *cl, struct cloud_op *op, const struct cloud_enrolment *what,
                struct err *err);
unsigned fake_devices(const struct fake_world *w); /* how many printers the cloud has made */
void fake_registrations_clear(struct fake_world *w);

int fake_load_printers(struct printer_record **ret, size_t *ret_count);
int fake_load_open_jobs(struct stored_job **ret, size_t *ret_count);
int fake_transit_create(uint64_t limit, struct transit_file **ret, struct err *err);
void fake_transit_free(struct transit_file *f);
uint64_t fake_transit_size(const struct transit_file *f);
int fake_transit_move(struct transit_op *op, bool fill, struct err *err);
void fake_transit_cancel(struct transit_op *op);
void fake_work_submit(struct work_item *item);

#endif
