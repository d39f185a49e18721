/* core_private.h - the objects of core/ and how its files call each other. */
#ifndef CONNECTOR_CORE_CORE_PRIVATE_H
#define CONNECTOR_CORE_CORE_PRIVATE_H

#include <sys/queue.h>

#include "connector/base/clock.h"
#include "connector/base/crypto.h"
#include "connector/core/core.h"
#include "connector/core/policy.h"
#include "connector/core/sniff.h"

struct batch;
struct doctor;
struct config_cloud;
struct job;
struct printer;
struct stream;
struct transfer;
struct transit_file;

/* ---- one configured cloud ----------------------------------------------------------------------
 */

struct service {
	struct core *core;
	struct service *next;
	char name[64];
	const char *type; /* as in the settings */
	struct cloud *cloud;
	unsigned answering; /* channels that are online or refused: somebody answers */
	int64_t since;
	struct err err; /* of the channel that failed last */
};

struct service *service_find(struct core *c, const char *name);
/* Counts channels by state; says once when the cloud becomes unreachable or comes back. */
void service_channel_moved(struct service *s, enum channel_state from, enum channel_state to,
                           const struct err *err);

/* ---- a registered printer: its line to the cloud, its queue, its jobs --------------------------
 */

struct printer {
	struct core *core;
	struct printer *next;
	struct timer kick; /* looks at all jobs and offers in the next turn of the loop */
	struct printer_record record;
	struct service *service; /* NULL: its cloud is not configured any more */
	struct channel *channel; /* NULL: not mine, or could not be opened */
	struct queue *queue;
	enum channel_state channel_state;
	struct err channel_err;
	int64_t since;
	bool leaving;              /* is being unregistered: nothing is claimed */
	bool changing;             /* its row is being committed */
	bool closed;               /* goes when identify has ended */
	bool reconnect;            /* has another certificate, claims nothing until it is in use */
	bool could_print;          /* when it was looked at last */
	bool announced;            /* its state was said in the journal */
	char said[16];             /* which */
	struct local_op *identify; /* NULL: never asked to */
	bool identifying;
	bool asking;        /* whether the queue is still there, before something is claimed */
	bool one_at_a_time; /* the queue answered busy while a job of ours was in it */
	struct job *jobs;   /* open ones, in the order of their claims */
	struct job **jobs_end;
	unsigned reclaimed; /* of them */
	struct cloud_offer *offers;
	size_t offer_count, offer_next;
	struct timer look;   /* asks the cloud for its offers again */
	unsigned look_tries; /* offers in a row that could not be fetched */
	int64_t not_after;   /* of our certificate, Unix seconds; 0: none */
	char certificate_sha256[65];
	bool certificate_unread;
	int warned_days;         /* the limit that was last said to be reached */
	struct attrs *looked_at; /* what the queue could do when its defaults were looked at last;
	                            NULL: never */
	char *lost_defaults;     /* what was found then, for people; NULL: nothing. Owned */
};

struct printer *printer_open(struct core *c, const struct printer_record *record);
/* Connects it: before that, jobs of the store are adopted. */
void printer_start(struct printer *p);
/* With the certificate that its record has now, as soon as no job asks the cloud. */
void printer_reconnect(struct printer *p);
/* To the queue of another record of its own, without jobs. */
void printer_move(struct printer *p, const struct printer_record *record);
void printer_stop_jobs(struct printer *p); /* they go in later turns of the loop */
void printer_close(struct printer *p);     /* without jobs */
bool printer_is_mine(const struct printer *p);
void printer_set_paused(struct printer *p, bool paused); /* after the commit */
/* Something changed that jobs of the printer may wait for: a turn, a free slot, the queue, the
 * cloud. They are looked at in the next turn of the loop. */
void printer_next(struct printer *p);
/* The queue has ended a job: those on their way to it are looked at now. */
void printer_pass_turn(struct printer *p);
/* Whether a job may go to the queue now. */
bool printer_can_print(const struct printer *p);
/* It as the command line takes it: the queue, and the cloud where the queue has several; to the end
 * of the block. */
