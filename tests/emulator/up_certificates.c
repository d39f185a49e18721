#include "tests/emulator/up_certificates.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/certificates.h"
#include "tests/emulator/up.h"

#define DAY 86400L

void up_certificate_server(const char *name, const char *names, enum bad_tls bad,
                           char **ret_certificate, char **ret_key)
{
	struct certificate_wish wish = { .name = name, .usage = "serverAuth", .names = names };
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x;

	wish.from_s = -3600;
	wish.until_s = 30 * DAY;
	if (bad == BAD_EXPIRED) {
		wish.from_s = -2 * DAY;
		wish.until_s = -3600;
	} else if (bad == BAD_WRONG_NAME) {
		wish.names = "DNS:somewhere.else.invalid";
	} else if (bad == BAD_SELF_SIGNED) {
		wish.self_signed = true;
	}
	x = certificates_make(key, &wish);
	*ret_certificate = certificates_text(x);
	*ret_key = certificates_key_text(key);
	X509_free(x);
	EVP_PKEY_free(key);
}

static X509_REQ *parse_request(const struct buffer *der)
{
	const unsigned char *at = (const unsigned char *)der->data;
	X509_REQ *req = der->data ? d2i_X509_REQ(NULL, &at, (long)der->len) : NULL;

	if (req != NULL && at == (const unsigned char *)der->data + der->len)
		return req;
	X509_REQ_free(req);
	return NULL;
}

static const char *check_key(EVP_PKEY *key, const struct buffer *transport_key)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	const char *why = NULL;

	if (len <= 0 || transport_key->data == NULL || (size_t)len != transport_key->len ||
	    memcmp(der, transport_key->data, transport_key->len) != 0)
		why = "transport_key is not the SubjectPublicKeyInfo of the request's key";
	OPENSSL_free(der);
	return why;
}

const char *up_request_check(const struct buffer *request, const struct buffer *transport_key)
{
	X509_REQ *req = parse_request(request);
	EVP_PKEY *key = req ? X509_REQ_get0_pubkey(req) : NULL;
	const char *why = NULL;

	if (req == NULL)
		why = "data is no DER of a PKCS#10 request";
	else if (key == NULL || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA ||
	         EVP_PKEY_get_bits(key) != 2048)
		why = "the key is not RSA of 2048 bits";
	else if (X509_REQ_get_signature_nid(req) != NID_sha256WithRSAEncryption)
		why = "the request is not signed with sha256WithRSAEncryption";
	else if (X509_REQ_verify(req, key) != 1)
		why = "the request's signature does not verify";
	else if (X509_NAME_entry_count(X509_REQ_get_subject_name(req)) == 0)
		why = "the request has no subject";
	else
		why = check_key(key, transport_key);
	X509_REQ_free(req);
	return why;
}

char *up_certificate_sign(const struct buffer *request, const char *name, long days, bool other_key,
                          char **ret_fingerprint)
{
	struct certificate_wish wish = { .name = name, .usage = "clientAuth" };
	X509_REQ *req = parse_request(request);
	EVP_PKEY *key = other_key ? EVP_RSA_gen(2048) : X509_REQ_get_pubkey(req);
	X509 *x;
	char *text;

	wish.from_s = (long)up.clock_skew - 300;
	wish.until_s = (long)up.clock_skew + days * DAY;
	x = certificates_make(key, &wish);
	text = certificates_text(x);
	*ret_fingerprint = certificates_fingerprint(text);
	X509_free(x);
	EVP_PKEY_free(key);
	X509_REQ_free(req);
	return text;
}

struct up_signer *up_signer_new(const struct buffer *der, const char **why)
{
	const unsigned char *at = (const unsigned char *)der->data;
	X509 *x = der->data ? d2i_X509(NULL, &at, (long)der->len) : NULL;
	struct up_signer *s = NULL;
	char name[256] = "";

	if (x == NULL || at != (const unsigned char *)der->data + der->len) {
		*why = "x5c holds no certificate";
	} else if (!certificates_is_ours(x)) {
		*why = "the certificate was not issued here";
	} else {
		AUTO(free_str) char *text = certificates_text(x);

		X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name,
		                          sizeof(name));
		s = xcalloc(1, sizeof(*s));
		s->name = xstrdup(name);
		s->fingerprint = certificates_fingerprint(text);
		s->key = X509_get_pubkey(x);
		s->expired = X509_cmp_current_time(X509_get0_notAfter(x)) < 0;
	}
	X509_free(x);
	return s;
}

bool up_signer_fits(const struct up_signer *s, const char *text, unsigned long len,
                    const struct buffer *signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool fits = signature->data != NULL &&
	            EVP_PKEY_get_base_id((EVP_PKEY *)s->key) == EVP_PKEY_RSA &&
	            EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, s->key) == 1 &&
	            EVP_DigestVerify(context, (const unsigned char *)signature->data,
	                             signature->len, (const unsigned char *)text, len) == 1;

	EVP_MD_CTX_free(context);
	return fits;
}

void up_signer_free(struct up_signer *s)
{
	if (s == NULL)
		return;
	free(s->name);
	free(s->fingerprint);
	EVP_PKEY_free(s->key);
	free(s);
}
