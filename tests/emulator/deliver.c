#include "tests/emulator/deliver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <gnutls/gnutls.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/documents.h"
#include "tests/emulator/exchange.h"
#include "tests/emulator/host.h"
#include "tests/emulator/ipp_message.h"
#include "tests/emulator/printers.h"
#include "tests/emulator/up.h"

#define ENDLESS_PIECE 4096
#define BLOCK_SIZE    65536

/* What libmicrohttpd reads from: the message, then the document. Owns both. */
struct body {
	struct exchange *exchange; /* borrowed, outlives the answer */
	struct buffer message;
	struct bytes *attachment;
	uint64_t limit;    /* the connection is cut here */
	uint64_t stall_at; /* UINT64_MAX: nowhere */
	int64_t stall_ms;
	bool endless;
};

static void on_body_free(void *data)
{
	struct body *body = data;

	buffer_clear(&body->message);
	bytes_unref(body->attachment);
	free(body);
}

static size_t attachment_length(const struct bytes *a)
{
	return a ? a->buffer.len - a->offset : 0;
}

/* One attribute after another, for ever: a decoder that waits for the end waits long. */
static ssize_t read_endless(const struct body *body, uint64_t at, char *to, size_t max)
{
	static const char piece[] = "\x44\x00\x04more\x00\x08"
				    "nonsense";
	size_t n = 0, len = sizeof(piece) - 1;

	if (at < body->message.len) {
		n = body->message.len - (size_t)at;
		n = n < max ? n : max;
		memcpy(to, body->message.data + at, n);
		return (ssize_t)n;
	}
	while (n < max && n < ENDLESS_PIECE) {
		to[n] = piece[(at - body->message.len + n) % len];
		n++;
	}
	return (ssize_t)n;
}

/* libmicrohttpd closes when it next looks, which may be late: the other side sees the end now.
 * Connecting to nowhere sends RST. */
static void end_now(struct exchange *x)
{
	const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	const union MHD_ConnectionInfo *info;

	info = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info == NULL)
		return;
	if (x->fault.reset)
		(void)!connect(info->connect_fd, &nowhere, sizeof(nowhere));
	else
		shutdown(info->connect_fd, SHUT_WR);
}