#define WORDS_SIZE (URI_SIZE + NAME_SIZE)
#define WORDS(p)   printer_words(p, (char[WORDS_SIZE]){ 0 })
const char *printer_words(const struct printer *p, char ret[static WORDS_SIZE]);
const char *record_words(const struct printer_record *r, bool several, char ret[static WORDS_SIZE]);
/* Why not, for people, with the remedy: one that lasts, or ret. */
const char *printer_why_not(const struct printer *p, char ret[static TEXT_SIZE]);
/* The same, good to the end of the block. */
#define WHY_NOT(p) printer_why_not(p, (char[TEXT_SIZE]){ 0 })
const char *printer_state_name(const struct printer *p);
/* The channel or the queue is other than before. */
void printer_moved(struct printer *p);
void printer_free(struct printer *p); /* closed, and not identifying any more */

/* printer_channel.c */
/* Opens p->channel with the settings and credentials of now. */
int printer_connect(struct printer *p, struct err *err);
void printer_disconnect(struct printer *p); /* if it is connected */
/* Paths of what it shows to its cloud, "" none; cloud NULL: not in the settings. */
void printer_credentials(const char *state_directory, const struct printer_record *r,
                         const struct config_cloud *cloud, char key[URI_SIZE],
                         char certificate[URI_SIZE]);

/* printer_offers.c */
void printer_offers_init(struct printer *p);
void printer_offers_clear(struct printer *p);
/* The cloud's whole list, in place of the one before; copied. */
void printer_take_offers(struct printer *p, const struct cloud_offer *offers, size_t count);
/* Takes offered jobs as long as there is room. */
void printer_claim(struct printer *p);
/* An offer could not be taken for now: the cloud is asked again after a back-off. err: why, or
 * NULL. */
void printer_look_again(struct printer *p, const struct err *err);
/* Whether a finished or open job is being accepted again already. */
bool printer_meets_again(const struct printer *p, int32_t cloud_job);
void printer_add_job(struct printer *p, struct job *j);
void printer_remove_job(struct printer *p, struct job *j);

/* ---- a job ---- */

/* What an open job is doing within its state; not durable. */
enum job_step {
	STEP_IDLE,    /* nothing under way: waits for a timer, an event, its turn */
	STEP_FETCH,   /* claiming: Fetch-Job */
	STEP_STORE,   /* claiming: the row is being committed */
	STEP_ACCEPT,  /* claiming: Acknowledge-Job */
	STEP_PROVE,   /* claiming: is it ours? Fetch-Document tells */
	STEP_FIND,    /* handing: does the queue have an earlier try? */
	STEP_COLLECT, /* handing: the whole document into transit files (IPP printer) */
	STEP_CREATE,  /* handing: Create-Job */
	STEP_SEND,    /* handing: documents on their way to the queue */
	STEP_FINISH,  /* handing: the closing Send-Document */
	STEP_UNDO,    /* handing: Cancel-Job, then Get-Job-Attributes */
	STEP_WATCH,   /* printing */
	STEP_CHECK,   /* reporting: canceled meanwhile? */
	STEP_REPORT,  /* reporting: Update-Job-Status */
	STEP_DROP,    /* the row is being removed */
};

/* What an administrator has ordered for a job that is held or waits. */
enum job_order {
	ORDER_NONE,
	ORDER_AGAIN,   /* another try, now */
	ORDER_PRINTED, /* paper has come out */
	ORDER_ABORT,
};

#define JOB_EVENTS_MAX 8
#define JOB_GAVE_UP    "not printed within give-up-after"

