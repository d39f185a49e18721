/* fake_http.h - a small scripted HTTP/1.1 server on the test's own loop: plain, TLS or on a Unix
 * socket. It reads requests as they should be and answers as badly as the script says. */
#ifndef TESTS_LIB_FAKE_HTTP_H
#define TESTS_LIB_FAKE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_http;
struct loop;

struct fake_http_settings {
	const char *unix_path;        /* NULL: 127.0.0.1, a free port */
	const char *certificate_file; /* NULL: no TLS */
	const char *key_file;
	const char *client_ca; /* a client certificate is asked for */
	int max_tls;           /* e.g. TLS1_1_VERSION; 0: any */
};

/* What happens with a request. All zero: answers 200 with "hello". */
struct fake_script {
	const char *answer; /* raw bytes; NULL: the default */
	size_t answer_len;  /* 0: up to its NUL */
	long cut_at;        /* > 0: only so many bytes minus one, then the connection goes */
	bool reset;         /* ... by RST rather than FIN */
	bool silent;        /* never answers */
	bool early;         /* answers as soon as the request's header is there */
	bool deaf;          /* reads nothing behind the request's header */
	bool drip;          /* one byte every few milliseconds */
	bool endless;       /* after answer, filler follows for ever */
	const char *filler; /* NULL: a block of zeros */
	bool close;         /* closes after the answer */
	uint64_t big;       /* after answer, so many bytes of pattern follow */
	unsigned
		close_on_reuse; /* a connection's n-th request is answered by closing it; 0: none */
	bool gone;              /* ... and nobody listens any more */
};

struct fake_http *fake_http_open(struct loop *loop, const struct fake_http_settings *settings);
void fake_http_close(struct fake_http *f);
/* "http://127.0.0.1:PORT/path"; static storage, four at a time. */
const char *fake_http_url(struct fake_http *f, const char *path);
struct fake_script *fake_http_script(struct fake_http *f);

struct fake_seen {
	unsigned connections, open; /* ever, now */
	unsigned requests;          /* whole ones */
	char header[4096];          /* of the last request */
	uint64_t body_len;          /* of the last request, as far as it came */
	uint64_t body_sum;          /* fake_sum() of it */
	bool chunked;
	uint64_t answered; /* bytes of answers written */
};
const struct fake_seen *fake_http_seen(const struct fake_http *f);

/* Order-dependent sum, starts with 0; and the pattern that "big" sends. */
uint64_t fake_sum(uint64_t sum, const void *data, size_t len);
void fake_pattern(uint64_t offset, void *out, size_t len);

#endif
