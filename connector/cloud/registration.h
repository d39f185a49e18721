/* registration.h - inside of cloud/: a printer of its own for a queue, at Universal Print's
 * registration service. Contract in cloud.h (enroll). */
#ifndef CONNECTOR_CLOUD_REGISTRATION_H
#define CONNECTOR_CLOUD_REGISTRATION_H

#include "connector/cloud/cloud.h"

struct registration;

int registration_start(struct cloud *c, struct cloud_op *op, const struct cloud_enrolment *what,
                       struct err *err);
void registration_cancel(struct registration *r);
void registration_free(struct registration *r); /* NULL is fine; not while it runs */

#endif