struct job {
	struct core *core;
	struct printer *printer;
	struct job *next;      /* of the printer */
	struct job **place;    /* where the list points to it */
	TAILQ_ENTRY(job) line; /* core.line */
	struct job_record rec;
	struct attrs *ticket; /* owned */
	enum job_step step;
	enum job_order order;
	bool saving;        /* one commit in flight; what happens meanwhile is decided after it */
	bool again;         /* something happened meanwhile */
	bool dead;          /* to be freed when nothing is under way */
	bool adopted;       /* taken from the store at start: ask before doing */
	bool from_store;    /* ... and the cloud has not been talked to about it since */
	bool in_line;       /* ... for that it waits for others to be done with it */
	bool talks;         /* ... it is doing so */
	bool reclaimed;     /* the cloud offers a job that the store remembers */
	bool take_back;     /* held, reporting: its local job is still to be canceled */
	bool took_back;     /* rec.taken_back is durable */
	bool quarantine;    /* was active in too many crashes: held before anything is done */
	bool not_refusable; /* reporting: the cloud did not take the refusal */
	bool turned_away;   /* the queue has refused it before */
	bool cancel_sent;   /* Cancel-Job is on its way to the queue, or may have arrived */
	unsigned tries;     /* of the step in hand, for back-off */
	struct timer timer; /* next try, or the next word to the cloud while printing */
	struct timer beat;  /* handing: a word to the cloud now and then, and give-up-after */
	int64_t born;       /* monotonic ms of rec.received: somebody may move the wall clock */
	bool past_counts;   /* what passed before the start is in born */
	int64_t told;       /* monotonic ms of the last word to the cloud */
	int64_t tell_at;    /* ... before which one that was not taken is not said again */
	unsigned untaken;   /* words that the cloud did not take, up to the last one */
	int64_t entered;    /* ... of the last move */
	int64_t try_at;     /* ... of rec.next_try, for the same reason */
	int64_t cancel_at;  /* ... before which Cancel-Job is not sent again */
	unsigned cancel_tries;
	bool news;   /* the cloud has not heard of what happened last */
	bool stands; /* printing: it was last told that nothing moves */
	/* what is under way, by job_op.c; NULL: nothing */
	struct cloud_op *cloud, *tell;
	struct local_op *local, *cancel;
	struct store_op *store; /* NULL while saving: it failed and the timer tries it again */
	struct store_op *lazy;  /* a commit that nothing waits for */
	bool lazy_again;        /* ... and there is something newer */
	struct local_watch watch;
	bool watching;
	void (*saved)(struct job *j, const struct err *err); /* what follows the commit in flight */
	enum job_state before;                               /* state before it */
	struct job_event *events;                            /* for the next commit; NULL: none */
	unsigned event_count, events_sent; /* the first of them are in the commit in flight */
	char local_uuid[64];               /* "urn:uuid:…" of the try in hand */
	char *owner;                       /* requesting-user-name at the queue */
	char hidden_name[40];
	struct local_ticket sent_ticket; /* of the transfer */
	bool backing_off;                /* nothing before the timer */
	bool has_slot;                   /* one of [jobs] max-transfers */
	bool collected;                  /* the whole documents are in files */
	bool checked, canceled_there; /* reporting: the cloud was asked for a cancel; it had one */
	bool another_there;           /* ... it has another job under the number */
	bool ended_there;             /* ... it has ended the job itself: nothing is left to tell */
	bool ask_finish;              /* the closing Send-Document was not answered */
	bool undo_after_transfer;
	unsigned busy_tries;
	unsigned not_found;   /* answers of the cloud */
	struct stream *probe; /* claiming: of the document that proves whose the job is */
	bool proved;
	struct transfer *transfer;
	struct transit_file **files; /* whole documents, at most rec.documents */
	char (*formats)[NAME_SIZE];  /* of each */
	struct sealed **passwords;   /* of each that has one */
	int document;                /* the one in hand, from 1 */
	struct err undo_err;         /* why the hand-over is being undone */
	enum policy_place undo_place;
	struct local_job *seen; /* printing: as the queue told it last; NULL: not yet */
};

/* job.c: the machine */
struct job *job_claim(struct printer *p, const struct cloud_offer *offer);
/* A job in hand is offered again by the cloud: accepts it again, no more. */
void job_accept_again(const struct job *known);
/* The cloud believes that we hold a job that is not open here: it is told what is remembered. */
void job_remember(struct printer *p, int32_t cloud_job);
struct job *job_adopt(struct printer *p, const struct job_record *rec, struct attrs *ticket);
/* The cloud answers, so that it is known what time it is: counts what passed before the start. */
void job_count_past(struct job *j);
void job_free(struct job *j); /* abandons what is under way */
void job_run(struct job *j);  /* decides what is next; does nothing while a commit is in flight */
void job_request_cancel(struct job *j, const char *source);
/* Whether its queue is an IPP printer, which gets whole documents and may print from the first
 * byte. */
bool job_is_whole(const struct job *j);
/* The local job's uuid as the queue tells it: CUPS keeps ours, an IPP printer gives its own. NULL:
 * not known. */
