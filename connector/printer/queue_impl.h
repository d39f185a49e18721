/* queue_impl.h - what the files of queue.h's implementation share. Not for others. */
#ifndef CONNECTOR_PRINTER_QUEUE_IMPL_H
#define CONNECTOR_PRINTER_QUEUE_IMPL_H

#include "connector/base/clock.h"
#include "connector/printer/driver_grey.h"
#include "connector/printer/printer_state.h"
#include "connector/printer/queue.h"
#include "connector/printer/queue_events.h"
#include "connector/printer/queue_restarts.h"

#define QUEUE_USER "print-connector" /* requesting-user-name where there is no owner */

#define QUEUE_ASK_MS        30000  /* one exchange without a document */
#define QUEUE_CUPS_STALL_MS 60000  /* cupsd always reads; it only writes to disk */
#define QUEUE_IPP_STALL_MS  900000 /* a printer without paper stops reading until somebody comes */

enum queue_want { WANT_NOTHING, WANT_GLANCE, WANT_STATE, WANT_ALL };

struct queues {
	struct http *http;   /* borrowed */
	struct clock *clock; /* borrowed */
	char *server;
	char *url;
	char *id;                  /* NULL: none */
	const struct vault *vault; /* borrowed */
	int64_t events_ms;
	/* 16 connections to one cupsd in all: documents may stall, so the rest has its own. */
	struct http_peer *control, *documents;
	struct events *events; /* of all queues of CUPS */
	struct restarts *restarts;
	struct queue *first;
	struct queue *waiting, **waiting_end; /* to be read, in order */
	unsigned devices;                     /* printers behind queues of CUPS */
	unsigned printers, places;            /* IPP printers that are open; that ever were */
	unsigned reads;                       /* of CUPS' queues, under way */
	unsigned pins; /* ourselves, each queue, the events: freed with the last */
	bool closed;
};

struct queue {
	struct queues *qs;
	struct queue *next; /* of qs->first */
	char *name, *uri, *url;
	bool cups;                             /* a queue of CUPS; else an IPP printer */
	bool pinned;                           /* known by its key */
	struct http_peer *control, *documents; /* those of qs, or one of our own */
	struct queue_listener listener;
	struct queue_status status;
	struct attrs *capabilities, *state;
	struct printer_traits traits;
	unsigned pins; /* opened, an exchange, the events, watches that end */
	bool closed;

	/* queue_read.c */
	struct ipp_op read;
	struct timer timer;
	enum queue_want want, asked;
	bool reading, in_line, untold, known; /* known: read once */
	bool hurried;                         /* the timer was set anew for a job */
	struct queue *next_waiting;
	struct class_reading *class_reading;   /* a class whose members are being read */
	char *members;                         /* of a class, see queue_class_has(); NULL: none */
	struct driver_reading *driver_reading; /* of a driver whose PPD is being read */
	struct driver_grey grey, grey_read;    /* of all its drivers; as it is being read */
	unsigned failures;                     /* in a row */
	int64_t connecting_since;              /* loop ms; 0: not */
	int printer_state;                     /* as last seen */
	int config_changed;                    /* printer-config-change-time */
	unsigned place;                        /* of an IPP printer in qs->places */
	struct attrs *glance;                  /* of its last answer; NULL: none */
	int64_t asked_at, state_at, whole_at; /* loop ms; when its state, all of it was read last */

	struct device *device; /* queue_device.c; NULL: none */

	/* queue_watch.c */
	struct local_follow *follows; /* in the order in which they began */
	struct queue_front {
		int64_t restart; /* of cupsd */
		int32_t job;     /* the lowest that it had open then, and begun since; 0: none */
		int64_t processing_at;
	} front;
	struct events *events; /* of an IPP printer that has them */
};

/* queue.c */
struct queue *queue_new(struct queues *qs, const char *name, const char *pinned_key);
void queue_put(struct queue *q); /* frees with the last pin */
/* A request to the queue with printer-uri and requesting-user-name (NULL: ours). */
ipp_t *queue_request(const struct queue *q, ipp_op_t op, const char *user_name);
/* A name from outside, made fit: one line of at most 255 bytes of UTF-8. */
void queue_add_name(ipp_t *request, const char *name, const char *value);
void queue_add_user(ipp_t *request, const char *user_name); /* NULL or "": ours */
/* The same to a job: job-id stands right behind printer-uri (RFC 8011 4.1.5). */
ipp_t *queue_job_request(const struct queue *q, ipp_op_t op, int32_t job, const char *user_name);
void queue_ask_for(ipp_t *request, const char *const *names, int count);
/* Starts an exchange on an operation that does not run. Consumes the request. */
int queue_start(struct queue *q, struct ipp_op *op, ipp_t *request,
                void (*done)(struct ipp_op *op, const struct err *err), void *data,
                struct err *err);

