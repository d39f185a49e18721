/* crypto_issuer.h - who issued the certificate that did not verify, and whose key it is: what an
 * administrator behind an inspecting proxy, or with a private authority, needs to read, and what
 * can be trusted from now on by itself. Watches the SSL_CTX of a connection that somebody else
 * (libcurl) makes, and changes nothing about who is trusted. Loop thread only.
 */
#ifndef CONNECTOR_BASE_CRYPTO_ISSUER_H
#define CONNECTOR_BASE_CRYPTO_ISSUER_H

/* How this machine's clock stands to the first certificate that did not verify. */
enum crypto_dates { CRYPTO_DATES_FIT, CRYPTO_DATES_AHEAD, CRYPTO_DATES_OVER };

struct crypto_issuer;

struct crypto_issuer *crypto_issuer_new(void);
void crypto_issuer_free(struct crypto_issuer *i); /* NULL is fine; contexts may live on */
/* ssl_ctx: an SSL_CTX whose verification mode is set */
void crypto_issuer_watch(struct crypto_issuer *i, void *ssl_ctx);
/* "" when every certificate verified so far. From outside: to be made safe before it is shown. */
const char *crypto_issuer_name(const struct crypto_issuer *i);
enum crypto_dates crypto_issuer_dates(const struct crypto_issuer *i);
/* The server's public key as "sha256//BASE64", believed or not; "" when none was seen. */
const char *crypto_issuer_key(const struct crypto_issuer *i);

#endif
