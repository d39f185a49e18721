/* http.h - HTTP exchanges by curl multi on the loop. Knows nothing of IPP or JSON. Every exchange
 * has limits in time; bodies stream both ways with back-pressure; no redirects are followed; TLS is
 * verified, 1.2 or newer. Contract of struct http_req: base/op.h. Loop thread only. */
#ifndef CONNECTOR_BASE_HTTP_H
#define CONNECTOR_BASE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connector/base/crypto.h"
#include "connector/base/crypto_issuer.h"

struct err;
struct http;
struct http_peer;
struct loop;
struct stream;

int http_open(struct http **ret, struct loop *loop, struct err *err);
/* Running exchanges end with ERR_CANCELED; done() has run for all of them before it returns. */
void http_close(struct http *h);

/* With whom and how: shared by all exchanges with one server. Copied; files are read by each new
 * connection, so a renewed certificate needs no new peer. */
struct http_peer_settings {
	const char *unix_socket;      /* NULL: TCP */
	const char *ca_file;          /* NULL: the system's */
	const char *certificate_file; /* of ours; NULL: none */
	const char *key_file;
	const char *username; /* HTTP Basic; NULL: none */
	const char *password;
	const char *pinned_key; /* "sha256//BASE64" of the server's public key: checked instead of
	                           CA and name; NULL: CA and name */
	const char *proxy;      /* "": none; NULL: from the environment */
	bool http2;             /* may be negotiated */
	unsigned max_active;    /* exchanges at once, the others wait their turn; 0: any number */
};

struct http_peer *http_peer_new(struct http *h, const struct http_peer_settings *settings);
/* Another pinned key for connections from now on; NULL: CA and name. */
void http_peer_pin(struct http_peer *p, const char *pinned_key);
void http_peer_free(struct http_peer *p); /* NULL is fine; no exchange may be under way */
/* How many connections its exchanges have made: no other side outlives all of its connections. */
unsigned http_peer_connections(const struct http_peer *p);

#define HTTP_LOST 65 /* as CURLE_SEND_FAIL_REWIND */

enum http_take {
	HTTP_TAKEN,
	HTTP_PAUSE, /* not taken: the same bytes come again after http_unpause() */
	HTTP_STOP,  /* ends the exchange; take() has filled err */
};

/* Where an exchange failed; ANSWER also when it did not. */
enum http_stage {
	HTTP_STAGE_PROXY,
	HTTP_STAGE_NAME, /* look-up */
	HTTP_STAGE_CONNECT,
	HTTP_STAGE_TLS, /* a certificate, or no version in common */
	HTTP_STAGE_ANSWER,
};

struct http_req {
	struct http_peer *peer;   /* borrowed */
	const char *url;          /* borrowed */
	bool get;                 /* GET, else POST */
	bool http1;               /* HTTP/1.1 on a connection of its own kind, e.g. for documents */
	bool secret;              /* nothing of it stays in memory afterwards; so with bearer */
	bool patient;             /* its answer is read up to 30 ms later, together with others: for
	                             what is asked of many, again and again */
	bool once;                /* what may have been received is not sent again; see done() */
	const char *content_type; /* of our body; borrowed */
	const char *bearer;       /* Authorization: Bearer; borrowed, wiped from our copies */
	const void *head;         /* the body's first bytes; borrowed */
	size_t head_len;
	/* Then these; borrowed; NULL: none. Its on_data is the exchange's until done(). When the
	 * exchange ends before it has taken all (failure, cancel, an answer that came early), the
	 * stream is failed, so that its producer does not wait for ever. */
	struct stream *body;
	int64_t body_len;   /* how many bytes will come from body; -1: unknown, sent chunked. A
	                       stream that gives less or more ends the exchange with TEMPORARY */
	int64_t timeout_ms; /* for the whole exchange, waiting for its turn included; 0: none */
	int64_t idle_ms;    /* no byte moved for so long, once connected; 0: none. Time in which our
	                       own side is paused does not count */
	/* Reply bytes of a 2xx answer as they come; NULL: dropped. May not start or cancel
	 * anything. */
	enum http_take (*take)(struct http_req *r, const void *data, size_t len, struct err *err);
	bool take_errors; /* take() gets the bytes of other answers too */
	void *data;       /* the caller's */
	/* Other answers than 2xx arrive as errors: 401, 403, 407 DENIED; 404, 410 GONE; 408, 413,
	 * 425, 429 and 5xx TEMPORARY with retry_after_s (1 s to 1 h); the rest REJECTED; code =
	 * status. Network and TLS: TEMPORARY, code = CURLcode; a certificate that does not verify:
	 * DENIED with the issuer's name or the reason in the text. A body that failed: the stream's
	 * own err. DENIED as well: a server that does not accept our certificate, and files of the
	 * peer that cannot be read.
	 * A request is sent once more, on a new connection, when a kept connection turns out to be
	 * closed before a byte of the answer has come: unless it is for once, or a byte of its
	 * body stream has gone. Then: TEMPORARY, code HTTP_LOST. */
	void (*done)(struct http_req *r, const struct err *err);

	/* results, in done() and (but for the last two) in take() */
	long status;
	char reply_type[64];    /* media type without parameters, lower case; "" when not said */
	int64_t server_time;    /* Date header, Unix seconds; 0: none */
	bool reply_framed;      /* the reply says where it ends (length or chunks); false: a cut one
	                           looks whole */
	int64_t sent, received; /* body bytes; what may have been sent counts as sent */
	enum http_stage stage;  /* connections through a proxy fail at CONNECT too */
	enum crypto_dates dates;          /* of what did not verify */
	char server_key[CRYPTO_PIN_SIZE]; /* of a new TLS connection without a pinned key: what
	                                     could be pinned, believed or not; "" not seen */

	struct http_exchange *private;
};

int http_start(struct http *h, struct http_req *r, struct err *err);
void http_cancel(struct http_req *r);
/* Whether an exchange failed since the server is not known to be the right one: by its certificate,
 * or by its key when one is pinned. */
bool http_is_untrusted(const struct err *err);
void http_unpause(struct http_req *r); /* from anywhere on the loop, also from a stream's wake-up */

/* For metrics and tests. */
struct http_stats {
	unsigned active, waiting;       /* exchanges */
	uint64_t connections, requests; /* ever opened, ever started */
};
struct http_stats http_stats(const struct http *h);

#endif
