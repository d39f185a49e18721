/* http_case.h - a loop, a client and a fake server, and calls that check their own contract: done()
 * runs exactly once and never from inside http_start() or http_cancel(). */
#ifndef TESTS_LIB_HTTP_CASE_H
#define TESTS_LIB_HTTP_CASE_H

#include "common/buf.h"
#include "common/err.h"
#include "connector/base/clock.h"
#include "connector/base/http.h"
#include "tests/lib/fake_http.h"

struct http_case {
	struct loop *loop;
	struct http *http;
	struct http_peer *peer;
	struct fake_http *server;
	struct fake_script *script;   /* of the server */
	const struct fake_seen *seen; /* by the server */
	bool inside;                  /* of start or cancel */
	struct timer guard, poll;
	bool (*is)(void *data);
	void *is_data;
};

/* NULL: plain TCP; a peer with proxy "" */
void http_case_open(struct http_case *c, const struct fake_http_settings *server,
                    const struct http_peer_settings *peer);
void http_case_close(struct http_case *c); /* asserts that the loop is empty */
/* Another server or peer in place of the present one. */
void http_case_serve(struct http_case *c, const struct fake_http_settings *server);
void http_case_peer(struct http_case *c, const struct http_peer_settings *peer);
/* Runs the loop until is(data); fails the test after 20 seconds. */
void http_case_until(struct http_case *c, bool (*is)(void *data), void *data);
void http_case_run_ms(struct http_case *c, int ms); /* lets so much time pass */

struct call {
	struct http_req req; /* set up by call_init(), to be changed before call_start() */
	struct http_case *c;
	struct buf reply;
	unsigned done, order; /* how often; as which of all */
	struct err err;       /* kind ERR_NONE: success */
	bool pause_once, stop;
	unsigned takes;
	void (*then)(struct call *call); /* runs at the end of done() */
};

void call_init(struct call *call, struct http_case *c, const char *path);
void call_start(struct call *call);
void call_cancel(struct call *call);
void call_wait(struct call *call);
void call_clear(struct call *call);
/* All in one: POST "ping" to path, wait. */
void call_run(struct call *call, struct http_case *c);

#endif
