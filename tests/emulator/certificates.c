#include "tests/emulator/certificates.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/exchange.h"

#define DAYS (24L * 3600)

static X509 *ca;
static EVP_PKEY *ca_key;
static char *ca_pem, *ca_path, *server_pem, *server_key_pem;

static char *bio_text(BIO *bio)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);
	char *text = xprintf("%.*s", (int)len, data);

	BIO_free(bio);
	return text;
}

char *certificates_text(X509 *x)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_X509(bio, x);
	return bio_text(bio);
}

char *certificates_key_text(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	return bio_text(bio);
}

static char *fingerprint_of(X509 *x)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int i, len = 0;
	struct buffer b = { 0 };

	X509_digest(x, EVP_sha256(), digest, &len);
	for (i = 0; i < len; i++)
		buffer_printf(&b, "%02x", digest[i]);
	return b.data;
}

static void add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *e;

	X509V3_set_ctx(&context, ca ? ca : x, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	if (e != NULL)
		X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

static void add_name(X509_NAME *name, const char *value)
{
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)value, -1, -1,
	                           0);
}

/* A certificate of `key`, named so, signed by the CA, or by itself while there is none. */
static X509 *make_certificate(EVP_PKEY *key, X509_NAME *subject,
                              const struct certificate_wish *wish)
{
	const char *usage = wish->usage;
	X509 *issuer = wish->self_signed ? NULL : ca;
	X509 *x = X509_new();
	unsigned char serial[16];
	BIGNUM *number;

	RAND_bytes(serial, sizeof(serial));
	serial[0] &= 0x7f;
	number = BN_bin2bn(serial, sizeof(serial), NULL);
	BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
	BN_free(number);
	X509_set_version(x, 2);
	X509_gmtime_adj(X509_getm_notBefore(x), wish->from_s);
	X509_gmtime_adj(X509_getm_notAfter(x), wish->until_s);
	X509_set_subject_name(x, subject);
	X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : subject);
	X509_set_pubkey(x, key);
	add_extension(x, NID_basic_constraints, usage ? "critical,CA:FALSE" : "critical,CA:TRUE");
	add_extension(x, NID_key_usage,
	              usage ? "critical,digitalSignature,keyEncipherment"
	                    : "critical,keyCertSign,cRLSign");
	if (usage != NULL)
		add_extension(x, NID_ext_key_usage, usage);
	if (wish->names != NULL)
		add_extension(x, NID_subject_alt_name, wish->names);
	add_extension(x, NID_subject_key_identifier, "hash");
	if (issuer != NULL)
		add_extension(x, NID_authority_key_identifier, "keyid");
	X509_sign(x, issuer ? ca_key : key, EVP_sha256());
	return x;
}

X509 *certificates_make(EVP_PKEY *key, const struct certificate_wish *wish)
{
	X509_NAME *subject = X509_NAME_new();
	X509 *x;

	add_name(subject, wish->name);
	x = make_certificate(key, subject, wish);
	X509_NAME_free(subject);
	return x;
}

static X509 *make_named(EVP_PKEY *key, const char *name, const char *usage, const char *names)
{
	const struct certificate_wish wish = {
		.name = name, .usage = usage, .names = names, .from_s = -3600, .until_s = 30 * DAYS
	};

	return certificates_make(key, &wish);
}

bool certificates_is_ours(X509 *x)
{
	return ca_key != NULL && X509_verify(x, ca_key) == 1;
}

static int write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	if (n == (ssize_t)strlen(text))
		return 0;
	fprintf(stderr, "cloud-emulator: write %s: %s\n", path, strerror(errno));
	return -1;
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	struct buffer b = { 0 };
	char block[4096];
	size_t n;

	if (f == NULL)
		return NULL;
	while ((n = fread(block, 1, sizeof(block), f)) > 0 && b.len < (1u << 20))
		buffer_add(&b, block, n);
	fclose(f);
	return b.data;
}

static X509 *parse_certificate(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return x;
}

static int load_ca(const char *dir)
{
	AUTO(free_str) char *key_path = xprintf("%s/ca-key.pem", dir);
	AUTO(free_str) char *key_pem = read_file(key_path);
	BIO *bio;

	ca_path = xprintf("%s/ca.pem", dir);
	ca_pem = read_file(ca_path);
	if (ca_pem != NULL && key_pem != NULL) {
		bio = BIO_new_mem_buf(key_pem, -1);
		ca_key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
		BIO_free(bio);
		ca = parse_certificate(ca_pem);
		if (ca != NULL && ca_key != NULL)
			return 0;
		fprintf(stderr, "cloud-emulator: %s: no certificate and key in PEM\n", ca_path);
		return -1;
	}
	free(ca_pem);
	ca_key = EVP_EC_gen("P-256");
	ca = make_named(ca_key, "cloud emulator CA", NULL, NULL);
	ca_pem = certificates_text(ca);
	free_str(&key_pem);
	key_pem = certificates_key_text(ca_key);
	return write_file(key_path, key_pem, 0600) || write_file(ca_path, ca_pem, 0644) ? -1 : 0;
}

