/* visit.h - inside of cloud/: what is talked over with a web service in several exchanges, with
 * pauses in between: signing in, registering, getting a token. Each step is called once, from the
 * loop, with NULL or why the exchange failed (as in struct json_op) or that all was canceled. */
#ifndef CONNECTOR_CLOUD_VISIT_H
#define CONNECTOR_CLOUD_VISIT_H

#include <stdbool.h>

#include "common/err.h"
#include "connector/base/clock.h"
#include "connector/base/json_client.h"

struct cloud;
struct visit;

struct visit {
	void *data;          /* the caller's */
	struct json_op json; /* of the last exchange; its results are for the step */

	struct cloud *cloud; /* private from here on; borrowed */
	struct timer wait;
	void (*next)(struct visit *v, const struct err *err);
	char *url;
	struct err failed; /* an exchange that could not begin */
	bool busy, canceled;
};

void visit_init(struct visit *v, struct cloud *c, void *data);
void visit_clear(struct visit *v); /* not while it runs */
/* Consumes url and body (NULL: none). bearer is borrowed until the step. A visit that cannot be
 * made fails in the step too. */
void visit_ask(struct visit *v, enum json_method method, char *url, struct buf *body,
               const char *bearer, void (*step)(struct visit *v, const struct err *err));
void visit_pause(struct visit *v, int64_t ms, void (*step)(struct visit *v, const struct err *err));
/* What happened, then what helps; for people. Always -1; err may be ret. */
int visit_advise(struct err *ret, const struct err *err, const char *remedy);
void visit_cancel(struct visit *v); /* the step runs, later, with CANCELED */

#endif
