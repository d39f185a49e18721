/* ticket_check.h - single attributes of a ticket against what the queue supports; for ticket.c.
 * A check that fails has said why. Pure. */
#ifndef CONNECTOR_PRINTER_TICKET_CHECK_H
#define CONNECTOR_PRINTER_TICKET_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include <cups/cups.h>

struct ticket_pass {
	ipp_t *request, *capabilities;
	char *dropped; /* lines of what was lost */
	size_t size;
	bool lost; /* anything at all */
	char first[IPP_MAX_NAME];
	char last[IPP_MAX_NAME]; /* the latest one lost */
};

void ticket_drop(struct ticket_pass *t, const char *name, const char *why, ...)
	__attribute__((format(printf, 3, 4)));

bool ticket_check_word(struct ticket_pass *t, ipp_attribute_t *attr);
bool ticket_check_number(struct ticket_pass *t, ipp_attribute_t *attr);
bool ticket_check_resolution(struct ticket_pass *t, ipp_attribute_t *attr);
bool ticket_check_ranges(struct ticket_pass *t, ipp_attribute_t *attr);
/* Collections whose members are all known by name. */
bool ticket_check_members(struct ticket_pass *t, ipp_attribute_t *attr);
/* These add what fits by themselves. */
void ticket_add_copies(struct ticket_pass *t, ipp_attribute_t *attr);
void ticket_add_media(struct ticket_pass *t, ipp_attribute_t *attr);

#endif
