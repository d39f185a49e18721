/* queue_events.h - one ippget subscription: of CUPS for all its queues, or of one IPP printer (RFC
 * 3995, 3996). Asked as often as the target says. Events are hints; what may have been missed is
 * said (on_lost), and where the other side wants no subscription there simply are no events. Loop
 * thread only. */
#ifndef CONNECTOR_PRINTER_QUEUE_EVENTS_H
#define CONNECTOR_PRINTER_QUEUE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

struct clock;
struct err;
struct events;
struct http;
struct http_peer;

struct events_target {
	struct http *http; /* all borrowed until closed() */
	struct clock *clock;
	struct http_peer *peer;
	const char *url, *uri;
	int64_t watched_ms; /* between two questions while jobs are watched, and else this: */
	int64_t (*idle_delay)(void *data,
	                      int64_t took_ms); /* took: the last answer. NULL: the same */
	void *data;
	/* Called from the loop; may not close the events. queue: printer-name, "" when not said */
	void (*on_printer)(void *data, const char *queue, bool config);
	void (*on_job)(void *data, const char *queue, int32_t job);
	/* Events were missed, or whether they come at all has changed: read everything again. */
	void (*on_lost)(void *data);
	void (*on_down)(void *data, const struct err *err); /* no answer at all */
	void (*closed)(void *data); /* nothing is borrowed any more; maybe inside close */
};

struct events *events_open(const struct events_target *target);
void events_close(struct events *e); /* NULL is fine */
void events_watched(struct events *e, bool watched);
/* Whether a subscription stands, so that nobody needs to poll. NULL: no. */
bool events_work(const struct events *e);

#endif
