/* capability_clean.h - one attribute of a printer's answer made fit for a cloud. What has the wrong
 * syntax is put right where its meaning is plain, else left out; keywords that are none, numbers
 * below zero, ranges backwards, repeated values and what goes beyond the limits are left out; texts
 * are cut and lose their control characters. Pure. */
#ifndef CONNECTOR_PRINTER_CAPABILITY_CLEAN_H
#define CONNECTOR_PRINTER_CAPABILITY_CLEAN_H

#include <cups/ipp.h>

struct capability;

#define CAPABILITY_VALUES_MAX 1024 /* of one attribute */
#define CAPABILITY_DEPTH_MAX  5    /* collections in collections; Universal Print takes no more */

/* Adds what is left of `from` to the printer group of `out`, with collections of its own. */
void capability_copy(ipp_t *out, const struct capability *as, ipp_attribute_t *from);

#endif
