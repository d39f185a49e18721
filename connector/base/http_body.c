/* Bodies, from inside libcurl: nothing here calls libcurl or ends anything, see http_private.h. */
#include "connector/base/http_private.h"

#include <stdio.h>
#include <string.h>

#include "connector/base/stream.h"

#define UNWANTED_MAX 65536 /* bytes of a reply that nobody reads */

/* Has the stream given all that this exchange will ever take from it? */
static bool is_consumed(const struct http_exchange *x)
{
	const struct http_req *r = x->req;

	if (stream_state(r->body) == STREAM_ENDED)
		return r->body_len < 0 || x->taken == r->body_len;
	return r->body_len >= 0 && x->taken == r->body_len && stream_state(r->body) == STREAM_OPEN;
}

static size_t take_head(struct http_exchange *x, char *out, size_t max)
{
	struct http_req *r = x->req;
	size_t len = r->head_len - x->head_off;

	if (len > max)
		len = max;
	if (len)
		memcpy(out, (const char *)r->head + x->head_off, len);
	x->head_off += len;
	return len;
}

static size_t take_body(struct http_exchange *x, char *out, size_t max)
{
	struct http_req *r = x->req;
	size_t len;

	if (r->body_len >= 0 && (int64_t)max > r->body_len - x->taken)
		max = (size_t)(r->body_len - x->taken);
	if (max == 0)
		return 0;
	len = stream_read(r->body, out, max);
	x->taken += (int64_t)len;
	return len;
}

size_t http_on_read(char *out, size_t size, size_t count, void *data)
{
	struct http_exchange *x = data;
	struct http_req *r = x->req;
	size_t max = size * count;
	size_t len;

	if (x->canceled || x->failed)
		return CURL_READFUNC_ABORT;
	len = take_head(x, out, max);
	if (r->body && len < max)
		len += take_body(x, out + len, max - len);
	if (len || !r->body || is_consumed(x))
		return len;
	switch (stream_state(r->body)) {
	case STREAM_OPEN:
		x->send_paused = true;
		if (http_answer_is_early(x))
			http_note(x);
		return CURL_READFUNC_PAUSE;
	case STREAM_FAILED:
		x->failed = true;
		x->fail = *stream_err(r->body);
		return CURL_READFUNC_ABORT;
	case STREAM_ENDED:
		http_fail(x, ERR_TEMPORARY, 0, "the document ended after %lld of %lld bytes",
		          (long long)x->taken, (long long)r->body_len);
		return CURL_READFUNC_ABORT;
	}
	return CURL_READFUNC_ABORT;
}

int http_on_seek(void *data, curl_off_t offset, int origin)
{
	struct http_exchange *x = data;

	/* what was taken out of a stream cannot be had again, and some of it was sent */
	if (origin != SEEK_SET || offset != 0 || x->taken != 0 || x->req->once) {
		x->unrepeatable = true;
		return CURL_SEEKFUNC_FAIL;
	}
	x->head_off = 0;
	return CURL_SEEKFUNC_OK;
}

static size_t drop(struct http_exchange *x, size_t len)
{
	x->dropped += (int64_t)len;
	if (x->dropped <= UNWANTED_MAX)
		return len;
	if (x->req->status / 100 == 2)
		http_fail(x, ERR_REJECTED, 0, "the answer is longer than %d bytes", UNWANTED_MAX);
	return 0;
}

size_t http_on_write(char *in, size_t size, size_t count, void *data)
{
	struct http_exchange *x = data;
	struct http_req *r = x->req;
	size_t len = size * count;

	http_moved(x);
	if (x->canceled || x->failed)
		return 0;
	if (!r->take || (r->status / 100 != 2 && !r->take_errors))
		return drop(x, len);
	switch (r->take(r, in, len, &x->fail)) {
	case HTTP_TAKEN:
		r->received += (int64_t)len;
		if (http_answer_is_early(x))
			http_note(x);
		return len;
	case HTTP_PAUSE:
		x->recv_paused = true;
		return CURL_WRITEFUNC_PAUSE;
	case HTTP_STOP:
		if (x->fail.kind == ERR_NONE)
			http_fail(x, ERR_REJECTED, 0, "the answer makes no sense");
		x->failed = true;
		return 0;
	}
	return 0;
}

/* More in the stream than was announced? The other side has a part and thinks that it is all. */
static bool has_more(struct http_exchange *x)
{
	const struct http_req *r = x->req;
	char byte;

	return r->body_len >= 0 && x->taken == r->body_len && stream_read(r->body, &byte, 1) > 0;
}

void http_body_settle(struct http_exchange *x)
{
	struct stream *body = x->req->body;
	struct err early;
	char name[96];

	if (!body)
		return;
	stream_on_data(body, NULL, NULL);
	http_answer_name(x, name, sizeof(name));
	if (has_more(x)) {
		(void)err_set(&early, ERR_TEMPORARY, 0,
		              "%s: the document is longer than the %lld bytes announced", name,
		              (long long)x->req->body_len);
		if (x->result.kind == ERR_NONE)
			x->result = early;
	} else if (is_consumed(x)) {
		return;
	} else {
		(void)err_set(&early, ERR_TEMPORARY, 0,
		              "%s answered before it had the whole document", name);
	}
	stream_fail(body, x->result.kind != ERR_NONE ? &x->result : &early);
}
