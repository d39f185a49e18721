/* queue_restarts.h - when cupsd was started last, by its own clock. A cupsd that is started again
 * prints once more what it had begun, and shows nothing of it. Loop thread only. */
#ifndef CONNECTOR_PRINTER_QUEUE_RESTARTS_H
#define CONNECTOR_PRINTER_QUEUE_RESTARTS_H

#include <stdbool.h>
#include <stdint.h>

struct clock;
struct http;
struct http_peer;
struct restarts;

struct restarts_target {
	struct http *http; /* all borrowed until closed() */
	struct clock *clock;
	struct http_peer *peer;
	const char *url;
	const char *id; /* who we are, in every life the same; copied */
	void *data;
	void (*known)(void *data);  /* restarts_known() may be asked again */
	void (*closed)(void *data); /* nothing is borrowed any more; maybe inside close */
};

struct restarts *restarts_open(const struct restarts_target *target);
void restarts_close(struct restarts *r); /* NULL is fine */
/* Whether all starts are known up to the newest connection to cupsd. If not it is asked, and
 * known() comes when there is an answer or none. NULL, and a cupsd that wants no subscription:
 * true.
 */
bool restarts_known(struct restarts *r);
/* Whether cupsd was started after a job had begun; its clock's seconds. */
bool restarts_since(const struct restarts *r, int64_t processing);
/* Whether cupsd may have been started while it had a job. */
bool restarts_between(const struct restarts *r, int64_t created, int64_t processing);
/* No start that is known or possible is later; its clock's seconds, 0: none. */
int64_t restarts_latest(const struct restarts *r);

#endif
