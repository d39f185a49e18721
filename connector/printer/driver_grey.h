/* driver_grey.h - how a driver for colour is told to print in grey: the option and choice of its
 * PPD. CUPS says of every such driver that it prints in grey too, and makes that happen for five
 * pairs of option and choice, and in its filters where the printer takes PostScript; for the rest
 * colour comes out. Pure. */
#ifndef CONNECTOR_PRINTER_DRIVER_GREY_H
#define CONNECTOR_PRINTER_DRIVER_GREY_H

#include <stdbool.h>
#include <stddef.h>

#include <cups/cups.h>

struct driver_grey {
	bool known; /* the driver's PPD was read */
	bool able;
	const char *option, *choice; /* what has to be sent; NULL: nothing. Never freed */
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

/* Takes grey out of what the queue says that it supports, where the driver has no way to it. */
void driver_grey_withdraw(const struct driver_grey *grey, ipp_t *answer);

#endif
