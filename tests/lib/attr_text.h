/* attr_text.h - IPP attributes as text that people read and write, for the tables of tests:
 *
 *   sides-supported keyword one-sided, two-sided-long-edge
 *   media-col-default collection { media-size { x-dimension integer 21000; y-dimension integer
 *           29700 }; media-top-margin integer 423 }
 *   printer-info text "Lab \x1b \"7\"", "x"*70000
 *
 * A line that begins with a blank goes on; '#' begins a line of comment. Syntaxes: text, name,
 * keyword, uri, charset, language, mime, integer, enum, boolean, range (1-99), resolution
 * (600x300dpi, 600x600dpcm), collection, date (its 11 bytes as octets), octets, none, unknown. */
#ifndef TESTS_LIB_ATTR_TEXT_H
#define TESTS_LIB_ATTR_TEXT_H

#include <stdio.h>

#include <cups/ipp.h>

/* Adds the attributes of a text to the printer group. NULL: all is well; else where it is wrong. */
const char *attr_text_read(ipp_t *to, const char *text);
/* All attributes of a message, sorted by name. */
void attr_text_write(FILE *out, ipp_t *from);

#endif