int certificates_open(const char *dir)
{
	AUTO(free_str) char *path = xprintf("%s/server.pem", dir);
	AUTO(free_str) char *key_path = xprintf("%s/server-key.pem", dir);
	EVP_PKEY *key;
	X509 *x;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
		fprintf(stderr, "cloud-emulator: make %s: %s\n", dir, strerror(errno));
		return -1;
	}
	if (load_ca(dir) < 0)
		return -1;
	server_pem = read_file(path);
	server_key_pem = read_file(key_path);
	if (server_pem != NULL && server_key_pem != NULL)
		return 0;
	free(server_pem);
	free(server_key_pem);
	key = EVP_EC_gen("P-256");
	x = make_named(key, "localhost", "serverAuth", "DNS:localhost,IP:127.0.0.1,IP:::1");
	server_pem = certificates_text(x);
	server_key_pem = certificates_key_text(key);
	X509_free(x);
	EVP_PKEY_free(key);
	return write_file(key_path, server_key_pem, 0600) || write_file(path, server_pem, 0644) ? -1
	                                                                                        : 0;
}

void certificates_close(void)
{
	X509_free(ca);
	EVP_PKEY_free(ca_key);
	free(ca_pem);
	free(ca_path);
	free(server_pem);
	free(server_key_pem);
	ca = NULL;
	ca_key = NULL;
	ca_pem = ca_path = server_pem = server_key_pem = NULL;
}

const char *certificates_ca(void)
{
	return ca_pem;
}

const char *certificates_server(void)
{
	return server_pem;
}

const char *certificates_server_key(void)
{
	return server_key_pem;
}

const char *certificates_ca_path(void)
{
	return ca_path;
}

char *certificates_sign(const char *request, char **ret_fingerprint)
{
	BIO *bio = BIO_new_mem_buf(request, -1);
	X509_REQ *req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
	EVP_PKEY *key = req ? X509_REQ_get0_pubkey(req) : NULL;
	char *text = NULL;
	X509 *x;

	BIO_free(bio);
	if (ca != NULL && key != NULL && X509_REQ_verify(req, key) == 1) {
		const struct certificate_wish wish = { .usage = "clientAuth",
			                               .from_s = -3600,
			                               .until_s = 30 * DAYS };

		x = make_certificate(key, X509_REQ_get_subject_name(req), &wish);
		text = certificates_text(x);
		*ret_fingerprint = fingerprint_of(x);
		X509_free(x);
	}
	X509_REQ_free(req);
	return text;
}

char *certificates_fingerprint(const char *pem)
{
	X509 *x = parse_certificate(pem);
	char *text = x ? fingerprint_of(x) : NULL;

	X509_free(x);
	return text;
}

int certificates_issue(const char *name, char **ret_certificate, char **ret_key)
{
	EVP_PKEY *key;
	X509 *x;

	if (ca == NULL)
		return -1;
	key = EVP_RSA_gen(2048);
	x = make_named(key, name, "clientAuth", NULL);
	*ret_certificate = certificates_text(x);
	*ret_key = certificates_key_text(key);
	X509_free(x);
	EVP_PKEY_free(key);
	return 0;
}

static void look_at(struct peer *peer, const gnutls_datum_t *der)
{
	const unsigned char *data = der->data;
	X509 *x = d2i_X509(NULL, &data, (long)der->size);
	char name[256];

	if (x == NULL)
		return;
	peer->fingerprint = fingerprint_of(x);
	if (X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name,
	                              sizeof(name)) > 0)
		peer->common_name = xstrdup(name);
	X509_free(x);
}

void certificates_look(struct peer *peer, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info;
	const gnutls_datum_t *chain;
	unsigned int count = 0, status = 0;

	if (peer->checked || !peer->tls)
		return;
	peer->checked = true;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (info == NULL)
		return;
	chain = gnutls_certificate_get_peers(info->tls_session, &count);
	if (chain == NULL || count == 0 ||
	    gnutls_certificate_verify_peers2(info->tls_session, &status) < 0 || status != 0)
		return;
	look_at(peer, &chain[0]);
}
