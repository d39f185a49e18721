/* printer_parts.h - supplies and trays (PWG 5100.13 5.6) of queues of CUPS, which says them in
 * other words or not at all. Adds only what is not there yet. Pure. */
#ifndef CONNECTOR_PRINTER_PRINTER_PARTS_H
#define CONNECTOR_PRINTER_PRINTER_PARTS_H

#include <cups/ipp.h>

/* printer-supply and printer-supply-description out of the marker-* that CUPS has from drivers. */
void printer_parts_add_supplies(ipp_t *out, ipp_t *answer);
/* printer-input-tray and printer-output-tray out of the sources and bins that the queue can take;
 * how full they are is not known. */
void printer_parts_add_trays(ipp_t *out, ipp_t *capabilities);

#endif
