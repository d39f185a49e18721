/* certificates.h - the emulator's own CA: its server certificate, certificates for devices, and
 * who the client of a TLS connection is. */
#ifndef TESTS_EMULATOR_CERTIFICATES_H
#define TESTS_EMULATOR_CERTIFICATES_H

#include <stdbool.h>

#include <openssl/types.h>

struct MHD_Connection;
struct peer;

/* Reads or makes ca.pem, ca-key.pem, server.pem, server-key.pem in `dir`. -1: said on stderr. */
int certificates_open(const char *dir);
void certificates_close(void);
const char *certificates_ca(void); /* PEM; NULL: not open */
const char *certificates_server(void);
const char *certificates_server_key(void);
const char *certificates_ca_path(void);

/* A certificate for a request in PEM; NULL: not one. ret_fingerprint: SHA-256 in hex. */
char *certificates_sign(const char *request, char **ret_fingerprint);
char *certificates_fingerprint(const char *pem); /* NULL: no certificate */
/* A key and a certificate for `name`, both PEM. -1: failed. */
int certificates_issue(const char *name, char **ret_certificate, char **ret_key);

/* Fills in common name and fingerprint of the other end, once a connection. */
void certificates_look(struct peer *peer, struct MHD_Connection *connection);

/* Any certificate: for a server, a device, one that is no good. Times from now. */
struct certificate_wish {
	const char *name;  /* common name */
	const char *usage; /* extended key usage; NULL: a CA */
	const char *names; /* subjectAltName; NULL: none */
	long from_s, until_s;
	bool self_signed;
};
X509 *certificates_make(EVP_PKEY *key, const struct certificate_wish *wish);
bool certificates_is_ours(X509 *x); /* signed by our CA */
char *certificates_text(X509 *x);
char *certificates_key_text(EVP_PKEY *key);

#endif
