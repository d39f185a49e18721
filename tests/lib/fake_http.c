#include "tests/lib/fake_http.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include <openssl/ssl.h>
#include <uv.h>

#include "common/util.h"
#include "connector/base/clock.h"
#include "connector/base/loop.h"

#define BLOCK 16384

static const char hello[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
			    "Content-Length: 5\r\n\r\nhello";

struct conn {
	struct fake_http *server;
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	struct timer timer;
	SSL *ssl;
	BIO *in, *out;
	unsigned requests;
	/* the request that comes */
	char header[4096];
	size_t header_len;
	bool header_done, chunked, answering, closing;
	uint64_t left;   /* of a body with a length, or of a chunk */
	int chunk_phase; /* 0 size, 1 data, 2 CRLF, 3 end */
	char chunk_line[32];
	size_t chunk_line_len;
	/* the answer that goes */
	struct fake_script script;
	uint64_t sent;
	unsigned writing;
	TAILQ_ENTRY(conn) link;
};

struct fake_http {
	struct loop *loop;
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	char unix_path[108];
	int port;
	SSL_CTX *tls;
	struct fake_script script;
	struct fake_seen seen;
	bool closing, listening;
	TAILQ_HEAD(, conn) conns;
};

struct write_req {
	uv_write_t uv;
	struct conn *conn;
	char bytes[];
};

uint64_t fake_sum(uint64_t sum, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		sum = sum * 1099511628211u + p[i] + 1;
	return sum;
}

void fake_pattern(uint64_t offset, void *out, size_t len)
{
	unsigned char *p = out;

	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)((offset + i) * 2654435761u >> 16);
}

static void free_server_if_last(struct fake_http *f)
{
	if (!f->closing || f->listening || !TAILQ_EMPTY(&f->conns))
		return;
	SSL_CTX_free(f->tls);
	free(f);
}

static void on_conn_closed(uv_handle_t *handle)
{
	struct conn *c = handle->data;
	struct fake_http *f = c->server;

	TAILQ_REMOVE(&f->conns, c, link);
	f->seen.open--;
	SSL_free(c->ssl);
	free(c);
	free_server_if_last(f);
}

static void conn_close(struct conn *c, bool reset)
{
	if (c->closing)
		return;
	c->closing = true;
	timer_stop(&c->timer);
	if (!reset || c->uv.handle.type != UV_TCP ||
	    uv_tcp_close_reset(&c->uv.tcp, on_conn_closed) < 0)
		uv_close(&c->uv.handle, on_conn_closed);
}

static void go_on(struct conn *c);

static void on_written(uv_write_t *uv, int status)
{
	struct write_req *w = (struct write_req *)(void *)uv;
	struct conn *c = w->conn;

	free(w);
	c->writing--;
	if (status < 0)
		conn_close(c, false);
	else if (c->answering)
		go_on(c);
}

static void write_raw(struct conn *c, const void *data, size_t len)
{
	struct write_req *w = xmalloc(sizeof(*w) + len);
	uv_buf_t buf = uv_buf_init(w->bytes, (unsigned)len);

	memcpy(w->bytes, data, len);
	w->conn = c;
	c->writing++;
	if (uv_write(&w->uv, &c->uv.stream, &buf, 1, on_written) < 0) {
		free(w);
		c->writing--;
		conn_close(c, false);
	}
}

static void flush_tls(struct conn *c)
{
	char out[BLOCK];
	int n;

	while ((n = BIO_read(c->out, out, sizeof(out))) > 0)
		write_raw(c, out, (size_t)n);
}

