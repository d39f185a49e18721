/* ipp_client.c - one IPP exchange over HTTP.
 *
 * Happy path: encode the request, http_start(); reply bytes run through ipp_scan() into a buffer
 * until the message ends; it is decoded, on_message() looks; bytes behind it go to the document
 * stream, which slows the sender down by HTTP_PAUSE; http done -> stream_end(), done().
 *
 * What can fail: start (done() does not run); transport, before or in the middle of message or
 * document (err of http, ->response is dropped); an answer that is not IPP, damaged or cut
 * (TEMPORARY: something stands in between, or a server in trouble whose next answer may be well);
 * an IPP error (its kind, response kept, further bytes dropped up to a limit); a document too long
 * or not expected (REJECTED); the document's consumer gives up (its err); the answer comes before
 * all of the request's document was sent (TEMPORARY). Whatever it was, the document stream learns
 * it. */
#include "connector/base/ipp_client.h"

#include <string.h>

#include "common/err.h"
#include "connector/base/stream.h"

#define PIECE    16384u /* what an empty stream of any size takes */
#define DROP_MAX 65536u /* behind an error answer; more is not worth the connection */

static const char *op_name(const struct ipp_op *op)
{
	return ippOpString(ippGetOperation(op->request));
}

static bool is_error(const struct ipp_op *op)
{
	return op->response && op->ipp_status > 0xff;
}

static void drop_response(struct ipp_op *op)
{
	ippDelete(op->response);
	op->response = NULL;
	op->ipp_status = 0;
}

static int status_err(const struct ipp_op *op, struct err *err)
{
	ipp_status_err(op->ipp_status,
	               ipp_get_text(op->response, IPP_TAG_OPERATION, "status-message", NULL), err);
	return -1;
}

/* ---- the answer ---- */

/* "host:port" of a URL. */
static const char *host_of(const char *url, int *ret_len)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	*ret_len = (int)strcspn(host, "/?#");
	return host;
}

static int check_type(const struct ipp_op *op, struct err *err)
{
	const char *type = op->req.reply_type;
	int len;
	const char *host = host_of(op->url, &len);

	if (strcmp(type, "application/ipp") == 0)
		return 0;
	return err_set(err, ERR_TEMPORARY, 0,
	               "%.*s answered %s instead of IPP; a proxy or sign-in page may stand in "
	               "between",
	               len < 80 ? len : 80, host, *type ? type : "something without a type");
}

static void on_room(void *data)
{
	struct ipp_op *op = data;

	http_unpause(&op->req);
}

static int decode_message(struct ipp_op *op, struct err *err)
{
	int rc = ipp_decode(op->reply.data, op->reply.len, &op->response, err);

	buf_wipe(&op->reply);
	if (rc < 0) {
		err->kind = ERR_TEMPORARY;
		return -1;
	}
	op->ipp_status = ippGetStatusCode(op->response);
	if (!is_error(op) && op->on_message && op->on_message(op, err) < 0)
		return -1;
	if (op->document)
		stream_on_room(op->document, on_room, op);
	return 0;
}

static int take_message(struct ipp_op *op, const unsigned char *data, size_t len, size_t *ret_used,
                        struct err *err)
{
	bool ended;

	if (check_type(op, err) < 0)
		return -1;
	if (ipp_scan(&op->scan, data, len, ret_used, &ended, err) < 0) {
		err->kind = ERR_TEMPORARY;
		return -1;
	}
	if (buf_append(&op->reply, data, *ret_used) < 0)
		return err_set(err, ERR_TEMPORARY, 0, "no memory for an answer of %zu bytes",
		               op->reply.len + *ret_used);
	op->message_ended = ended;
	return ended ? decode_message(op, err) : 0;
}

static enum http_take drop(struct ipp_op *op, size_t len, struct err *err)
{
	op->taken += len;
	if (op->taken <= DROP_MAX)
		return HTTP_TAKEN;
	(void)status_err(op, err);
	return HTTP_STOP;
}

/* *ret_used: how many were taken before a pause. */
static enum http_take take_document(struct ipp_op *op, const unsigned char *data, size_t len,
                                    size_t *ret_used, struct err *err)
{
	if (is_error(op))
		return drop(op, len, err);
	if (!op->document) {
		(void)err_set(err, ERR_REJECTED, 0, "bytes behind an answer that has no document");
		return HTTP_STOP;
	}
	for (*ret_used = 0; *ret_used < len;) {
		size_t n = len - *ret_used < PIECE ? len - *ret_used : PIECE;

		if (op->document_limit && n > op->document_limit - op->taken) {
			(void)err_set(err, ERR_REJECTED, 0, "document is longer than %llu bytes",
			              (unsigned long long)op->document_limit);
			return HTTP_STOP;
		}
		if (stream_write(op->document, data + *ret_used, n) < 0) {
			if (stream_state(op->document) != STREAM_FAILED)
				return HTTP_PAUSE;
			*err = *stream_err(op->document);
			return HTTP_STOP;
		}
		*ret_used += n;
		op->taken += n;
	}
	return HTTP_TAKEN;
}

static enum http_take on_take(struct http_req *r, const void *data, size_t len, struct err *err)
{
	struct ipp_op *op = r->data;
	const unsigned char *p = data;
	size_t done = op->skip < len ? op->skip : len, used = 0;
	enum http_take take = HTTP_TAKEN;

