/* doctor_printer.h - the doctor at one printer. Only doctor.c includes it. */
#ifndef CONNECTOR_CORE_DOCTOR_PRINTER_H
#define CONNECTOR_CORE_DOCTOR_PRINTER_H

#include "connector/core/doctor.h"

struct printer;

/* Tells a step, and keeps it when something is wrong. A remedy behind "; " in text is taken instead
 * of the step's own. */
void doctor_tell(struct doctor *d, enum doctor_step step, enum doctor_mark mark, const char *cloud,
                 const char *subject, const char *text);

/* Its certificate and its line to the cloud, as they are. */
void doctor_look_at_printer(struct doctor *d, const struct printer *p);
/* What its record and its files say, where nobody serves it. */
void doctor_look_at_record(struct doctor *d, const struct printer_record *p);
/* Its queue, as it was seen last. */
void doctor_look_at_seen(struct doctor *d, const struct printer *p);
/* Its queue, as it was just read, or err of reading it (kind NONE: none). */
void doctor_look_at_queue(struct doctor *d, const struct printer_record *p,
                          const struct queue_status *status, const struct err *err);

#endif
