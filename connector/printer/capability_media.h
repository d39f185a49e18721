/* capability_media.h - what a printer says of its media agrees with itself: each size, margin, type
 * and source of media-col-database is also named by the media-*-supported, each default is
 * supported, and sizes that a driver rounded to points have the measures of their names (PWG
 * 5101.1). Pure. */
#ifndef CONNECTOR_PRINTER_CAPABILITY_MEDIA_H
#define CONNECTOR_PRINTER_CAPABILITY_MEDIA_H

#include <stdbool.h>

#include <cups/ipp.h>

/* set: of capability_copy(). cups: sizes are those of a driver, found by their nearest measures. */
void capability_media_fit(ipp_t *set, bool cups);

/* The same for a set that has only what lies in the trays: entries without a size go. */
void capability_media_fit_ready(ipp_t *set);

/* Whether two collections with a media-size are of the same one, ranges compared as they stand. */
bool capability_media_same(ipp_t *a, ipp_t *b);

#endif
