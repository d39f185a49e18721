#include "connector/base/json_client.h"

#include <string.h>

#include "common/err.h"
#include "connector/base/json_read.h"

static enum http_take on_take(struct http_req *r, const void *data, size_t len, struct err *err)
{
	struct json_op *op = r->data;

	if (buf_append(&op->reply, data, len) == 0)
		return HTTP_TAKEN;
	(void)err_set(err, ERR_TEMPORARY, 0, "the answer is longer than %u bytes", JSON_ANSWER_MAX);
	return HTTP_STOP;
}

/* The service's own words in place of ours; kind, code and Retry-After stay. */
static void explain(struct json_op *op, struct err *err)
{
	struct err told;
	char words[128];

	json_error(op->answer, op->error, sizeof(op->error), words, sizeof(words));
	if (!op->error[0] && !words[0])
		return;
	(void)err_set(&told, err->kind, err->code, "%.50s%s%s (HTTP %ld)", op->error,
	              op->error[0] && words[0] ? ": " : "", words, op->status);
	told.retry_after_s = err->retry_after_s;
	*err = told;
}

static void on_done(struct http_req *r, const struct err *http_err)
{
	struct json_op *op = r->data;
	struct err err = { 0 }, unread;
	int rc;

	op->status = r->status;
	rc = json_decode(buf_text(&op->reply), op->reply.len, &op->answer, &unread);
	if (http_err)
		err = *http_err;
	else if (rc < 0)
		err = unread;
	if (http_err && rc == 0)
		explain(op, &err);
	buf_wipe(&op->reply);
	buf_wipe(&op->body);
	op->done(op, err.kind != ERR_NONE ? &err : NULL);
}

static const char *type_of(enum json_method method)
{
	switch (method) {
	case JSON_GET:
		return NULL;
	case JSON_POST_FORM:
		return "application/x-www-form-urlencoded";
	case JSON_POST:
		return "application/json";
	}
	return NULL;
}

int json_op_start(struct json_op *op, struct err *err)
{
	buf_init(&op->reply, JSON_ANSWER_MAX);
	op->req = (struct http_req){
		.peer = op->peer,
		.url = op->url,
		.get = op->method == JSON_GET,
		.secret = true,
		.once = op->method != JSON_GET,
		.content_type = type_of(op->method),
		.bearer = op->bearer,
		.head = op->body.data,
		.head_len = op->body.len,
		.timeout_ms = op->timeout_ms,
		.take = on_take,
		.take_errors = true,
		.done = on_done,
		.data = op,
	};
	if (http_start(op->http, &op->req, err) == 0)
		return 0;
	buf_wipe(&op->body);
	return -1;
}

void json_op_cancel(struct json_op *op)
{
	http_cancel(&op->req);
}

void json_op_clear(struct json_op *op)
{
	json_wipe(op->answer);
	buf_wipe(&op->body);
	buf_wipe(&op->reply);
	memset(op, 0, sizeof(*op));
}
