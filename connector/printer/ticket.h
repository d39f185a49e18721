/* ticket.h - the cloud's ticket as the queue can follow it: template attributes that the queue
 * supports go into the Create-Job, as IPP attributes or, where CUPS would lose them, as options of
 * its filters and drivers; a value that the queue lacks becomes the nearest one that it has; the
 * rest is left out. What became of each is told. Only values that were checked against what the
 * queue supports, or that an administrator wrote into a mapping file, reach the request. Pure. */
#ifndef CONNECTOR_PRINTER_TICKET_H
#define CONNECTOR_PRINTER_TICKET_H

#include <stdbool.h>
#include <stddef.h>

#include <cups/cups.h>

#include "common/mapping.h"
#include "connector/printer/driver_grey.h"
#include "connector/printer/ticket_note.h"

struct err;

typedef void ticket_noted(void *data, const struct ticket_note *note);

struct ticket_source {
	ipp_t *ticket;       /* of the cloud; NULL: nothing is asked for */
	ipp_t *capabilities; /* of capabilities_new(); NULL: nothing is known of the queue */
	const struct mapping *rules;    /* of the queue; NULL: none */
	const struct driver_grey *grey; /* of its driver; NULL: not known */
	bool cups;                      /* a queue of CUPS; else an IPP printer */
};

/* Adds to the request's job group. -1 (REJECTED): the ticket insists (ipp-attribute-fidelity,
 * job-mandatory-attributes) on something that would be lost; all was noted nevertheless. */
int ticket_apply(ipp_t *request, const struct ticket_source *from, ticket_noted *noted, void *data,
                 struct err *err);

/* What was changed or dropped as a line for people, added behind others; cut at size. Defaults of
 * the site that could not be followed are no loss of the user's and are left out. */
void ticket_line_add(char *lines, size_t size, const struct ticket_note *note);

/* What mapping files add is announced: values which they map and the queue itself lacks. cups: a
 * queue of CUPS; an IPP printer has no options of drivers that could be in their place, and a raw
 * queue ignores them. */
void ticket_announce(ipp_t *capabilities, const struct mapping *rules, bool cups);

/* A ticket from text: lines "NAME = VALUE[, VALUE]", # begins a comment line. Names are those of
 * ipp, media-source and media-type may stand by themselves; enums by their keywords or numbers.
 * *ret is the caller's (ippDelete). -1 (REJECTED): the first line that is wrong. */
int ticket_parse(const char *text, ipp_t **ret, struct err *err);

#endif