const char *job_uuid_at_queue(const struct job *j);
/* Whether the queue has another job under our number: it lost its state and counts again. */
bool job_is_not_ours(const struct job *j, const struct local_job *local);
/* Changes the state, commits, logs, runs. */
void job_move(struct job *j, enum job_state to);
int64_t job_now_ms(const struct job *j);  /* the monotonic clock */
int64_t job_wall_ms(const struct job *j); /* Unix time, as this machine has it */
int64_t job_age_ms(const struct job *j);  /* since it was received */
#define JOB_NOT_FOUND_TIMES 3
/* Whether the cloud means that it does not know the job. Not-found is also what a cloud says that
 * has lost its devices, until it is told of ours again: so it counts when it is said again. */
bool job_is_unknown_there(struct job *j, const struct err *err);
/* Lets policy decide and moves. */
void job_settle(struct job *j, enum policy_place place, const struct err *err,
                enum job_outcome outcome);
/* Tries the step again after a back-off. */
void job_retry(struct job *j, const struct err *err);
bool job_is_quarantined(const struct job *j);
bool job_is_open_at_queue(const struct job *j);
const struct config_queue *job_settings(const struct job *j);
struct sniff_queue job_sniff_queue(const struct job *j); /* where its documents go */

/* job_save.c */
/* Commits the row and what its time-line has new, then calls saved(). */
void job_save(struct job *j, void (*saved)(struct job *j, const struct err *err));
/* Commits what nothing waits for. */
void job_save_lazily(struct job *j);
/* True: a commit had failed and is tried again. */
bool job_save_again(struct job *j);
void job_save_end(struct job *j); /* the last one; frees the job */
void job_drop(struct job *j);     /* it is not ours: the row goes */

