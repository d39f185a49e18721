/* sign_in.h - inside of cloud/: an administrator signs in with a code typed elsewhere (OAuth 2.0
 * device authorization grant, RFC 8628). Contract in cloud.h. */
#ifndef CONNECTOR_CLOUD_SIGN_IN_H
#define CONNECTOR_CLOUD_SIGN_IN_H

#include "connector/cloud/cloud.h"

struct sign_in;

struct cloud_session {
	char *token; /* of secret.h */
};

int sign_in_start(struct cloud *c, struct cloud_op *op, struct err *err);
void sign_in_cancel(struct sign_in *s);
void sign_in_free(struct sign_in *s); /* NULL is fine; not while it runs */
void sign_in_end(struct cloud_session *s);

#endif