	op->skip -= done;
	if (!op->message_ended && done < len) {
		if (take_message(op, p + done, len - done, &used, err) < 0)
			return HTTP_STOP;
		done += used;
	}
	if (op->message_ended && done < len) {
		take = take_document(op, p + done, len - done, &used, err);
		done += used;
	}
	if (take == HTTP_PAUSE)
		op->skip = done;
	return take;
}

/* ---- the end ---- */

static bool is_body_sent(const struct ipp_op *op)
{
	if (!op->body)
		return true;
	if (op->body_len < 0)
		return stream_state(op->body) == STREAM_ENDED;
	return op->req.sent >= (int64_t)op->head.len + op->body_len;
}

static int judge_answer(const struct ipp_op *op, struct err *err)
{
	if (!op->message_ended) {
		if (check_type(op, err) < 0)
			return -1;
		return err_set(err, ERR_TEMPORARY, 0, "answer ends in the middle");
	}
	/* one that only ends with its connection may have been cut anywhere */
	if (op->document && !op->req.reply_framed)
		return err_set(err, ERR_TEMPORARY, 0,
		               "the answer does not say where its document ends");
	if (!is_body_sent(op))
		return err_set(err, ERR_TEMPORARY, 0,
		               "the answer came before all of the document was sent");
	return 0;
}

/* One verdict of HTTP's and IPP's. An IPP error outweighs a broken transport: a server that
 * refuses an upload answers early and hangs up. */
static int judge(struct ipp_op *op, const struct err *http_err, struct err *err)
{
	int rc;

	if (http_err && http_err->kind == ERR_CANCELED) {
		*err = *http_err;
		drop_response(op);
		return -1;
	}
	if (is_error(op)) {
		rc = status_err(op, err);
	} else if (http_err) {
		*err = *http_err;
		rc = -1;
	} else {
		rc = judge_answer(op, err);
	}
	if (rc == 0)
		return 0;
	if (!is_error(op))
		drop_response(op);
	return err_wrap(err, "%s", op_name(op));
}

static void on_done(struct http_req *r, const struct err *http_err)
{
	struct ipp_op *op = r->data;
	struct err err;
	int rc;

	op->server_time = r->server_time;
	rc = judge(op, http_err, &err);
	buf_wipe(&op->head);
	buf_wipe(&op->reply);
	if (op->document) {
		stream_on_room(op->document, NULL, NULL);
		if (rc < 0)
			stream_fail(op->document, &err);
		else
			stream_end(op->document);
	}
	if (op->tally)
		op->tally[rc < 0 ? err.kind : ERR_NONE]++;
	op->done(op, rc < 0 ? &err : NULL);
}

/* ---- start, cancel, clear ---- */

/* What asks, or says how things are, may reach the other side twice. What makes, moves or ends
 * something may not. */
static bool is_repeatable(ipp_op_t operation)
{
	switch ((int)operation) {
	case IPP_OP_VALIDATE_JOB:
	case IPP_OP_GET_JOB_ATTRIBUTES:
	case IPP_OP_GET_JOBS:
	case IPP_OP_GET_PRINTER_ATTRIBUTES:
	case IPP_OP_GET_NOTIFICATIONS:
	case IPP_OP_GET_DOCUMENTS:
	case IPP_OP_RENEW_SUBSCRIPTION:
	case IPP_OP_FETCH_JOB:
	case IPP_OP_FETCH_DOCUMENT:
	case IPP_OP_UPDATE_ACTIVE_JOBS:
	case IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES:
	case IPP_OP_CUPS_GET_PRINTERS:
		return true;
	}
	return false;
}

static void fill_request(struct ipp_op *op)
{
	op->req = (struct http_req){
		.peer = op->peer,
		.url = op->url,
		.http1 = op->http1,
		.patient = op->patient,
		.once = !is_repeatable(ippGetOperation(op->request)),
		.content_type = "application/ipp",
		.bearer = op->bearer,
		.head = op->head.data,
		.head_len = op->head.len,
		.body = op->body,
		.body_len = op->body_len,
		.timeout_ms = op->timeout_ms,
		.idle_ms = op->idle_ms,
		.take = on_take,
		.done = on_done,
		.data = op,
	};
}

int ipp_op_start(struct ipp_op *op, struct err *err)
{
	buf_init(&op->head, IPP_MESSAGE_MAX);
	buf_init(&op->reply, IPP_MESSAGE_MAX);
	if (ipp_encode(op->request, &op->head, err) < 0)
		goto fail;
	ipp_wipe_secrets(op->request); /* they are in head, which is wiped */
	fill_request(op);
	if (http_start(op->http, &op->req, err) == 0)
		return 0;
fail:
	(void)err_wrap(err, "%s", op_name(op));
	buf_wipe(&op->head);
	ippDelete(op->request);
	op->request = NULL;
	return -1;
}

void ipp_op_cancel(struct ipp_op *op)
{
	http_cancel(&op->req);
}

void ipp_op_clear(struct ipp_op *op)
{
	ippDelete(op->request);
	ippDelete(op->response);
	buf_wipe(&op->head);
	buf_wipe(&op->reply);
	memset(op, 0, sizeof(*op));
}
