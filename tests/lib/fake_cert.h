/* fake_cert.h - throw-away certificates for TLS tests, as PEM files in a directory of their own. */
#ifndef TESTS_LIB_FAKE_CERT_H
#define TESTS_LIB_FAKE_CERT_H

struct fake_certs {
	char dir[64];
	char ca[96];                           /* "Test Root" */
	char server[96], server_key[96];       /* localhost and 127.0.0.1, by ca */
	char elsewhere[96], elsewhere_key[96]; /* elsewhere.example, by ca */
	char client[96], client_key[96];       /* by ca */
	char other_ca[96];                     /* "Other Root" has issued none of them */
	char server_pin[64];                   /* "sha256//..." of the server's key */
};

void fake_certs_make(struct fake_certs *c);
void fake_certs_remove(struct fake_certs *c);

/* A certificate for a PKCS#10 request, as PEM to be freed; `now` in Unix seconds. */
char *fake_cert_issue(const char *request_pem, long long now, int days);
/* One of a key, by itself, for a day; likewise. */
char *fake_cert_of_key(const char *key_pem);
/* A request for a key that nobody has, likewise. */
char *fake_cert_request(void);
/* A key, likewise. */
char *fake_cert_key(void);

#endif
