/* capabilities.h - what a queue can do, as the cloud is told: of a printer's answer the attributes
 * of tables 7 and 8 of PWG 5100.18 and the job template's, without what must not be forwarded and
 * without addresses that only this network reaches. Pure. */
#ifndef CONNECTOR_PRINTER_CAPABILITIES_H
#define CONNECTOR_PRINTER_CAPABILITIES_H

#include <stdbool.h>

#include <cups/cups.h>

struct attrs;
struct queue_listener;

/* From an answer to Get-Printer-Attributes, which stays the caller's. cups: the queue converts by
 * itself and knows formats that are CUPS' own. listener: whose allows() is asked for formats beyond
 * the safe ones; NULL: nobody's. The caller's (attrs_unref). */
struct attrs *capabilities_new(ipp_t *answer, bool cups, const struct queue_listener *listener);

/* Makes a set of such attributes agree with itself: media (capability_media.h) and defaults. */
void capabilities_settle(ipp_t *set, bool cups);

/* Whether the answer is of a CUPS queue without a driver: documents go to the device unchanged. */
bool capabilities_is_raw(ipp_t *answer);

#endif
