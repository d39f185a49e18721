/* channel_events.h - an answer to Get-Notifications read, and when to ask again. Judged by
 * job-state and attributes, not by the event's name: servers join events under one name or none.
 * Pure. */
#ifndef CONNECTOR_CLOUD_CHANNEL_EVENTS_H
#define CONNECTOR_CLOUD_CHANNEL_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cups/ipp.h>

#define CHANNEL_EVENTS_CANCELED_MAX 128 /* of one answer; more show in the list that follows */

struct channel_events {
	size_t count;    /* new ones */
	size_t repeated; /* seen before */
	int32_t highest; /* sequence number, of all seen */
	int lag_s;       /* of the one that waited longest there; -1: not told */
	int interval_s;  /* notify-get-interval, at most 3600; 0: not told */
	bool lost;       /* numbers were left out: some events have not come */
	bool complete;   /* the subscription has ended, this was its last answer */
	bool list;       /* something may be fetchable now */
	bool identify;   /* somebody looks for the printer */
	int32_t canceled[CHANNEL_EVENTS_CANCELED_MAX];
	size_t canceled_count;
};

/* seen: the highest sequence number of earlier answers, 0 at first. */
void channel_events_decode(ipp_t *answer, int32_t seen, struct channel_events *ret);

/* How often to ask. Zeroed at the start of a subscription. */
struct channel_pace {
	unsigned hasty; /* empty answers in a row that came without waiting */
	bool repeats;   /* the server gives the last event again: ask for the one after it */
};

/* elapsed_ms: from request to answer. Returns the delay before the next request. */
int64_t channel_pace_next(struct channel_pace *p, const struct channel_events *e,
                          int64_t elapsed_ms);
/* The delay where a server does not wait: its own interval, or half a minute. */
int64_t channel_pace_interval(const struct channel_events *e);
/* notify-sequence-numbers of the next request; 0: leave it out. */
int32_t channel_pace_from(const struct channel_pace *p, int32_t seen);

#endif
