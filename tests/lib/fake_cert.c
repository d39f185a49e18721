#include "tests/lib/fake_cert.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert(e);
	(void)X509_add_ext(cert, e, -1);
	X509_EXTENSION_free(e);
}

static void write_pem(const char *path, X509 *cert, EVP_PKEY *key)
{
	FILE *f = fopen(path, "w");

	assert(f);
	if (cert)
		(void)PEM_write_X509(f, cert);
	if (key)
		(void)PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	(void)fclose(f);
}

/* issuer NULL: a root */
static X509 *make(const char *name, const char *alt, EVP_PKEY *key, X509 *issuer,
                  EVP_PKEY *issuer_key)
{
	static long serial = 1;
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);

	(void)X509_set_version(cert, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
	(void)X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	(void)X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	(void)X509_set_pubkey(cert, key);
	(void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name,
	                                 -1, -1, 0);
	(void)X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : subject);
	add_extension(cert, NID_basic_constraints, issuer ? "CA:FALSE" : "critical,CA:TRUE");
	if (alt)
		add_extension(cert, NID_subject_alt_name, alt);
	(void)X509_sign(cert, issuer ? issuer_key : key, EVP_sha256());
	return cert;
}

static void make_leaf(const char *name, const char *alt, X509 *ca, EVP_PKEY *ca_key,
                      const char *path, const char *key_path, char *pin)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = make(name, alt, key, ca, ca_key);
	unsigned char *der = NULL, digest[32];
	int len;

	write_pem(path, cert, NULL);
	write_pem(key_path, NULL, key);
	if (pin) {
		len = i2d_PUBKEY(key, &der);
		(void)SHA256(der, (size_t)len, digest);
		OPENSSL_free(der);
		memcpy(pin, "sha256//", 8);
		(void)EVP_EncodeBlock((unsigned char *)pin + 8, digest, sizeof(digest));
	}
	X509_free(cert);
	EVP_PKEY_free(key);
}

void fake_certs_make(struct fake_certs *c)
{
	EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *other_key = EVP_EC_gen("P-256");
	X509 *ca = make("Test Root", NULL, ca_key, NULL, NULL);
	X509 *other = make("Other Root", NULL, other_key, NULL, NULL);

	memset(c, 0, sizeof(*c));
	(void)snprintf(c->dir, sizeof(c->dir), "/tmp/test-certs-XXXXXX");
	if (!mkdtemp(c->dir))
		abort();
#define PATH(member, name) (void)snprintf(c->member, sizeof(c->member), "%s/" name, c->dir)
	PATH(ca, "ca.pem");
	PATH(other_ca, "other-ca.pem");
	PATH(server, "server.pem");
	PATH(server_key, "server.key");
	PATH(elsewhere, "elsewhere.pem");
	PATH(elsewhere_key, "elsewhere.key");
	PATH(client, "client.pem");
	PATH(client_key, "client.key");
#undef PATH
	write_pem(c->ca, ca, NULL);
	write_pem(c->other_ca, other, NULL);
	make_leaf("localhost", "DNS:localhost,IP:127.0.0.1", ca, ca_key, c->server, c->server_key,
	          c->server_pin);
	make_leaf("elsewhere.example", "DNS:elsewhere.example", ca, ca_key, c->elsewhere,
	          c->elsewhere_key, NULL);
	make_leaf("printer-1", NULL, ca, ca_key, c->client, c->client_key, NULL);
	X509_free(ca);
	X509_free(other);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(other_key);
}

void fake_certs_remove(struct fake_certs *c)
{
	const char *paths[] = { c->ca,        c->other_ca,      c->server, c->server_key,
		                c->elsewhere, c->elsewhere_key, c->client, c->client_key };

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		(void)unlink(paths[i]);
	(void)rmdir(c->dir);
}

static char *text_of(BIO *bio)
{
	char *data, *ret;
	long len = BIO_get_mem_data(bio, &data);

	ret = strndup(data, (size_t)len);
	BIO_free(bio);
	return ret;
}

char *fake_cert_issue(const char *request_pem, long long now, int days)
{
	static EVP_PKEY *ca_key; /* one for all */
	BIO *in = BIO_new_mem_buf(request_pem, -1), *out = BIO_new(BIO_s_mem());
	X509_REQ *request = PEM_read_bio_X509_REQ(in, NULL, NULL, NULL);
	X509 *cert = X509_new();

	assert(request);
	if (!ca_key)
		ca_key = EVP_EC_gen("P-256");
	(void)X509_set_version(cert, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	(void)ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(now - 3600));
	(void)ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(now + 86400LL * days));
	(void)X509_set_pubkey(cert, X509_REQ_get0_pubkey(request));
	(void)X509_set_subject_name(cert, X509_REQ_get_subject_name(request));
	(void)X509_set_issuer_name(cert, X509_REQ_get_subject_name(request));
	(void)X509_sign(cert, ca_key, EVP_sha256());
	(void)PEM_write_bio_X509(out, cert);
	X509_free(cert);
	X509_REQ_free(request);
	BIO_free(in);
	return text_of(out);
}

char *fake_cert_of_key(const char *key_pem)
{
	BIO *in = BIO_new_mem_buf(key_pem, -1), *out = BIO_new(BIO_s_mem());
	EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	X509 *cert = X509_new();

	assert(key);
	(void)X509_set_pubkey(cert, key);
	(void)X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	(void)X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	(void)X509_sign(cert, key, EVP_sha256());
	(void)PEM_write_bio_X509(out, cert);
	X509_free(cert);
	EVP_PKEY_free(key);
	BIO_free(in);
	return text_of(out);
}

char *fake_cert_request(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_REQ *request = X509_REQ_new();
	BIO *out = BIO_new(BIO_s_mem());

	(void)X509_REQ_set_pubkey(request, key);
	(void)X509_REQ_sign(request, key, EVP_sha256());
	(void)PEM_write_bio_X509_REQ(out, request);
	X509_REQ_free(request);
	EVP_PKEY_free(key);
	return text_of(out);
}

char *fake_cert_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	BIO *out = BIO_new(BIO_s_mem());

	(void)PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
	EVP_PKEY_free(key);
	return text_of(out);
}
