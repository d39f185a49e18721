/* channel.h - inside of cloud/: one registered printer's line to its cloud. channel.c has the life,
 * channel_connect.c the exchanges that put it up, channel_listen.c those that run while it is up.
 */
#ifndef CONNECTOR_CLOUD_CHANNEL_H
#define CONNECTOR_CLOUD_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connector/base/clock.h"
#include "connector/base/ipp_client.h"
#include "connector/cloud/allowance.h"
#include "connector/cloud/channel_events.h"
#include "connector/cloud/cloud.h"
#include "connector/cloud/outage.h"
#include "connector/cloud/request.h"
#include "connector/cloud/talk.h"

struct attrs;
struct peer;

#define CHANNEL_IGNORED_MAX 512  /* attribute names that a server does not take */
#define CHANNEL_ACTIVE_MAX  1000 /* jobs told at the start */

#define CHANNEL_PHASES(X)                                                                          \
	X(IDLE, "idle")             /* nobody has said yet what the printer is */                  \
	X(ATTRIBUTES, "attributes") /* Update-Output-Device-Attributes, all of them */             \
	X(ACTIVE, "active")         /* Update-Active-Jobs */                                       \
	X(SUBSCRIBING, "subscribing")                                                              \
	X(LISTING, "listing") /* the first Get-Jobs */                                             \
	X(LISTENING, "listening")                                                                  \
	X(WAITING, "waiting") /* for the next try */

enum channel_phase {
#define X(name, text) PHASE_##name,
	CHANNEL_PHASES(X)
#undef X
		PHASE_COUNT
};

/* One of the channel's own exchanges. */
struct channel_call {
	struct talk talk;
	bool busy;
	bool abandoned; /* its answer does not count any more */
};

struct channel {
	struct cloud *cloud; /* holds a reference */
	struct peer *peer;   /* NULL: the cloud's own, for all */
	struct token *token; /* NULL: the cloud wants none */
	struct target target;
	struct target *events; /* another host for notifications; owned; NULL: the same */
	struct channel_listener listener;
	unsigned refs; /* the owner, and each function in which listeners are called */
	bool closing;

	enum channel_phase phase;
	enum channel_state told; /* what the listener knows */
	bool told_any;
	enum err_kind told_kind;
	int told_code;
	struct err trouble; /* of the last outage */
	struct outage outage;
	int64_t online_since; /* ms; 0: is not */
	struct timer wait;    /* for the next try */
	bool due;             /* the wait is over, abandoned exchanges are not */

	struct channel_call control; /* attributes, active jobs, subscription, identify */
	struct channel_call list;
	struct channel_call poll;

	struct attrs *capabilities, *state;           /* as they are; owned */
	struct attrs *sent_capabilities, *sent_state; /* as the cloud has them; owned */
	struct attrs *way_capabilities, *way_state;   /* as they are on their way; owned */
	struct request_ignored ignored;
	bool narrowed;               /* attributes were sent once more without the ignored ones */
	struct cloud_active *active; /* what Update-Active-Jobs told; owned */
	size_t active_count;

	int32_t subscription; /* 0: none */
	int64_t lease_ms;     /* 0: for ever */
	int32_t seen;         /* highest sequence number */
	struct channel_pace pace;
	int64_t poll_started; /* ms */
	int32_t polled;       /* subscription of the poll under way */
	bool poll_failed;     /* the last one, and was forgiven */
	struct timer poll_delay;
	struct timer relist;  /* the next list: at once when asked for, else as safety */
	struct timer errands; /* starts what control is wanted for, in a turn of its own */
	struct timer heartbeat;
	struct allowance changes; /* of attributes, told while it is up: of printer-state-reasons */
	struct allowance details; /* and of anything else */
	struct timer patience;    /* until the next may be told */
	struct timer lease;
	struct outage deafness;   /* of the notification host, where that is another */
	struct timer resubscribe; /* when it is tried again */
	bool deaf;                /* it failed */
	bool list_again;          /* asked for while one was under way */
	bool wants_heartbeat, wants_identify, wants_lease, wants_subscription;

	/* Learned of the server by job_ops.c; for this channel's life. */
	bool no_document_status, no_document_acknowledge;
	bool canceled_is_taken, canceled_is_ignored;
};

int channel_open(struct channel **ret, struct cloud *c, const struct channel_settings *settings,
                 const struct channel_listener *listener, struct err *err);
void channel_close(struct channel *ch); /* NULL is fine */
void channel_update(struct channel *ch, struct attrs *capabilities, struct attrs *state);
void channel_list(struct channel *ch);
/* A job's exchange was answered as if we were not known: look, and start again if it is so. */
void channel_doubt(struct channel *ch);

/* ---- between the files of cloud/ ---- */

/* Fills what all exchanges of a channel have in common; consumes request. */
void channel_prepare(struct channel *ch, struct talk *t, ipp_t *request, enum host host);

void channel_unref(struct channel *ch);
void channel_move(struct channel *ch, enum channel_phase to);
/* Consumes request. done() begins with channel_answered(), clears the operation before it goes on,
 * and ends with channel_unref(). */
void channel_ask(struct channel *ch, struct channel_call *call, ipp_t *request,
                 void (*done)(struct ipp_op *op, const struct err *err));
/* False: the answer does not count; all is cleared, the channel may be freed. */
bool channel_answered(struct channel *ch, struct channel_call *call);
/* The line is down: everything is abandoned, tried again as outage.h says. */
void channel_fail(struct channel *ch, const struct err *err);
int64_t channel_now(const struct channel *ch);

/* channel_connect.c: entries of phases, and the errand that sends attributes. */
void channel_connect_attributes(struct channel *ch);
void channel_connect_active(struct channel *ch);
void channel_connect_subscribe(struct channel *ch);
void channel_connect_unsent(struct channel *ch); /* attributes that the server knew of us */
void channel_connect_clear(struct channel *ch);
bool channel_connect_differs(const struct channel *ch);
void channel_connect_send(struct channel *ch);

/* channel_listen.c */
void channel_listen_init(struct channel *ch);
void channel_listen_list(struct channel *ch);
void channel_listen_start(struct channel *ch);
void channel_listen_stop(struct channel *ch);
void channel_listen_errands(struct channel *ch); /* soon */
/* Where notifications come from a host of their own: it failed, lists must do meanwhile. */
void channel_listen_deaf(struct channel *ch, const struct err *err);
void channel_listen_hears(struct channel *ch); /* it has given a subscription */

#endif
