/* control_private.h - the objects of control/ and how its files call each other. */
#ifndef CONNECTOR_CONTROL_CONTROL_PRIVATE_H
#define CONNECTOR_CONTROL_CONTROL_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include <uv.h>

#include "common/varlink.h"
#include "connector/base/clock.h"
#include "connector/control/access.h"
#include "connector/core/core.h"
#include "connector/core/doctor.h"

#define CONTROL_PEERS_MAX         64 /* of those who may read or change */
#define CONTROL_STRANGERS_MAX     32 /* of all others, beside them */
#define CONTROL_PEERS_PER_UID_MAX 10
#define CONTROL_IDLE_MS           30000
#define CONTROL_QUEUED_MAX        ((size_t)1024 * 1024) /* bytes of replies that nobody reads */

struct call;
struct log_about;
struct conn;

struct control {
	struct loop *loop;
	struct core *core;
	struct clock *clock;
	const struct http *http;
	const char *version;
	char *path; /* of the socket */
	dev_t device;
	ino_t inode; /* of the socket: only our own is removed */
	struct access access;
	uv_pipe_t listener;
	LIST_HEAD(, conn) conns;
	unsigned users; /* listener, connections and calls; the last one frees */
	bool closing;
	char inbox[16 * 1024]; /* for the read in hand */
};

void control_unref(struct control *c);

/* ---- a connection ---- */

struct conn {
	struct control *control;
	LIST_ENTRY(conn) link;
	uv_pipe_t pipe;
	struct varlink_reader reader;
	struct timer idle, next;
	struct peer peer;
	struct call *call; /* in hand; NULL: none */
	bool reading;
	bool ended;  /* the peer sends no more; closed when all is answered and written */
	bool broken; /* what it sends is of no use; likewise */
	bool closing;
	bool refused; /* told that there are too many; takes no room */
	bool denied;  /* said so in the journal */
};

void conn_accept(struct control *c);
void conn_close(struct conn *conn);
/* Queues one message; closes the connection when its peer does not read. Consumes text. */
void conn_send(struct conn *conn, struct buf *text);
/* Takes the next one in a later turn of the loop. */
void conn_call_ended(struct conn *conn);

/* ---- a call: from its message to its last reply. Lives on without its connection until what it
 * had started is done ---- */

struct method {
	const char *interface;
	const char *name;
	enum right right;              /* needed */
	const char *const *parameters; /* known ones, ended by NULL */
	void (*run)(struct call *call);
};

struct call {
	struct control *control;
	struct conn *conn; /* NULL: the peer has gone */
	const struct method *method;
	struct varlink_call message;
	void (*abandon)(struct call *call); /* the peer has gone; NULL: it goes on without */
	cJSON *list;                        /* of what done() will answer; owned */
	const char *queue;                  /* Register: the only one; NULL: several */
	struct err err;                     /* Register: why it failed */
	unsigned marks[3];                  /* Diagnose: steps by their mark */
	union {
		struct core_register enroll;
		struct core_unregister forget;
		struct core_rebind rebind;
		struct core_trust trust;
		struct doctor doctor;
		struct core_pause pause;
		struct drain_watch { /* Drain with more */
			struct timer timer;
			unsigned handing, printing; /* told last */
		} drain;
		struct store_op store;
		struct local_op local;
		struct watching {
			struct timer timer;
			char *told;      /* as JSON text; owned */
			unsigned silent; /* turns since */
			bool ended;      /* nobody watches any more */
		} watch;
	} op;
};

/* Consumes the message. Runs it or answers why not. */
void call_start(struct conn *conn, struct varlink_call *message);
/* One of several replies. Consumes parameters, NULL: none. */
void call_continue(struct call *call, cJSON *parameters);
/* The last one; call is gone after each of these. */
void call_reply(struct call *call, cJSON *parameters);
/* name: "NotFound" of our interface, or one with dots. Consumes parameters. */
void call_error(struct call *call, const char *name, cJSON *parameters);
/* GONE: NotFound, about subject; REJECTED: Conflict; others: Failed. */
void call_fail(struct call *call, const char *subject, const struct err *err);
/* What is wrong, and what helps: nobody is left alone with what may go by itself. */
void call_split(const struct err *err, char what[TEXT_SIZE], char remedy[TEXT_SIZE]);
void call_invalid(struct call *call, const char *field, const char *text, const char *remedy);

/* Parameters. On -1 the call has been answered and is gone. *ret = NULL when absent. Checked for
 * length, and for what does not belong into names. */
int call_text(struct call *call, const char *name, size_t max, const char **ret);
int call_bool(struct call *call, const char *name, bool *ret);
/* Whole numbers from min to max. */
int call_int(struct call *call, const char *name, int64_t min, int64_t max, int64_t fallback,
             int64_t *ret);
int call_id(struct call *call, int64_t *ret);
/* "queue" and "cloud" of a method about one printer; borrowed from the message. */
int call_printer(struct call *call, const char **ret_queue, const char **ret_cloud);

/* Journal line of a change, with who asked. */
void call_log(const struct call *call, const struct log_about *about, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- methods ---- */

/* The i-th method, NULL behind the last. */
const struct method *method_at(size_t i);
const char *method_description(const char *interface); /* NULL: unknown */

/* The newest open jobs, at most so many. */
cJSON *jobs_open_new(struct control *c, unsigned max); /* methods_jobs.c */
void method_get_status(struct call *call);             /* methods_status.c */
void method_watch(struct call *call);
void method_get_metrics(struct call *call);
void method_list_printers(struct call *call); /* methods_printers.c */
void method_list_queues(struct call *call);
void method_explain(struct call *call);  /* methods_explain.c */
void method_register(struct call *call); /* methods_register.c */
void method_unregister(struct call *call);
void method_diagnose(struct call *call); /* methods_doctor.c */
void method_rebind(struct call *call);   /* methods_rebind.c */
void method_reset(struct call *call);
void method_list_jobs(struct call *call); /* methods_jobs.c */
void method_get_job(struct call *call);   /* methods_job.c */
void method_cancel(struct call *call);
void method_resolve(struct call *call); /* methods_orders.c */
void method_retry(struct call *call);
void method_pause(struct call *call);
void method_resume(struct call *call);
void method_drain(struct call *call);

#endif