/* job_log.c */
/* For the time-line; durable with the next commit. source: "cloud", "connector", "queue", ... */
void job_event(struct job *j, const char *source, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void job_log(const struct job *j, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* It has moved. */
void job_log_move(const struct job *j);

/* job_line.c */
/* Whether the cloud may be talked to about it now. Of thousands of jobs that a start takes up, few
 * at once: the others, and new jobs, need the line too. False: the job is run when it may. */
bool job_may_talk(struct job *j);
bool job_is_in_line(const struct job *j);
void job_talked(struct job *j);     /* it had its answer */
void job_leave_line(struct job *j); /* it goes */

/* job_op.c: another exchange or commit, in *place until done() begins; its data is the job. */
void job_begin_cloud(struct job *j, struct cloud_op **place,
                     void (*done)(struct cloud_op *op, const struct err *err));
void job_begin_local(struct job *j, struct local_op **place,
                     void (*done)(struct local_op *op, const struct err *err));
struct store_op *job_begin_store(struct job *j, struct store_op **place,
                                 void (*done)(struct store_op *op, const struct err *err));
/* Cancels its local job, and no other: a queue that lost its state gives numbers out again, so that
 * it is looked at first. canceled() has ERR_GONE when it is not there any more. 0, or -1: not
 * started. */
int job_cancel_local(struct job *j, struct local_op **place,
                     void (*canceled)(struct local_op *op, const struct err *err), struct err *err);
/* One that could not be started. */
void job_drop_cloud(struct cloud_op **place);
void job_drop_local(struct local_op **place);

/* One file per state. Each *_run() goes on from j->step. */
void job_claiming_run(struct job *j); /* job_claim.c */
void job_handing_run(struct job *j);  /* job_hand.c */
void job_printing_run(struct job *j); /* job_print.c */
void job_waiting_run(struct job *j);
void job_held_run(struct job *j);
void job_take_back(struct job *j);     /* when j->take_back says so and the queue is known */
void job_reporting_run(struct job *j); /* job_report.c */
/* The outcome is on its way to disk: asks the cloud for a cancel meanwhile. */
void job_report_look(struct job *j);
/* Whether the cloud has another job under its number, by the job-uuid it tells, "" none: one that
 * lost its memory gives numbers out again, and what we have to say is not about that job. */
bool job_is_another(const struct job *j, const char *uuid);
/* Whether the cloud is known to have one: its documents are not ours. */
bool job_is_replaced(const struct job *j, struct err *err);
/* A word in between; the last one counts, lost ones are repeated. */
void job_tell(struct job *j, enum cloud_job_state state, const char *reasons, const char *message);
/* Computes local_uuid and owner of the try in hand. */
void job_identify_try(struct job *j);
void job_hand_abort(struct job *j); /* stops what runs; done() callbacks follow */
/* give-up-after has passed: ends what only waits. */
void job_hand_give_up(struct job *j);
void job_accept_run(struct job *j); /* of a job that is only accepted again */
/* That it is still there, every 4 minutes, while a commit fails: nobody may be told of what is not
 * durable. */
void job_tell_alive(struct job *j);
/* Milliseconds until the cloud must hear of the job again; tells it when that is now. */
int64_t job_tell_in_time(struct job *j, enum cloud_job_state state, const char *reasons,
                         const char *message);
void job_hand_clear(struct job *j);

/* ---- the core ---- */

struct core {
	struct core_settings set;
	char machine[40];
	struct queues *queues;
	struct service *services;
	struct printer *printers;
	unsigned printer_count;
	unsigned transfers;             /* documents under way, at most [jobs] max-transfers */
	TAILQ_HEAD(job_line, job) line; /* jobs of the store that wait to be talked about */
	unsigned talking;               /* ... that are */
	bool draining, stopping;
	bool resting; /* drained by hand: nothing new is begun */
	void (*drained)(void *data);
	void *drained_data;
	struct timer drain_timer;
	struct timer store_timer; /* tries a failing store */
	struct timer trim_timer;
	struct store_op trim;
	bool trimming;
	bool store_failing; /* said so already */
	struct timer short_timer;
	const char *short_of; /* what the process has too little of; NULL: enough */
	bool settings_wrong;  /* the newer ones, which are not in use */
	int64_t started;
	int64_t started_at; /* monotonic ms of the same */
	struct core_tally tally;
	unsigned next_maker;             /* of set.work, in turn */
	struct batch *batches;           /* of core_register() */
	struct core_rebind *rebind;      /* under way; NULL: none */
	struct core_trust *trust;        /* likewise */
	struct doctor *doctor;           /* likewise */
	struct timer certificate_timer;  /* a day */
	struct timer certificate_reader; /* of those that are unread */
	unsigned pending; /* commits and the like that end in the core, besides those of jobs */
};

/* Unix ms now, as the cloud says; 0: it never did. */
int64_t service_time(const struct service *s);
/* A commit failed or works again: claiming stops or goes on. */
void core_store_result(struct core *c, const struct err *err);
/* Whether the process has too little of something to begin anything new; printers are looked at
 * again when it has enough. */
bool core_is_short(struct core *c);
/* A document may start to move; pairs with core_transfer_end(). */
bool core_transfer_begin(struct core *c);
void core_transfer_end(struct core *c);
void core_check_drained(struct core *c);
/* TEMPORARY when the daemon stops: nothing that an administrator orders is begun. */
int core_check_running(const struct core *c, struct err *err);
/* Whether nothing new may be begun: the daemon stops, or is drained by hand. */
bool core_holds_back(const struct core *c);
void core_wake(struct core *c);                        /* looks at all jobs and offers */
struct job *core_find_job(struct core *c, int64_t id); /* live ones */
/* A claim or a hand-over that is under way. */
bool job_is_handing_over(const struct job *j);
void batches_abort(struct core *c); /* register.c */
void rebind_abort(struct core *c);  /* rebind.c */
void trust_abort(struct core *c);   /* trust.c */
bool core_is_registering(const struct core *c, const char *id);
/* certificates.c: says what expires, soon and every day. Before the first printer starts. */
void certificates_watch(struct core *c);
/* The printer shows one that was not read yet, or perhaps none. */
void certificate_changed(struct printer *p);
/* not_after: Unix seconds, 0: there is none. NULL: there is nothing to say. text: for people. */
const enum health_code *certificate_health(const char *queue, int64_t not_after,
                                           struct clock *clock, char text[TEXT_SIZE]);
/* What a printer shows to its cloud. 0: nothing; cloud NULL: not in the settings. */
int certificate_read(const char *state_directory, const struct printer_record *r,
                     const struct config_cloud *cloud, struct crypto_certificate *ret,
                     struct err *err);
struct printer *core_find_printer(struct core *c, const char *queue, const char *cloud,
                                  struct err *err);

#endif
