/* job_hand.h - how the files of state handing call each other: job_hand.c goes from step to step,
 * job_documents.c moves documents, job_undo.c has the way back. Loop thread only. */
#ifndef CONNECTOR_CORE_JOB_HAND_H
#define CONNECTOR_CORE_JOB_HAND_H

#include "connector/core/core_private.h"
#include "connector/core/transfer.h"

#define JOB_BUSY_CODE 0x0507 /* server-error-busy, RFC 8011 B.1.5.8 */

/* ---- job_hand.c ---- */

/* Three ends of a try. Nothing of it is at the queue: policy decides about err, NULL: none. */
void job_hand_settle(struct job *j, enum policy_place place, const struct err *err);
/* It may have printed, or not: why says what happened. */
void job_hand_unknown(struct job *j, const struct err *why);
/* Somebody canceled it at the queue, before it was there whole. */
void job_hand_canceled(struct job *j);
/* All documents are in transit files (IPP printer), or at the queue. */
void job_hand_collected(struct job *j);
void job_hand_sent(struct job *j);
/* An IPP printer is busy with another job and took nothing: its turn comes. */
void job_hand_refused_busy(struct job *j);

/* ---- job_documents.c ---- */

/* They begin to move, the first one first; job_hand_*() above or job_undo() is told how it went. */
void job_documents_start(struct job *j, enum transfer_mode mode);
void job_documents_clear(struct job *j); /* ends what moves, forgets what was collected */
/* What the queue is told of the job; borrows from it. */
struct local_ticket job_ticket(struct job *j);

/* ---- job_undo.c ---- */

/* Takes the unclosed local job back, then lets policy decide about err. */
void job_undo(struct job *j, enum policy_place place, const struct err *err);
void job_undo_run(struct job *j); /* STEP_UNDO */
void job_find_run(struct job *j); /* STEP_FIND: what an earlier life of the daemon began */

#endif
