/* Every option of an easy handle is set here; nothing is left from its last use. */
#include "connector/base/http_private.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "connector/base/crypto_issuer.h"
#include "connector/base/stream.h"

#define CONNECT_MS     10000L
#define IDLE_REUSE_S   10L /* servers close idle connections; ippserver after 30 s, cupsd sooner */
#define CA_CACHE_S     3600L
#define OWN_CA_CACHE_S 60L

#define SET(x, option, value)                                                                      \
	do {                                                                                       \
		if (curl_easy_setopt((x)->easy, option, value) != CURLE_OK)                        \
			return -1;                                                                 \
	} while (0)

static int on_sockopt(void *data, curl_socket_t fd, curlsocktype purpose)
{
	struct http_exchange *x = data;

	(void)fd;
	(void)purpose;
	x->http->stats.connections++;
	return CURL_SOCKOPT_OK;
}

/* The connection stands, the request is about to go out. */
static int on_connected(void *data, char *peer_ip, char *local_ip, int peer_port, int local_port)
{
	struct http_exchange *x = data;

	(void)peer_ip;
	(void)local_ip;
	(void)peer_port;
	(void)local_port;
	x->connected = true;
	http_moved(x);
	http_watch_time(x);
	return CURL_PREREQFUNC_OK;
}

static int on_progress(void *data, curl_off_t total_down, curl_off_t down, curl_off_t total_up,
                       curl_off_t up)
{
	struct http_exchange *x = data;

	(void)total_down;
	(void)total_up;
	if (down != x->down || up != x->up)
		http_moved(x);
	x->down = down;
	x->up = up;
	if (up > x->most_up)
		x->most_up = up;
	return 0;
}

