/* printer_reasons.h - printer-state-reasons (RFC 8011 5.4.12, PWG 5100.9) as a cloud wants them:
 * each once, with the severity that is true, without what CUPS says to itself. A cloud tells
 * errors, warnings and reports apart by the suffix alone. Pure. */
#ifndef CONNECTOR_PRINTER_PRINTER_REASONS_H
#define CONNECTOR_PRINTER_PRINTER_REASONS_H

#include <stdbool.h>

#include <cups/ipp.h>

#define PRINTER_REASONS_MAX 32
#define PRINTER_REASON_SIZE 64

struct printer_reasons {
	char words[PRINTER_REASONS_MAX][PRINTER_REASON_SIZE]; /* never "none" */
	int count;
};

/* What a queue says. cups: backends and filters say it through CUPS, which loses severities: while
 * it prints or is stopped, jams, open covers and what the words of printer-state-message tell are
 * errors. */
void printer_reasons_read(ipp_t *answer, bool cups, struct printer_reasons *ret);
/* In place of what CUPS has heard of the printer comes what that says itself; what CUPS says of its
 * own (paused, connecting-to-device, ...) stays. */
void printer_reasons_of_device(struct printer_reasons *r, ipp_t *device);
/* Whether somebody has to go there: one of them is an error. */
bool printer_reasons_have_error(const struct printer_reasons *r);
void printer_reasons_add(const struct printer_reasons *r, ipp_t *out); /* "none" when empty */
/* printer-alert and printer-alert-description (PWG 5100.9 5.2) for reasons that have one; one empty
 * value when there is none, so that nothing old stays in the cloud. */
void printer_reasons_add_alerts(const struct printer_reasons *r, ipp_t *out);

#endif
