/* register_private.h - one call of core_register(): a sign-in, and the queues that are registered
 * under it. For register.c, enroll.c and enroll_record.c. */
#ifndef CONNECTOR_CORE_REGISTER_PRIVATE_H
#define CONNECTOR_CORE_REGISTER_PRIVATE_H

#include "common/buf.h"
#include "connector/base/work.h"
#include "connector/core/core_private.h"

/* ---- all queues of one call: register.c ---- */

struct batch {
	struct core *core;
	struct batch *next; /* of the core */
	struct core_register *op;
	struct service *service;
	char **names; /* owned; queues to register, in this order */
	size_t count, begun;
	struct enrolment *enrolments; /* under way */
	unsigned active, turns;       /* how many; of them those that are being registered */
	struct timer pump;            /* begins, ends: done() never runs from inside another call */
	struct local_op list;
	struct cloud_op sign_in;
	struct cloud_session *session; /* NULL: not signed in */
	bool listing, signing, canceled;
	bool failed; /* all that is left would meet the same */
	struct err err;
};

/* Somebody will need the administrator's sign-in, if the cloud wants one: it takes people's time,
 * so it begins before all is ready for it. */
void batch_want_sign_in(struct batch *b);
/* Somebody ->waits: enrolment_turn() follows, after the sign-in. */
void batch_want_turn(struct batch *b);
/* One of its queues has ended; e is gone afterwards. */
void batch_ended(struct enrolment *e);
/* Nothing more is begun: the others would meet the same. */
void batch_fail(struct batch *b, const struct err *err);
bool batch_wants_sign_in(const struct batch *b);

/* ---- one queue: enroll.c ---- */

#define ENROLMENT_PASSWORD_MAX 1024 /* bytes */

struct enrolment {
	struct core *core;
	struct batch *batch;
	struct enrolment *next; /* of the batch */
	struct printer_record record;
	char manufacturer[NAME_SIZE], model[NAME_SIZE];
	char warning[TEXT_SIZE];
	struct local_op local;
	struct cloud_op cloud;
	struct store_op store;
	struct work_item work;
	unsigned maker; /* of the core's workers */
	struct timer end;
	char *key; /* PEM, of secret.h; NULL: none yet */
	struct buf request, password;
	const char *directory; /* borrowed: the state directory, for the work queue */
	char pair[ID_SIZE];    /* under which key and certificate are kept */
	bool renews;           /* a registered printer gets another pair */
	bool created;          /* this run has made the row */
	bool posted;           /* the cloud may know of it */
	bool waits, has_turn;  /* to be registered */
	bool keeps_key;        /* a key of an earlier run is used when there is one */
	bool key_kept;         /* ... and there was */
	bool local_busy, cloud_busy, saving, enrolled;
	bool canceled, failed;
	bool silent; /* what all meet is told once */
	struct err err;
};

/* Begins; batch_ended() follows later, also when it is wrong from the start. */
void enrolment_start(struct batch *b, const char *queue);
void enrolment_turn(struct enrolment *e);
void enrolment_cancel(struct enrolment *e);
void enrolment_free(struct enrolment *e);

/* ---- what it begins with: enroll_record.c ---- */

/* The record, password and what is to be done, of a queue by its name. REJECTED and GONE: with what
 * is in the way. */
int enrolment_fill(struct enrolment *e, const char *queue, struct err *err);
/* Names and model as the queue has them, where the command did not say. */
void enrolment_describe(struct enrolment *e, const struct queue_status *status);

#endif
