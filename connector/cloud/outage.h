/* outage.h - what a failed exchange means for a channel, and when it is tried again. Pure. */
#ifndef CONNECTOR_CLOUD_OUTAGE_H
#define CONNECTOR_CLOUD_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "connector/cloud/cloud.h"

#define OUTAGE_GOOD_MS    60000  /* on line for so long, and the count of failures starts again */
#define OUTAGE_FIRST_MS   1000   /* the first retry comes within this */
#define OUTAGE_CAP_MS     300000 /* and later ones within this */
#define OUTAGE_REFUSED_MS 900000 /* refused: again after this to twice this */

struct outage {            /* zeroed = nothing failed yet */
	unsigned failures; /* in a row */
	unsigned refusals; /* in a row */
	bool strict;       /* one refusal is enough: credentials were renewed before it counted */
};

struct outage_plan {
	enum channel_state state; /* until the retry; CONNECTING: nobody needs to know */
	int64_t delay_ms;
};

/* The exchange itself was answered: this printer or these credentials are not accepted. */
bool outage_is_refusal(const struct err *err);
/* online_ms: for how long the channel had been on line, 0 when it was not. */
struct outage_plan outage_after(struct outage *o, const struct err *err, int64_t online_ms,
                                uint64_t random);
/* The text for people of a refusal. */
void outage_explain(const struct err *err, struct err *ret);

#endif
