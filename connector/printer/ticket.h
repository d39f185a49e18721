/* ticket.h - the cloud's ticket as the queue can follow it: template attributes that the queue
 * supports, with values that it supports, go into the Create-Job; the rest is dropped, and each
 * loss is said. Pure. */
#ifndef CONNECTOR_PRINTER_TICKET_H
#define CONNECTOR_PRINTER_TICKET_H

#include <stddef.h>

#include <cups/cups.h>

struct err;

/* Adds to the request's job group. capabilities: of capabilities_new(); NULL: nothing is known,
 * everything is dropped. dropped: one line each, cut at its size; "" when nothing was lost. -1
 * (REJECTED): the ticket insists (ipp-attribute-fidelity, job-mandatory-attributes) on something
 * that would be lost. */
int ticket_apply(ipp_t *request, ipp_t *ticket, ipp_t *capabilities, char *dropped, size_t size,
                 struct err *err);

#endif
