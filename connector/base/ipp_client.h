/* ipp_client.h - one IPP exchange over HTTP (RFC 8010): the request, a document behind it, the
 * answer, a document behind that. Contract of struct ipp_op: base/op.h. Loop thread only. */
#ifndef CONNECTOR_BASE_IPP_CLIENT_H
#define CONNECTOR_BASE_IPP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "connector/base/http.h"
#include "connector/base/ipp_codec.h"
#include "common/buf.h"

struct ipp_op {
	struct http *http;       /* borrowed */
	struct http_peer *peer;  /* borrowed */
	const char *url;         /* http:// or https://; borrowed. ipp_http_url() makes one */
	const char *bearer;      /* borrowed; NULL: none */
	ipp_t *request;          /* owned by the operation from start on, also when start fails */
	struct stream *body;     /* document behind the request; borrowed; NULL: none */
	int64_t body_len;        /* -1: unknown, sent chunked */
	struct stream *document; /* takes the document behind the answer, ended or failed by us;
	                            borrowed; NULL: such bytes are an error */
	uint64_t document_limit; /* bytes; more fails with ERR_REJECTED; 0: none */
	bool http1;              /* as in struct http_req */
	bool patient;            /* as there */
	int64_t timeout_ms;      /* as there */
	int64_t idle_ms;
	uint64_t *tally; /* counts its end by err_kind, [ERR_KIND_COUNT]; borrowed; NULL: nobody
	                    counts */
	/* The answer's message is there (status successful), its document follows. Optional. May
	 * not start or cancel anything but only look, and choose another ->document for it. -1 with
	 * err ends the exchange with it. */
	int (*on_message)(struct ipp_op *op, struct err *err);
	void *data;
	/* err NULL: an IPP status of 0x0000 to 0x00ff; ->response is there. An IPP error comes as
	 * err with code = the IPP status and its status-message in the text; ->response is there
	 * too. Transport errors: as struct http_req, code < 0x0400 or an HTTP status; ->response is
	 * NULL, and ->ipp_status is 0. An answer that is not application/ipp: TEMPORARY, saying so.
	 */
	void (*done)(struct ipp_op *op, const struct err *err);

	/* results */
	ipp_t *response;         /* owned by the operation; ipp_op_clear() frees it */
	ipp_status_t ipp_status; /* of an IPP answer; 0 also when there was none */
	int64_t server_time;

	struct http_req req; /* private from here on */
	struct ipp_scan scan;
	struct buf head, reply;
	bool message_ended;
	size_t skip;    /* bytes taken of what comes again after a pause */
	uint64_t taken; /* bytes behind the answer's message */
};

int ipp_op_start(struct ipp_op *op, struct err *err);
void ipp_op_cancel(struct ipp_op *op);
/* Frees what the operation owns and zeroes it; not while it runs. Needed before another start. */
void ipp_op_clear(struct ipp_op *op);

/* The kind of an IPP status: 0x0401-0x0403 DENIED; 0x0406, 0x0407 GONE; 0x0408 (413 in CUPS: its
 * spool is full), 0x0500 to 0x0507 TEMPORARY, 0x0508 CANCELED; other errors REJECTED. Where a
 * dialect knows better it looks at the code. */
void ipp_status_err(ipp_status_t status, const char *message, struct err *err);

/* ipp://host[:631]/p -> http://host:631/p, ipps:// -> https://; http(s):// stays. -1: not such a
 * URI, user:password in it, longer than 1023 bytes. */
int ipp_http_url(const char *uri, char *ret, size_t size, struct err *err);

#endif