static ssize_t on_body_read(void *data, uint64_t at, char *to, size_t max)
{
	struct body *body = data;
	const struct bytes *a = body->attachment;
	uint64_t message = body->message.len, total = message + attachment_length(a), n = max;

	if (body->endless)
		return read_endless(body, at, to, max);
	if (at >= body->limit) {
		end_now(body->exchange);
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	if (at >= total)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (at >= body->stall_at) {
		body->stall_at = UINT64_MAX;
		sleeper_start(&body->exchange->sleeper, body->exchange->connection,
		              clock_steady_us() + body->stall_ms * 1000);
		return 0;
	}
	if (n > body->limit - at)
		n = body->limit - at;
	if (at < body->stall_at && n > body->stall_at - at)
		n = body->stall_at - at;
	if (at < message) {
		n = n < message - at ? n : message - at;
		memcpy(to, body->message.data + at, (size_t)n);
		return (ssize_t)n;
	}
	n = n < total - at ? n : total - at;
	memcpy(to, a->buffer.data + a->offset + (at - message), (size_t)n);
	return (ssize_t)n;
}

enum MHD_Result deliver_cut(struct exchange *x)
{
	const union MHD_ConnectionInfo *info;
	struct linger hard = { .l_onoff = 1, .l_linger = 0 };

	info = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (x->fault.reset && info != NULL)
		setsockopt(info->connect_fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	return MHD_NO;
}

static enum MHD_Result deliver_half_headers(struct exchange *x)
{
	static const char half[] = "HTTP/1.1 200 OK\r\nContent-Type: applic";
	const union MHD_ConnectionInfo *info;

	if (x->peer->tls) {
		info = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
		if (info != NULL)
			(void)gnutls_record_send(info->tls_session, half, sizeof(half) - 1);
	} else {
		info = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		if (info != NULL)
			(void)!send(info->connect_fd, half, sizeof(half) - 1, MSG_NOSIGNAL);
	}
	return deliver_cut(x);
}

static void add_date(const struct exchange *x, struct MHD_Response *response)
{
	char date[40];

	if (!host_is_up(x->peer->host))
		return; /* libmicrohttpd does it */
	up_http_date(date);
	MHD_add_response_header(response, "Date", date);
}

enum MHD_Result deliver_http(struct exchange *x, unsigned int status, int retry_after)
{
	struct MHD_Response *response;
	enum MHD_Result rc;
	char *page = xprintf("<!DOCTYPE html><html><head><title>%u</title></head><body><h1>%u</h1>"
	                     "<p>This is a page, not IPP.</p></body></html>\n",
	                     status, status);

	response = MHD_create_response_from_buffer(strlen(page), page, MHD_RESPMEM_MUST_FREE);
	MHD_add_response_header(response, "Content-Type", "text/html");
	if (status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, "WWW-Authenticate",
		                        host_is_up(x->peer->host)
		                                ? "Bearer"
		                                : "Basic realm=\"Printing\", charset=\"UTF-8\"");
	if (x->fault.kind == FAULT_REDIRECT)
		MHD_add_response_header(response, "Location",
		                        x->fault.text ? x->fault.text : "https://localhost:1/");
	add_date(x, response);
	if (retry_after >= 0) {
		AUTO(free_str) char *seconds = xprintf("%d", retry_after);

		MHD_add_response_header(response, "Retry-After", seconds);
	}
	rc = MHD_queue_response(x->connection, status, response);
	MHD_destroy_response(response);
	return rc;
}

static void fill_garbage(struct buffer *b, int64_t len)
{
	uint32_t seed = 2463534242u;
	int64_t i;

	b->len = 0;
	for (i = 0; i < len; i++) {
		char c;

		seed ^= seed << 13;
		seed ^= seed >> 17;
		seed ^= seed << 5;
		c = (char)(seed & 0xff);
		buffer_add(b, &c, 1);
	}
}

static struct MHD_Response *make_response(struct exchange *x, struct body *body)
{
	const struct fault *f = &x->fault;
	uint64_t total = body->message.len + attachment_length(body->attachment);
	uint64_t size = total, bytes = f->bytes > 0 ? (uint64_t)f->bytes : 0;
	bool chunked = body->attachment != NULL && !x->printer->content_length;

	body->exchange = x;
	body->limit = UINT64_MAX;
	body->stall_at = UINT64_MAX;
	switch (f->kind) {
	case FAULT_CUT_IPP:
		body->limit = bytes < body->message.len ? bytes : body->message.len;
		break;
	case FAULT_CUT_DOCUMENT:
		body->limit = body->message.len + bytes;
		break;
	case FAULT_CUT_LAST_CHUNK:
		body->limit = total;
		chunked = true;
		break;
	case FAULT_LONGER_LENGTH:
		body->limit = total;
		size = total + (bytes ? bytes : 1);
		chunked = false;
		break;
	case FAULT_STALL_DOCUMENT:
		body->stall_at = body->message.len + bytes;
		body->stall_ms = f->delay_ms;
		break;
	case FAULT_ENDLESS:
		body->endless = true;
		chunked = true;
		if (body->message.len > 0)
			body->message.len--; /* without end-of-attributes */
		break;
	case FAULT_TRUNCATED:
		if (bytes < body->message.len)
			body->message.len = bytes;
		size = body->message.len;
		bytes_unref(body->attachment);
		body->attachment = NULL;
		chunked = false;
		break;
	case FAULT_GARBAGE:
		fill_garbage(&body->message, f->bytes > 0 ? f->bytes : 64);
		bytes_unref(body->attachment);
		body->attachment = NULL;
		size = body->message.len;
		chunked = false;
		break;
	case FAULT_NONE:
	case FAULT_IPP_STATUS:
	case FAULT_HTTP_STATUS:
	case FAULT_HTML:
	case FAULT_NEVER:
	case FAULT_CUT_BEFORE:
	case FAULT_CUT_HEADERS:
	case FAULT_CUT_AFTER:
	case FAULT_WRONG_FORMAT:
	case FAULT_REDIRECT:
	case FAULT_OAUTH_ERROR:
	case FAULT_WITHOUT:
	case FAULT_OTHER_KEY:
		break;
	}
	return MHD_create_response_from_callback(chunked ? MHD_SIZE_UNKNOWN : size, BLOCK_SIZE,
	                                         on_body_read, body, on_body_free);
}

static enum MHD_Result deliver_ipp(struct exchange *x)
{
	struct MHD_Response *response;
	struct buffer message = { 0 };
	enum MHD_Result rc;

	ipp_message_encode(x->answer, &message);
	if (x->attachment == NULL && x->fault.kind == FAULT_NONE) {
		response = MHD_create_response_from_buffer(message.len, message.data,
		                                           MHD_RESPMEM_MUST_FREE);
	} else {
		struct body *body = xcalloc(1, sizeof(*body));

		body->message = message;
		body->attachment = x->attachment;
		x->attachment = NULL;
		response = make_response(x, body);
	}
	MHD_add_response_header(response, "Content-Type", "application/ipp");
	MHD_add_response_header(response, "Cache-Control", "no-cache");
	add_date(x, response);
	rc = MHD_queue_response(x->connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return rc;
}

enum MHD_Result deliver_answer(struct exchange *x)
{
	switch (x->fault.kind) {
	case FAULT_HTTP_STATUS:
		return deliver_http(x, (unsigned int)x->fault.http, x->fault.retry_after);
	case FAULT_REDIRECT:
		return deliver_http(x, (unsigned int)x->fault.http, -1);
	case FAULT_HTML:
		return deliver_http(x, MHD_HTTP_OK, -1);
	case FAULT_CUT_BEFORE:
	case FAULT_CUT_AFTER:
	case FAULT_NEVER:
		return deliver_cut(x);
	case FAULT_CUT_HEADERS:
		return deliver_half_headers(x);
	case FAULT_NONE:
	case FAULT_IPP_STATUS:
	case FAULT_ENDLESS:
	case FAULT_TRUNCATED:
	case FAULT_GARBAGE:
	case FAULT_CUT_IPP:
	case FAULT_CUT_DOCUMENT:
	case FAULT_CUT_LAST_CHUNK:
	case FAULT_LONGER_LENGTH:
	case FAULT_WRONG_FORMAT:
	case FAULT_STALL_DOCUMENT:
	case FAULT_OAUTH_ERROR:
	case FAULT_WITHOUT:
	case FAULT_OTHER_KEY:
		return deliver_ipp(x);
	}
	return MHD_NO;
}
