/* driver_grey.h - how drivers for colour are told to print in grey: an option and choice of their
 * PPDs. CUPS says of every such driver that it prints in grey too, and makes that happen for five
 * pairs of option and choice, and in its filters where the printer takes PostScript; for the rest
 * colour comes out. Pure. */
#ifndef CONNECTOR_PRINTER_DRIVER_GREY_H
#define CONNECTOR_PRINTER_DRIVER_GREY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cups/cups.h>

struct driver_word {
	const char *option, *choice;
};

/* Of a driver, or of all those of a class. */
struct driver_grey {
	bool known;     /* a PPD was read */
	bool able;      /* each has a way to grey, and none excludes another's */
	uint32_t words; /* driver_grey_word() reads it */
};

/* A PPD that comes in pieces; zeroed at first. Of a line only as much is kept as is looked at. */
struct driver_grey_reader {
	char line[128];
	size_t len;
	size_t found; /* index of what was found, and one; 0: nothing */
	bool filters, postscript;
};

void driver_grey_feed(struct driver_grey_reader *r, const char *ppd, size_t len);
struct driver_grey driver_grey_end(struct driver_grey_reader *r);

/* One more driver of a class, which is sent the words of all. */
void driver_grey_meet(struct driver_grey *all, struct driver_grey one);

/* What has to be sent, from 0 on; NULL: no more. */
const struct driver_word *driver_grey_word(const struct driver_grey *grey, size_t at);

/* Takes grey out of what the queue says that it supports, where the driver has no way to it. */
void driver_grey_withdraw(const struct driver_grey *grey, ipp_t *answer);

#endif
