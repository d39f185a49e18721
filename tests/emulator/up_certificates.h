/* up_certificates.h - the certificates of Universal Print: of the hosts, good and bad ones, and of
 * the printers that registered. */
#ifndef TESTS_EMULATOR_UP_CERTIFICATES_H
#define TESTS_EMULATOR_UP_CERTIFICATES_H

#include <stdbool.h>

struct buffer;

enum bad_tls { BAD_NONE, BAD_EXPIRED, BAD_SELF_SIGNED, BAD_WRONG_NAME };

/* A server's certificate and key, both PEM, for `names` ("DNS:localhost,IP:127.0.0.1"). */
void up_certificate_server(const char *name, const char *names, enum bad_tls bad,
                           char **ret_certificate, char **ret_key);

/* Checks a request (DER) and its transport key (DER); NULL: all as the documents say. */
const char *up_request_check(const struct buffer *request, const struct buffer *transport_key);
/* Signs for `name` and `days`, or for another key. PEM. */
char *up_certificate_sign(const struct buffer *request, const char *name, long days, bool other_key,
                          char **ret_fingerprint);

/* What a signed message's certificate is. NULL: none of ours. */
struct up_signer {
	char *name; /* common name */
	char *fingerprint;
	void *key; /* EVP_PKEY */
	bool expired;
};
struct up_signer *up_signer_new(const struct buffer *der, const char **why);
bool up_signer_fits(const struct up_signer *s, const char *text, unsigned long len,
                    const struct buffer *signature);
void up_signer_free(struct up_signer *s);

#endif
