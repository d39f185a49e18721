/* What an answer, or the lack of one, means: the one place where HTTP statuses and libcurl's codes
 * become kinds of errors. */
#include "connector/base/http_private.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/str.h"
#include "connector/base/crypto_issuer.h"

#define HEADER_BYTES    65536 /* of all answers of an exchange, interim ones too */
#define HEADER_LINES    256
#define RETRY_AFTER_MAX 3600

static void copy_value(char *out, size_t size, const char *value, size_t len)
{
	while (len && isspace((unsigned char)*value)) {
		value++;
		len--;
	}
	while (len && isspace((unsigned char)value[len - 1]))
		len--;
	(void)snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), value);
}

static void read_type(struct http_req *r, const char *value, size_t len)
{
	const char *end = memchr(value, ';', len);

	copy_value(r->reply_type, sizeof(r->reply_type), value, end ? (size_t)(end - value) : len);
	for (char *c = r->reply_type; *c; c++)
		*c = isgraph((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '?';
}

/* A new answer begins; what an interim one said is forgotten. */
static void read_status(struct http_exchange *x, const char *line, size_t len)
{
	struct http_req *r = x->req;
	const char *space = memchr(line, ' ', len);
	long status = 0;

	for (int i = 1; space && i <= 3 && space + i < line + len; i++)
		status = status * 10 + (isdigit((unsigned char)space[i]) ? space[i] - '0' : 0);
	r->status = status;
	r->reply_type[0] = '\0';
	r->server_time = 0;
	r->reply_framed = len > 5 && line[5] >= '2'; /* HTTP/2 always is */
	x->retry_after[0] = '\0';
	x->header_done = false;
	x->length = -1;
}

static void read_field(struct http_exchange *x, const char *line, size_t len)
{
	struct http_req *r = x->req;
	const char *colon = memchr(line, ':', len);
	size_t name, rest;
	char date[48];

	if (!colon)
		return;
	name = (size_t)(colon - line);
	rest = len - name - 1;
	if (name == 12 && strncasecmp(line, "content-type", name) == 0) {
		read_type(r, colon + 1, rest);
	} else if (name == 11 && strncasecmp(line, "retry-after", name) == 0) {
		copy_value(x->retry_after, sizeof(x->retry_after), colon + 1, rest);
	} else if (name == 4 && strncasecmp(line, "date", name) == 0) {
		time_t when;

		copy_value(date, sizeof(date), colon + 1, rest);
		when = curl_getdate(date, NULL);
		r->server_time = when > 0 ? (int64_t)when : 0;
	} else if (name == 14 && strncasecmp(line, "content-length", name) == 0) {
		x->length = strtoll(colon + 1, NULL, 10);
		r->reply_framed = true;
	} else if (name == 17 && strncasecmp(line, "transfer-encoding", name) == 0) {
		r->reply_framed = true;
	}
}

size_t http_on_header(char *line, size_t size, size_t count, void *data)
{
	struct http_exchange *x = data;
	size_t len = size * count;

	http_moved(x);
	if (x->canceled || x->failed)
		return 0;
	x->header_bytes += len;
	x->header_lines++;
	if (x->header_bytes > HEADER_BYTES || x->header_lines > HEADER_LINES) {
		http_fail(x, ERR_TEMPORARY, 0, "the answer's header is too long");
		return 0;
	}
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0)
		read_status(x, line, len);
	else if (len <= 2 && (*line == '\r' || *line == '\n'))
		x->header_done = x->req->status >= 200;
	else if (!x->header_done) /* a trailer says nothing to us */
		read_field(x, line, len);
	if (http_answer_is_early(x))
		http_note(x);
	return len;
}

bool http_answer_is_early(const struct http_exchange *x)
{
	const struct http_req *r = x->req;

	if (!x->send_paused || !x->header_done)
		return false;
	return r->status / 100 != 2 || (x->length >= 0 && r->received >= x->length);
}

static int retry_after(const struct http_exchange *x)
{
	int64_t seconds;
	char *end;

	if (!x->retry_after[0])
		return 0;
	seconds = strtoll(x->retry_after, &end, 10);
	if (*end || end == x->retry_after) {
		time_t when = curl_getdate(x->retry_after, NULL);
		int64_t now = x->req->server_time;

		if (when < 0)
			return 0;
		if (!now)
			now = x->http->clock->wall_ms(x->http->clock) / 1000;
		seconds = (int64_t)when - now;
	}
	if (seconds < 1)
		return 1;
	return seconds > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : (int)seconds;
}

void http_answer_name(const struct http_exchange *x, char *out, size_t size)
{
	const char *at = strstr(x->req->url, "://");
	const char *user;
	size_t len;

	if (x->req->peer->is.unix_socket) {
		(void)snprintf(out, size, "%s", x->req->peer->is.unix_socket);
		return;
	}
	at = at ? at + 3 : x->req->url;
	len = strcspn(at, "/?#");
	user = memrchr(at, '@', len);
	if (user) {
		len -= (size_t)(user + 1 - at);
		at = user + 1;
	}
	(void)snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), at);
}