static int set_connection(struct http_exchange *x)
{
	const struct http_peer_settings *is = &x->peer->is;

	SET(x, CURLOPT_URL, x->req->url);
	SET(x, CURLOPT_NOSIGNAL, 1L);
	SET(x, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(x, CURLOPT_FOLLOWLOCATION, 0L);
	SET(x, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	/* a name server that never answers must not keep the loop at the end of the transfer */
	SET(x, CURLOPT_QUICK_EXIT, 1L);
	SET(x, CURLOPT_MAXAGE_CONN, IDLE_REUSE_S);
	SET(x, CURLOPT_TCP_NODELAY, 1L);
	SET(x, CURLOPT_TCP_KEEPALIVE, 1L);
	SET(x, CURLOPT_TCP_KEEPIDLE, 60L);
	SET(x, CURLOPT_TCP_KEEPINTVL, 30L);
	SET(x, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	/* CURLOPT_BUFFERSIZE is 16 KiB by itself; a handle that failed before it connected keeps
	 * its buffer and refuses even the same size */
	SET(x, CURLOPT_UPLOAD_BUFFERSIZE, x->req->body ? 65536L : 16384L);
	SET(x, CURLOPT_SOCKOPTFUNCTION, on_sockopt);
	SET(x, CURLOPT_SOCKOPTDATA, x);
	SET(x, CURLOPT_CLOSESOCKETFUNCTION, http_socket_on_close);
	SET(x, CURLOPT_CLOSESOCKETDATA, x->http);
	if (is->unix_socket)
		SET(x, CURLOPT_UNIX_SOCKET_PATH, is->unix_socket);
	if (is->unix_socket || is->proxy)
		SET(x, CURLOPT_PROXY, is->unix_socket ? "" : is->proxy);
	return 0;
}

static CURLcode on_tls_context(CURL *easy, void *ssl_ctx, void *data)
{
	struct http_exchange *x = data;

	(void)easy;
	crypto_issuer_watch(x->issuer, ssl_ctx);
	return CURLE_OK;
}

static int set_tls(struct http_exchange *x)
{
	const struct http_peer_settings *is = &x->peer->is;
	bool may_share = is->http2 && !x->req->http1;

	SET(x, CURLOPT_HTTP_VERSION,
	    may_share ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
	/* wait for a connection that can be shared rather than open one more */
	SET(x, CURLOPT_PIPEWAIT, may_share ? 1L : 0L);
	/* TLS 1.3 is the newest either way. Naming it is a difference in the settings, and libcurl
	 * reuses connections among equal settings only: so HTTP/1.1 exchanges never end up on a
	 * connection that has negotiated HTTP/2. */
	SET(x, CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_2 | (may_share ? (long)CURL_SSLVERSION_MAX_DEFAULT
	                                               : (long)CURL_SSLVERSION_MAX_TLSv1_3));
	/* libcurl shares the parsed store among connections only when it is one file */
	SET(x, CURLOPT_CAPATH, NULL);
	SET(x, CURLOPT_CA_CACHE_TIMEOUT, is->ca_file ? OWN_CA_CACHE_S : CA_CACHE_S);
	if (is->ca_file)
		SET(x, CURLOPT_CAINFO, is->ca_file);
	if (is->pinned_key) {
		SET(x, CURLOPT_PINNEDPUBLICKEY, is->pinned_key);
		SET(x, CURLOPT_SSL_VERIFYPEER, 0L);
		SET(x, CURLOPT_SSL_VERIFYHOST, 0L);
	} else {
		SET(x, CURLOPT_SSL_VERIFYPEER, 1L);
		SET(x, CURLOPT_SSL_VERIFYHOST, 2L);
		SET(x, CURLOPT_SSL_CTX_FUNCTION, on_tls_context);
		SET(x, CURLOPT_SSL_CTX_DATA, x);
		x->issuer = crypto_issuer_new();
	}
	if (is->certificate_file)
		SET(x, CURLOPT_SSLCERT, is->certificate_file);
	if (is->key_file)
		SET(x, CURLOPT_SSLKEY, is->key_file);
	return 0;
}

static int add_header(struct http_exchange *x, const char *line)
{
	struct curl_slist *longer = curl_slist_append(x->headers, line);

	if (!longer)
		return -1;
	x->headers = longer;
	return 0;
}

/* Of its final size from the start: text that grows leaves pieces of itself behind. */
static char *bearer_line(const char *token)
{
	static const char name[] = "Authorization: Bearer ";
	size_t size = sizeof(name) + strlen(token);
	char *line = xmalloc(size);

	(void)snprintf(line, size, "%s%s", name, token);
	return line;
}

static int set_headers(struct http_exchange *x)
{
	const struct http_peer_settings *is = &x->peer->is;
	struct http_req *r = x->req;
	AUTO(wipe_str) char *bearer = NULL;
	AUTO(free_str) char *type = NULL;

	/* with an Expect header each upload to a server that ignores it waits for a second */
	if (add_header(x, "Expect:") < 0)
		return -1;
	if (!r->get) {
		type = r->content_type ? xasprintf("Content-Type: %s", r->content_type)
		                       : xstrdup("Content-Type:");
		if (add_header(x, type) < 0)
			return -1;
	}
	if (r->bearer) {
		bearer = bearer_line(r->bearer);
		if (add_header(x, bearer) < 0)
			return -1;
	} else if (is->username) {
		/* basic alone is sent at once, without asking what the server would like */
		SET(x, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		SET(x, CURLOPT_USERNAME, is->username);
		SET(x, CURLOPT_PASSWORD, is->password ? is->password : "");
	}
	SET(x, CURLOPT_HTTPHEADER, x->headers);
	SET(x, CURLOPT_USERAGENT, "print-connector/" VERSION);
	return 0;
}

static int set_body(struct http_exchange *x)
{
	struct http_req *r = x->req;

	if (r->get) {
		SET(x, CURLOPT_HTTPGET, 1L);
		return 0;
	}
	SET(x, CURLOPT_POST, 1L);
	if (!r->body && !r->once) { /* libcurl may take it from the beginning again */
		SET(x, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->head_len);
		SET(x, CURLOPT_POSTFIELDS, r->head_len ? r->head : "");
		return 0;
	}
	SET(x, CURLOPT_POSTFIELDSIZE_LARGE,
	    r->body && r->body_len < 0 ? (curl_off_t)-1
	                               : (curl_off_t)r->head_len + (r->body ? r->body_len : 0));
	SET(x, CURLOPT_READFUNCTION, http_on_read);
	SET(x, CURLOPT_READDATA, x);
	SET(x, CURLOPT_SEEKFUNCTION, http_on_seek);
	SET(x, CURLOPT_SEEKDATA, x);
	return 0;
}

static int set_callbacks(struct http_exchange *x)
{
	SET(x, CURLOPT_PRIVATE, x);
	SET(x, CURLOPT_ERRORBUFFER, x->error);
	SET(x, CURLOPT_WRITEFUNCTION, http_on_write);
	SET(x, CURLOPT_WRITEDATA, x);
	SET(x, CURLOPT_HEADERFUNCTION, http_on_header);
	SET(x, CURLOPT_HEADERDATA, x);
	SET(x, CURLOPT_NOPROGRESS, 0L);
	SET(x, CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(x, CURLOPT_XFERINFODATA, x);
	SET(x, CURLOPT_PREREQFUNCTION, on_connected);
	SET(x, CURLOPT_PREREQDATA, x);
	return 0;
}

int http_setup(struct http_exchange *x, struct err *err)
{
	if (set_connection(x) < 0 || set_tls(x) < 0 || set_headers(x) < 0 || set_body(x) < 0 ||
	    set_callbacks(x) < 0)
		return err_set(err, ERR_TEMPORARY, 0, "libcurl does not take the settings of %s",
		               x->req->url);
	return 0;
}

void http_setup_clear(struct http_exchange *x)
{
	for (struct curl_slist *s = x->headers; s; s = s->next)
		wipe(s->data, strlen(s->data));
	curl_slist_free_all(x->headers);
	x->headers = NULL;
	crypto_issuer_free(TAKE(x->issuer));
}