/* Address of a queue of CUPS; it finds classes under the same path as well. */
void queue_cups_uri(const char *name, char ret[static URI_SIZE]);

/* What is read behind all that a queue says of itself. */
enum more_step {
	MORE_NONE,   /* nothing, or it cannot be read: err stands */
	MORE_ASKING, /* another exchange is under way */
	MORE_READ,   /* that was all; op has the queue's own answer again */
};
/* The exchange that asks for all that a queue can do has ended, or one that this began. */
enum more_step queue_more_step(struct queue *q, struct ipp_op *op, const struct err *err);

/* queue_driver.c: the PPD of a queue's or member's driver for colour, behind its answer in op.
 * True: it is asked for; the exchange has op, and queue_driver_take() gives the answer back. */
bool queue_driver_ask(struct queue *q, struct ipp_op *op, const char *name);
void queue_driver_take(struct queue *q, struct ipp_op *op, const struct err *err);
void queue_driver_clear(struct queue *q); /* what was read */

/* queue_class.c: the members of a class */
enum more_step queue_class_step(struct queue *q, struct ipp_op *op, const struct err *err);
/* Whose answer is in op: of the member that was asked last, else of the queue itself. */
const char *queue_class_asked(const struct queue *q);
struct attrs *queue_class_capabilities(const struct queue *q, ipp_t *own);
void queue_class_clear(struct queue *q); /* what was read */
/* Whether the queue is a class with such a member. */
bool queue_class_has(const struct queue *q, const char *name);

/* queue_read.c */
void queue_want(struct queue *q, enum queue_want want);
void queue_watched(struct queue *q); /* an IPP printer has something to print: asked more often */
void queue_read_stop(struct queue *q);
/* CUPS itself does not answer. */
void queue_is_down(struct queue *q, const struct err *err);

/* queue_tick.c */
/* How long an idle IPP printer, whose last answer took so long, is left alone. */
int64_t queue_tick_delay(const struct queue *q, int64_t took_ms);

/* queue_device.c */
struct device; /* the IPP printer behind a queue of CUPS */
/* Out of a whole answer of the queue; the one that is there already stays. */
void queue_device_find(struct queue *q, ipp_t *answer);
void queue_device_close(struct queue *q);
void queue_device_ask(struct queue *q); /* something happened: soon */
/* State, paper, supplies and identify-actions as it says them; NULL: not known. Borrowed. */
ipp_t *queue_device_says(const struct queue *q);
bool queue_device_identifies(const struct queue *q);
/* Where an exchange with it goes; it identifies. Put when the exchange has ended. */
struct device *queue_device_use(struct queue *q, struct ipp_op *op, const char **ret_uri);
void queue_device_put(struct device *d);

/* queue_watch.c */
void queue_watch(struct queue *q, struct local_watch *w);
void queue_unwatch(struct local_watch *w);
/* Something happened to that job: ask at once. 0: to any. */
void queue_watch_event(struct queue *q, int32_t job);

/* It is known now when cupsd was started. */
void queue_watch_ready(struct queue *q);

/* queue_jobs.c, queue_probe.c: see struct queue_ops */
int queue_check(struct queue *q, const struct local_ticket *ticket, struct err *err);
bool queue_takes_document_password(const struct queue *q);
int queue_create(struct queue *q, struct local_op *op, const struct local_ticket *ticket,
                 struct err *err);
int queue_send(struct queue *q, struct local_op *op, const struct local_ticket *ticket, int32_t job,
               struct stream *document, int64_t length, const char *format, bool last,
               struct err *err);
int queue_finish(struct queue *q, struct local_op *op, int32_t job, struct err *err);
int queue_cancel(struct queue *q, struct local_op *op, int32_t job, struct err *err);
int queue_purge(struct queue *q, struct local_op *op, int32_t job, struct err *err);
int queue_find(struct queue *q, struct local_op *op, const char *job_uuid, int32_t job,
               struct err *err);
int queue_get(struct queue *q, struct local_op *op, int32_t job, struct err *err);
int queue_identify(struct queue *q, struct local_op *op, const char *actions, const char *message,
                   struct err *err);
void queue_op_cancel(struct local_op *op);
void queue_op_clear(struct local_op *op);
int queue_probe(struct queues *qs, const char *name, struct local_op *op, struct err *err);
int queue_explain(const char *name, const struct attrs *capabilities,
                  const struct driver_grey *grey, const struct mappings *mappings,
                  const char *ticket, const struct ticket_explained *to,
                  struct err *err); /* ticket_explain.c */
void queue_defaults(const struct queue *q, void (*lost)(void *data, const struct ticket_note *note),
                    void *data); /* ticket_explain.c */
int queue_list(struct queues *qs, struct local_op *op,
               void (*each)(void *data, const char *name, const char *info,
                            const char *make_and_model),
               void *each_data, struct err *err);

#endif