static enum err_kind kind_of_status(long status)
{
	switch (status) {
	case 401:
	case 403:
	case 407:
		return ERR_DENIED;
	case 404:
	case 410:
		return ERR_GONE;
	case 408:
	case 413:
	case 425:
	case 429:
		return ERR_TEMPORARY;
	default:
		return status >= 500 && status <= 599 ? ERR_TEMPORARY : ERR_REJECTED;
	}
}

static const char *words_of_status(long status)
{
	switch (status) {
	case 401:
		return "does not accept our credentials";
	case 403:
		return "forbids this";
	case 404:
	case 410:
		return "does not know this address";
	case 407:
		return "cannot be reached: the proxy wants credentials";
	case 413:
		return "finds this too large";
	case 429:
		return "asks us to slow down";
	default:
		if (status >= 500)
			return "has a problem of its own";
		return status / 100 == 3 ? "answers with a redirect, which is never followed"
		                         : "refuses this request";
	}
}

static void judge_status(struct http_exchange *x, long status, const char *name)
{
	enum err_kind kind = kind_of_status(status);

	(void)err_set(&x->result, kind, (int)status, "%s %s (HTTP %ld)", name,
	              words_of_status(status), status);
	if (kind == ERR_TEMPORARY)
		x->result.retry_after_s = retry_after(x);
}

/* Did the other side say in a TLS alert that it does not like our certificate? */
static bool is_our_certificate(const char *text)
{
	return strstr(text, "alert") &&
	       (strstr(text, "certificate") || strstr(text, "unknown ca") ||
	        strstr(text, "access denied"));
}

static enum err_kind kind_of_code(const struct http_exchange *x, CURLcode code)
{
	/* by if, since libcurl's own list is long and grows */
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_PINNEDPUBKEYNOTMATCH ||
	    code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_CERTPROBLEM ||
	    code == CURLE_SSL_CACERT_BADFILE)
		return ERR_DENIED;
	if ((code == CURLE_SSL_CONNECT_ERROR || code == CURLE_RECV_ERROR ||
	     code == CURLE_SEND_ERROR) &&
	    is_our_certificate(x->error))
		return ERR_DENIED;
	if (code == CURLE_URL_MALFORMAT || (code == CURLE_UNSUPPORTED_PROTOCOL && !x->connected))
		return ERR_REJECTED;
	return ERR_TEMPORARY;
}

/* The request went out on a kept connection, which then ended without a byte of an answer. libcurl
 * may have tried to connect once more, and failed, before it asked whether the body can be had
 * again. */
static bool is_lost(const struct http_exchange *x, CURLcode code)
{
	curl_off_t sent = 0;
	long connects = 0;

	if (code == CURLE_SEND_FAIL_REWIND)
		return true;
	if ((x->req->once || x->taken > 0) && x->easy &&
	    curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &sent) == CURLE_OK &&
	    sent < x->most_up)
		return true;
	return x->req->once && x->easy && !x->header_bytes &&
	       (code == CURLE_GOT_NOTHING || code == CURLE_SEND_ERROR ||
	        code == CURLE_RECV_ERROR) &&
	       curl_easy_getinfo(x->easy, CURLINFO_NUM_CONNECTS, &connects) == CURLE_OK &&
	       connects == 0;
}

