/* offers.h - an answer to Get-Jobs (which-jobs fetchable) read: what can be claimed, in the order
 * in which to claim, and what was canceled. Pure. */
#ifndef CONNECTOR_CLOUD_OFFERS_H
#define CONNECTOR_CLOUD_OFFERS_H

#include <stddef.h>
#include <stdint.h>

#include <cups/ipp.h>

#include "connector/cloud/cloud.h"

struct dialect;

#define OFFERS_MAX 10000 /* the rest comes with a later list */

struct offers {
	struct cloud_offer *jobs; /* priority, then job id */
	size_t count;
	int32_t *canceled;
	size_t canceled_count;
};

void offers_decode(ipp_t *answer, const struct dialect *d, struct offers *ret);
void offers_clear(struct offers *o);

/* Whether job-state-reasons say that somebody canceled the job in the cloud. */
bool offers_reasons_canceled(ipp_attribute_t *reasons);
bool offers_reasons_have(ipp_attribute_t *reasons, const char *keyword);

#endif
