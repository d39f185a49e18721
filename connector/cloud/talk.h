/* talk.h - inside of cloud/: one IPP exchange with a cloud as its type wants it: with the printer's
 * token, once more with a new one when it was not accepted, and not before the time that the cloud
 * has asked all of us to wait. Contract: that of the struct ipp_op inside, which callbacks get;
 * talk_of() leads back. */
#ifndef CONNECTOR_CLOUD_TALK_H
#define CONNECTOR_CLOUD_TALK_H

#include <stdbool.h>

#include "common/err.h"
#include "connector/base/clock.h"
#include "connector/base/ipp_client.h"
#include "connector/cloud/token.h"

struct cloud;

/* Kinds of hosts: who is asked to slow down by one goes on with the others. */
enum host { HOST_PRINT, HOST_NOTIFICATION, HOST_LOGIN, HOST_COUNT };

enum talk_state { TALK_IDLE, TALK_PAUSES, TALK_AWAITS_TOKEN, TALK_RUNS };

struct talk {
	struct ipp_op ipp;   /* to be filled, but for bearer */
	struct cloud *cloud; /* borrowed; NULL: nothing but the exchange */
	struct token *token; /* borrowed; NULL: without */
	enum host host;

	enum talk_state state; /* private from here on */
	void (*done)(struct ipp_op *op, const struct err *err);
	struct token_wait wait;
	struct timer pause;
	struct bearer *bearer;
	bool canceled, renewed, paused;
	bool leaving; /* canceled before it ran, its end not told yet */
	struct talk *next_leaving;
};

int talk_start(struct talk *t, struct err *err);
void talk_cancel(struct talk *t);
void talk_clear(struct talk *t); /* as ipp_op_clear() */
struct talk *talk_of(struct ipp_op *op);
/* Tells those that were canceled before they ran now, when the loop does not turn any more. */
void talks_end(struct cloud *c);

#endif