static void judge_code(struct http_exchange *x, CURLcode code, const char *name)
{
	const char *why = x->error[0] ? x->error : curl_easy_strerror(code);
	enum err_kind kind = kind_of_code(x, code);
	const char *issuer = x->issuer ? crypto_issuer_name(x->issuer) : "";

	long number = 0;

	if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
		why = "its key is not the one that was pinned";
	/* libcurl names a port that nobody meant and the milliseconds it took */
	if (code == CURLE_COULDNT_CONNECT && x->easy && !is_lost(x, code) &&
	    curl_easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &number) == CURLE_OK && number > 0) {
		(void)err_set(&x->result, kind, (int)code, "cannot connect to %s: %s", name,
		              strerrordesc_np((int)number));
		return;
	}
	if (is_lost(x, code))
		(void)err_set(&x->result, ERR_TEMPORARY, HTTP_LOST,
		              "%s: closed the connection before it answered", name);
	else if (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
	         code == CURLE_SSL_CONNECT_ERROR)
		(void)err_set(&x->result, kind, (int)code, "%s: %s%s", name,
		              kind == ERR_DENIED ? "our certificate was not accepted: " : "", why);
	else if (code == CURLE_PEER_FAILED_VERIFICATION && issuer[0])
		(void)err_set(&x->result, kind, (int)code, "%s: %s (issued by \"%s\")", name, why,
		              issuer);
	else
		(void)err_set(&x->result, kind, (int)code, "%s: %s", name, why);
	for (char *c = x->result.text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
}

bool http_is_untrusted(const struct err *err)
{
	return err->kind == ERR_DENIED && (err->code == CURLE_PEER_FAILED_VERIFICATION ||
	                                   err->code == CURLE_SSL_PINNEDPUBKEYNOTMATCH);
}

/* A connection that was closed during the handshake says nothing about TLS. */
static bool was_closed(const char *text)
{
	return strstr(text, "eof") || strstr(text, "EOF") || strstr(text, "SYSCALL") ||
	       strstr(text, "reset by peer");
}

static enum http_stage stage_of(const struct http_exchange *x, CURLcode code, long proxy_status)
{
	if (x->failed)
		return x->connected ? HTTP_STAGE_ANSWER : HTTP_STAGE_CONNECT;
	if (code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_PROXY || proxy_status >= 300)
		return HTTP_STAGE_PROXY;
	if (code == CURLE_COULDNT_RESOLVE_HOST)
		return HTTP_STAGE_NAME;
	if (code == CURLE_COULDNT_CONNECT)
		return HTTP_STAGE_CONNECT;
	if (code == CURLE_OPERATION_TIMEDOUT && !x->connected)
		return HTTP_STAGE_CONNECT;
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_PINNEDPUBKEYNOTMATCH ||
	    code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_CERTPROBLEM ||
	    code == CURLE_SSL_CACERT_BADFILE ||
	    (code == CURLE_SSL_CONNECT_ERROR && !was_closed(x->error)))
		return HTTP_STAGE_TLS;
	return HTTP_STAGE_ANSWER;
}

void http_answer_judge(struct http_exchange *x, CURLcode code)
{
	struct http_req *r = x->req;
	long proxy_status = 0;
	char name[96];

	http_answer_name(x, name, sizeof(name));
	if (code != CURLE_OK && x->easy)
		(void)curl_easy_getinfo(x->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	r->stage = stage_of(x, code, proxy_status);
	if (x->issuer) {
		r->dates = crypto_issuer_dates(x->issuer);
		(void)str_copy(r->server_key, sizeof(r->server_key), crypto_issuer_key(x->issuer));
	}
	if (x->failed) {
		x->result = x->fail;
		return;
	}
	if (proxy_status >= 300)
		judge_status(x, proxy_status, name);
	else if (x->header_done && r->status / 100 != 2)
		judge_status(x, r->status, name);
	else if (code != CURLE_OK && x->last_word >= 400)
		judge_status(x, x->last_word, name);
	else if (code != CURLE_OK)
		judge_code(x, code, name);
	else if (!x->header_done) /* libcurl 7.88 finds a header without an end good enough */
		(void)err_set(&x->result, ERR_TEMPORARY, CURLE_GOT_NOTHING,
		              "%s: closed the connection in the middle of its answer", name);
	else
		err_clear(&x->result);
}
