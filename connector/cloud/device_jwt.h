/* device_jwt.h - inside of cloud/: with what a printer asks for its token: a JSON Web Token (RFC
 * 7519) signed by its own key, the certificate in its header. Pure. */
#ifndef CONNECTOR_CLOUD_DEVICE_JWT_H
#define CONNECTOR_CLOUD_DEVICE_JWT_H

#include <stdbool.h>

struct buf;
struct cloud_identity;
struct err;

struct device_jwt { /* borrowed for the call */
	const struct cloud_identity *identity;
	const char *nonce;
	const char *key_pem, *certificate_pem;
	bool x5c_string; /* the certificate as a string, not as an array of one */
};

/* No iat, nbf or exp: the nonce makes it fresh, and our clock may be wrong. Appended to out, which
 * the caller wipes. */
int device_jwt_make(const struct device_jwt *what, struct buf *out, struct err *err);

#endif
