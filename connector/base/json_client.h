/* json_client.h - one exchange with a web service that answers in JSON: a form or JSON posted, or a
 * GET. What was sent and what came is wiped. The answer's Content-Type does not matter, since
 * Entra's is documented to be text/html at times. Contract of struct json_op: base/op.h. Loop
 * thread only. */
#ifndef CONNECTOR_BASE_JSON_CLIENT_H
#define CONNECTOR_BASE_JSON_CLIENT_H

#include <stdint.h>

#include "common/buf.h"
#include "connector/base/http.h"

struct cJSON;

enum json_method { JSON_GET, JSON_POST_FORM, JSON_POST };

#define JSON_BODY_MAX (64u << 10)

struct json_op {
	struct http *http;      /* borrowed */
	struct http_peer *peer; /* borrowed */
	const char *url;        /* borrowed */
	enum json_method method;
	const char *bearer; /* borrowed; NULL: none */
	struct buf body;    /* the operation's from start on: form_add() or JSON text */
	int64_t timeout_ms;
	void *data;
	/* err NULL: a 2xx status and ->answer. Else as struct http_req; where the service explained
	 * its error ->error says what and ->answer is there, err's text has the explanation. A 2xx
	 * answer that is no JSON object: TEMPORARY. */
	void (*done)(struct json_op *op, const struct err *err);

	/* results */
	long status;          /* of HTTP; 0: no answer */
	struct cJSON *answer; /* owned by the operation */
	char error[64];       /* keyword; "" none */

	struct http_req req; /* private from here on */
	struct buf reply;
};

int json_op_start(struct json_op *op, struct err *err);
void json_op_cancel(struct json_op *op);
/* Wipes and frees what the operation owns and zeroes it; not while it runs. */
void json_op_clear(struct json_op *op);

#endif
