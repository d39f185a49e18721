/* up_attributes.h - inside of cloud/: what Universal Print is told of a queue. Of the queue's own
 * attributes those that the service takes, with the syntaxes that it takes, without those which it
 * fills in itself; then the rules of Microsoft's test for a registered printer: what follows from
 * what the queue says is added, what contradicts it is left out, and no capability is invented.
 * Pure. */
#ifndef CONNECTOR_CLOUD_UP_ATTRIBUTES_H
#define CONNECTOR_CLOUD_UP_ATTRIBUTES_H

#include <stddef.h>

#include <cups/ipp.h>

struct attrs;

struct up_host { /* of the connector itself */
	const char *version, *system, *id;
};

/* The caller's (ippDelete); all in the printer group. capabilities NULL: only what changed of the
 * state, nothing is added. state NULL: none. */
ipp_t *up_attributes_new(struct attrs *capabilities, struct attrs *state,
                         const struct up_host *host);

/* The attributes of a whole set for which a rule does not hold, in the order of the rules; at most
 * max. The rest of what the service's test wants, the service fills in. */
size_t up_attributes_check(ipp_t *set, const char **ret, size_t max);

#endif