static void write_bytes(struct conn *c, const void *data, size_t len)
{
	c->sent += len;
	c->server->seen.answered += len;
	if (!c->ssl) {
		write_raw(c, data, len);
		return;
	}
	(void)SSL_write(c->ssl, data, (int)len);
	flush_tls(c);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void on_drip(struct timer *t)
{
	go_on(t->data);
}

static void next_request(struct conn *c)
{
	c->header_len = 0;
	c->header_done = false;
	c->answering = false;
	c->chunk_phase = 0;
	c->chunk_line_len = 0;
	c->sent = 0;
}

/* The next piece of the answer; called again when it is written. */
static void go_on(struct conn *c)
{
	const struct fake_script *s = &c->script;
	const char *text = s->answer ? s->answer : hello;
	uint64_t len = s->answer_len ? s->answer_len : strlen(text);
	uint64_t end = len + s->big, piece;
	char block[BLOCK];

	if (c->closing || c->writing || c->timer.armed)
		return;
	if (s->cut_at > 0 && end > (uint64_t)s->cut_at - 1)
		end = (uint64_t)s->cut_at - 1;
	if (c->sent < end && c->sent < len) {
		piece = (end < len ? end : len) - c->sent;
		if (piece > BLOCK)
			piece = BLOCK;
		if (s->drip)
			piece = 1;
		write_bytes(c, text + c->sent, (size_t)piece);
		if (s->drip)
			timer_start(&c->timer, 15);
		return;
	}
	if (c->sent < end) {
		piece = end - c->sent > BLOCK ? BLOCK : end - c->sent;
		fake_pattern(c->sent - len, block, (size_t)piece);
		write_bytes(c, block, (size_t)piece);
		return;
	}
	if (s->cut_at > 0) {
		conn_close(c, s->reset);
	} else if (s->endless) {
		memset(block, 0, sizeof(block));
		if (s->filler)
			write_bytes(c, s->filler, strlen(s->filler));
		else
			write_bytes(c, block, sizeof(block));
	} else if (s->close) {
		conn_close(c, s->reset);
	} else if (!s->early) {
		next_request(c);
	}
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct fake_http *f = handle->data;

	f->listening = false;
	free_server_if_last(f);
}

static void stop_listening(struct fake_http *f)
{
	if (!uv_is_closing(&f->uv.handle))
		uv_close(&f->uv.handle, on_listener_closed);
}

static void start_answer(struct conn *c)
{
	if (c->answering || c->script.silent)
		return;
	c->answering = true;
	if (!c->script.close_on_reuse || c->requests < c->script.close_on_reuse) {
		go_on(c);
		return;
	}
	if (c->script.gone)
		stop_listening(c->server);
	conn_close(c, false);
}

static void whole_request(struct conn *c)
{
	c->server->seen.requests++;
	c->requests++;
	start_answer(c);
}

/* ---- the request ----------------------------------------------------------------------------- */

static void header_is_there(struct conn *c)
{
	struct fake_seen *seen = &c->server->seen;
	const char *len = strcasestr(c->header, "\r\ncontent-length:");

	c->header_done = true;
	c->script = c->server->script;
	c->chunked = strcasestr(c->header, "\r\ntransfer-encoding: chunked") != NULL;
	c->left = len ? strtoull(len + 17, NULL, 10) : 0;
	memcpy(seen->header, c->header, sizeof(seen->header));
	seen->body_len = 0;
	seen->body_sum = 0;
	seen->chunked = c->chunked;
	if (c->script.deaf)
		(void)uv_read_stop(&c->uv.stream);
	if (c->script.early)
		start_answer(c);
	if (!c->chunked && c->left == 0)
		whole_request(c);
}

static void saw_body(struct conn *c, const char *data, size_t len)
{
	struct fake_seen *seen = &c->server->seen;

	seen->body_len += len;
	seen->body_sum = fake_sum(seen->body_sum, data, len);
}

static void on_chunk_line(struct conn *c)
{
	c->chunk_line[c->chunk_line_len] = '\0';
	c->chunk_line_len = 0;
	if (c->chunk_phase == 0) {
		c->left = strtoull(c->chunk_line, NULL, 16);
		c->chunk_phase = c->left ? 1 : 3;
	} else if (c->chunk_phase == 2) {
		c->chunk_phase = 0;
	} else {
		whole_request(c);
	}
}

static size_t eat_body(struct conn *c, const char *data, size_t len)
{
	bool counted = !c->chunked || c->chunk_phase == 1;

	if (counted) {
		size_t n = c->left < len ? (size_t)c->left : len;

		saw_body(c, data, n);
		c->left -= n;
		if (c->left == 0 && c->chunked)
			c->chunk_phase = 2;
		else if (c->left == 0)
			whole_request(c);
		return n;
	}
	if (*data == '\n')
		on_chunk_line(c);
	else if (*data != '\r' && c->chunk_line_len < sizeof(c->chunk_line) - 1)
		c->chunk_line[c->chunk_line_len++] = *data;
	return 1;
}

static void eat(struct conn *c, const char *data, size_t len)
{
	while (len && !c->closing) {
		size_t n = 1;

		if (!c->header_done) {
			assert(c->header_len < sizeof(c->header) - 1);
			c->header[c->header_len++] = *data;
			c->header[c->header_len] = '\0';
			if (c->header_len >= 4 &&
			    memcmp(c->header + c->header_len - 4, "\r\n\r\n", 4) == 0)
				header_is_there(c);
		} else if (c->chunked || c->left) {
			n = eat_body(c, data, len);
		} else {
			return; /* pipelining is not for us */
		}
		data += n;
		len -= n;
	}
}

static void eat_tls(struct conn *c, const char *data, size_t len)
{
	char plain[BLOCK];
	int n = 0;

	(void)BIO_write(c->in, data, (int)len);
	if (!SSL_is_init_finished(c->ssl)) {
		n = SSL_do_handshake(c->ssl);
		flush_tls(c);
		if (n <= 0 && SSL_get_error(c->ssl, n) != SSL_ERROR_WANT_READ) {
			conn_close(c, false);
			return;
		}
	}
	while (!c->closing && (n = SSL_read(c->ssl, plain, sizeof(plain))) > 0)
		eat(c, plain, (size_t)n);
	if (!c->closing && n < 0 && SSL_get_error(c->ssl, n) == SSL_ERROR_SSL) {
		flush_tls(c); /* the alert */
		conn_close(c, false);
	} else if (!c->closing) {
		flush_tls(c);
	}
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	static char room[BLOCK];

	(void)handle;
	(void)suggested;
	*buf = uv_buf_init(room, sizeof(room));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = stream->data;

	if (n < 0)
		conn_close(c, false);
	else if (n > 0 && c->ssl)
		eat_tls(c, buf->base, (size_t)n);
	else if (n > 0)
		eat(c, buf->base, (size_t)n);
}

/* ---- the server ------------------------------------------------------------------------------ */

static void on_connection(uv_stream_t *listener, int status)
{
	struct fake_http *f = listener->data;
	struct conn *c = xcalloc(1, sizeof(*c));

	assert(status == 0);
	c->server = f;
	timer_init(&c->timer, loop_clock(f->loop), on_drip, c);
	if (f->unix_path[0])
		(void)uv_pipe_init(loop_uv(f->loop), &c->uv.pipe, 0);
	else
		(void)uv_tcp_init(loop_uv(f->loop), &c->uv.tcp);
	c->uv.handle.data = c;
	if (f->tls) {
		c->ssl = SSL_new(f->tls);
		c->in = BIO_new(BIO_s_mem());
		c->out = BIO_new(BIO_s_mem());
		SSL_set_bio(c->ssl, c->in, c->out);
		SSL_set_accept_state(c->ssl);
	}
	TAILQ_INSERT_TAIL(&f->conns, c, link);
	f->seen.connections++;
	f->seen.open++;
	if (uv_accept(listener, &c->uv.stream) < 0)
		conn_close(c, false);
	else
		(void)uv_read_start(&c->uv.stream, on_alloc, on_read);
}

static SSL_CTX *tls_new(const struct fake_http_settings *s)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	int ok = SSL_CTX_use_certificate_chain_file(tls, s->certificate_file) == 1 &&
	         SSL_CTX_use_PrivateKey_file(tls, s->key_file, SSL_FILETYPE_PEM) == 1;

	if (s->client_ca) {
		ok = ok && SSL_CTX_load_verify_locations(tls, s->client_ca, NULL) == 1;
		SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	if (s->max_tls) {
		SSL_CTX_set_security_level(tls, 0);
		(void)SSL_CTX_set_min_proto_version(tls, 0);
		(void)SSL_CTX_set_max_proto_version(tls, s->max_tls);
	}
	assert(ok);
	return tls;
}

static void listen_on(struct fake_http *f)
{
	struct sockaddr_in in;
	int len = sizeof(in), rc;

	if (f->unix_path[0]) {
		(void)uv_pipe_init(loop_uv(f->loop), &f->uv.pipe, 0);
		rc = uv_pipe_bind(&f->uv.pipe, f->unix_path);
	} else {
		(void)uv_tcp_init(loop_uv(f->loop), &f->uv.tcp);
		(void)uv_ip4_addr("127.0.0.1", 0, &in);
		rc = uv_tcp_bind(&f->uv.tcp, (struct sockaddr *)&in, 0);
		if (rc == 0)
			rc = uv_tcp_getsockname(&f->uv.tcp, (struct sockaddr *)&in, &len);
		f->port = ntohs(in.sin_port);
	}
	assert(rc == 0);
	f->uv.handle.data = f;
	rc = uv_listen(&f->uv.stream, 64, on_connection);
	assert(rc == 0);
	f->listening = true;
}

struct fake_http *fake_http_open(struct loop *loop, const struct fake_http_settings *settings)
{
	struct fake_http *f = xcalloc(1, sizeof(*f));

	f->loop = loop;
	TAILQ_INIT(&f->conns);
	if (settings && settings->unix_path)
		(void)snprintf(f->unix_path, sizeof(f->unix_path), "%s", settings->unix_path);
	if (settings && settings->certificate_file)
		f->tls = tls_new(settings);
	listen_on(f);
	return f;
}

void fake_http_close(struct fake_http *f)
{
	struct conn *c, *next;

	f->closing = true;
	for (c = TAILQ_FIRST(&f->conns); c; c = next) {
		next = TAILQ_NEXT(c, link);
		conn_close(c, false);
	}
	stop_listening(f);
	free_server_if_last(f);
}

const char *fake_http_url(struct fake_http *f, const char *path)
{
	static char urls[4][256];
	static unsigned next;
	char *url = urls[next++ % 4];

	if (f->unix_path[0])
		(void)snprintf(url, sizeof(urls[0]), "http://localhost%s", path);
	else
		(void)snprintf(url, sizeof(urls[0]), "%s://127.0.0.1:%d%s",
		               f->tls ? "https" : "http", f->port, path);
	return url;
}

struct fake_script *fake_http_script(struct fake_http *f)
{
	return &f->script;
}

const struct fake_seen *fake_http_seen(const struct fake_http *f)
{
	return &f->seen;
}
