/* ticket_secret.h - what only the printer may know: the PIN of a job and the password of a document
 * go into the request to a printer that takes them, and nowhere else. A job that asks to wait for a
 * PIN is never printed without. */
#ifndef CONNECTOR_PRINTER_TICKET_SECRET_H
#define CONNECTOR_PRINTER_TICKET_SECRET_H

#include <stdbool.h>

#include <cups/ipp.h>

struct err;
struct sealed;
struct vault;

/* The ticket's PIN into the request's operation group; nothing when it has none. -1 (REJECTED): the
 * printer takes none, or not such a one. capabilities NULL: nothing is known of it. */
int ticket_secret_add_pin(ipp_t *request, ipp_t *ticket, ipp_t *capabilities, const struct vault *v,
                          struct err *err);

bool ticket_secret_takes_document_password(ipp_t *capabilities);
int ticket_secret_add_document_password(ipp_t *request, const struct sealed *password,
                                        const struct vault *v, struct err *err);

#endif
