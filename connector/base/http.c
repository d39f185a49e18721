#include "connector/base/http.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fs.h"
#include "common/util.h"
#include "connector/base/http_private.h"
#include "connector/base/loop.h"
#include "connector/base/secret.h"
#include "connector/base/stream.h"

void http_fail(struct http_exchange *x, enum err_kind kind, int code, const char *fmt, ...)
{
	char text[128], name[64];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	http_answer_name(x, name, sizeof(name));
	x->failed = true;
	(void)err_set(&x->fail, kind, code, "%s: %s", name, text);
}

void http_note(struct http_exchange *x)
{
	struct http *h = x->http;

	if (x->noted || x->phase == HTTP_FINISHED)
		return;
	x->noted = true;
	TAILQ_INSERT_TAIL(&h->notes, x, note_link);
	if (!h->drain_timer.armed)
		timer_start(&h->drain_timer, 0);
}

/* ---- time ------------------------------------------------------------------------------------ */

static int64_t now_ms(struct http *h)
{
	return h->clock->now_ms(h->clock);
}

static bool is_idle_watched(const struct http_exchange *x)
{
	return x->req->idle_ms > 0 && x->connected && !x->recv_paused && !x->send_paused;
}

void http_moved(struct http_exchange *x)
{
	if (x->req->idle_ms > 0)
		x->moved = now_ms(x->http);
}

void http_watch_time(struct http_exchange *x)
{
	int64_t next = x->deadline ? x->deadline : INT64_MAX;

	if (is_idle_watched(x) && x->moved + x->req->idle_ms < next)
		next = x->moved + x->req->idle_ms;
	if (next != INT64_MAX)
		timer_start(&x->timer, next - now_ms(x->http));
	else
		timer_stop(&x->timer);
}

/* ---- the end of an exchange ------------------------------------------------------------------ */

/* A handle keeps its buffers, with what went through them. */
static void put_easy(struct http *h, CURL *easy, bool secret)
{
	if (secret || h->spares == HTTP_SPARES) {
		curl_easy_cleanup(easy);
		return;
	}
	curl_easy_reset(easy);
	h->spare[h->spares++] = easy;
}

static void take_counts(struct http_exchange *x)
{
	struct http_req *r = x->req;
	curl_off_t sent = 0;
	long connects = 0;

	(void)curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	(void)curl_easy_getinfo(x->easy, CURLINFO_NUM_CONNECTS, &connects);
	x->peer->connections += connects > 0 ? (unsigned)connects : 0;
	/* it counts anew for each connection, and the chunks' frames as well */
	r->sent = sent > x->most_up ? sent : x->most_up;
	if (x->unrepeatable || (r->body && r->sent > (int64_t)r->head_len + x->taken))
		r->sent = (int64_t)r->head_len + x->taken;
}

static void start_waiting(struct http_peer *p);

/* Out of libcurl and out of its peer's places; done() follows in deliver(). Never inside libcurl.
 */
static void finish(struct http_exchange *x)
{
	struct http *h = x->http;
	struct http_peer *p = x->peer;

	timer_stop(&x->timer);
	if (x->noted)
		TAILQ_REMOVE(&h->notes, x, note_link);
	x->noted = false;
	if (x->phase == HTTP_WAITING) {
		TAILQ_REMOVE(&p->waiting, x, place);
		h->stats.waiting--;
	}
	if (x->easy) {
		take_counts(x);
		(void)curl_multi_remove_handle(h->multi, x->easy);
		put_easy(h, TAKE(x->easy), x->req->secret || x->req->bearer);
		p->active--;
		h->stats.active--;
	}
	http_setup_clear(x);
	x->phase = HTTP_FINISHED;
	x->peer = NULL;
	TAILQ_INSERT_TAIL(&h->finished, x, place);
	http_body_settle(x);
	start_waiting(p);
}

static void finish_with(struct http_exchange *x, enum err_kind kind, int code, const char *text)
{
	char name[96];

	http_answer_name(x, name, sizeof(name));
	(void)err_set(&x->result, kind, code, "%s: %s", name, text);
	finish(x);
}

static void on_exchange_timer(struct timer *t)
{
	struct http_exchange *x = t->data;
	struct http *h = x->http;
	int64_t now = now_ms(h);

	if (x->deadline && now >= x->deadline)
		finish_with(x, ERR_TEMPORARY, CURLE_OPERATION_TIMEDOUT,
		            x->connected ? "did not answer in time"
		                         : "could not be reached in time");
	else if (is_idle_watched(x) && now >= x->moved + x->req->idle_ms)
		finish_with(x, ERR_TEMPORARY, CURLE_OPERATION_TIMEDOUT,
		            "stopped in the middle of the transfer");
	else
		http_watch_time(x);
	http_drain(h);
}

/* ---- the beginning --------------------------------------------------------------------------- */

static void on_body_data(void *data)
{
	struct http_exchange *x = data;

	x->unpause_send = true;
	http_note(x);
}

static int activate(struct http_exchange *x, struct err *err)
{
	struct http *h = x->http;
	CURL *easy = h->spares ? h->spare[--h->spares] : curl_easy_init();
	CURLMcode code;

	if (!easy)
		return err_set(err, ERR_TEMPORARY, 0, "no memory for another exchange");
	x->easy = easy;
	if (http_setup(x, err) < 0)
		goto fail;
	code = curl_multi_add_handle(h->multi, easy);
	if (code != CURLM_OK) {
		(void)err_set(err, ERR_TEMPORARY, code, "%s: %s", x->req->url,
		              curl_multi_strerror(code));
		goto fail;
	}
	x->phase = HTTP_RUNNING;
	x->peer->active++;
	h->stats.active++;
	if (x->req->body)
		stream_on_data(x->req->body, on_body_data, x);
	return 0;
fail:
	x->easy = NULL;
	put_easy(h, easy, true);
	http_setup_clear(x);
	return -1;
}

static bool has_place(const struct http_peer *p)
{
	return !p->is.max_active || p->active < p->is.max_active;
}

static void start_waiting(struct http_peer *p)
{
	struct http_exchange *x;

	while (!p->http->closing && has_place(p) && (x = TAILQ_FIRST(&p->waiting))) {
		TAILQ_REMOVE(&p->waiting, x, place);
		p->http->stats.waiting--;
		if (activate(x, &x->result) < 0) {
			x->phase = HTTP_RUNNING; /* not waiting any more */
			finish(x);
		}
	}
}

static int check(const struct http_req *r, struct err *err)
{
	for (const char *c = r->bearer; c && *c; c++)
		if (!isgraph((unsigned char)*c))
			return err_set(err, ERR_REJECTED, 0,
			               "the token has a character that cannot be sent");
	return 0;
}

int http_start(struct http *h, struct http_req *r, struct err *err)
{
	struct http_exchange *x;

	assert(r->peer && r->url && r->done && !r->private);
	if (h->closing)
		return err_set(err, ERR_CANCELED, 0, "the connector is stopping");
	if (check(r, err) < 0)
		return -1;
	r->status = 0;
	r->reply_type[0] = '\0';
	r->server_key[0] = '\0';
	r->reply_framed = false;
	r->server_time = 0;
	r->sent = 0;
	r->received = 0;
	x = xcalloc(1, sizeof(*x));
	x->http = h;
	x->peer = r->peer;
	x->req = r;
	timer_init(&x->timer, h->clock, on_exchange_timer, x);
	if (has_place(r->peer) && TAILQ_EMPTY(&r->peer->waiting)) {
		if (activate(x, err) < 0) {
			free(x);
			return -1;
		}
	} else {
		x->phase = HTTP_WAITING;
		TAILQ_INSERT_TAIL(&r->peer->waiting, x, place);
		h->stats.waiting++;
	}
	r->private = x;
	TAILQ_INSERT_TAIL(&h->all, x, link);
	h->stats.requests++;
	x->deadline = r->timeout_ms > 0 ? now_ms(h) + r->timeout_ms : 0;
	http_watch_time(x);
	return 0;
}

void http_cancel(struct http_req *r)
{
	struct http_exchange *x = r->private;

	if (!x)
		return;
	x->canceled = true;
	http_note(x);
}

void http_unpause(struct http_req *r)
{
	struct http_exchange *x = r->private;

	if (!x)
		return;
	x->unpause_recv = true;
	http_note(x);
}

/* ---- what was noted, what has ended ---------------------------------------------------------- */

/* Lets the paused sides go on that may. Can call take() and the stream from inside. */
static void unpause(struct http_exchange *x)
{
	bool recv = x->recv_paused && x->unpause_recv;
	bool send = x->send_paused && x->unpause_send;
	int mask = 0;
	CURLcode code;

	x->unpause_recv = false;
	x->unpause_send = false;
	if (!recv && !send)
		return;
	mask |= x->recv_paused && !recv ? CURLPAUSE_RECV : 0;
	mask |= x->send_paused && !send ? CURLPAUSE_SEND : 0;
	x->recv_paused = x->recv_paused && !recv;
	x->send_paused = x->send_paused && !send;
	http_moved(x);
	code = curl_easy_pause(x->easy, mask);
	if (code != CURLE_OK) {
		http_answer_judge(x, code);
		finish(x);
		return;
	}
	http_watch_time(x);
}

static void handle_note(struct http_exchange *x)
{
	struct stream *body = x->req->body;

	if (x->canceled) {
		finish_with(x, ERR_CANCELED, 0, "canceled");
	} else if (x->phase == HTTP_RUNNING && body && stream_state(body) == STREAM_FAILED) {
		x->result = *stream_err(body);
		finish(x);
	} else if (http_answer_is_early(x)) {
		http_answer_judge(x, CURLE_OK);
		finish(x);
	} else if (x->phase == HTTP_RUNNING) {
		unpause(x);
	}
}

/* Those noted until now; what they lead to waits for the next turn. */
static void handle_notes(struct http *h)
{
	struct http_exchange *x, *last = TAILQ_LAST(&h->notes, http_list);
	bool more = last != NULL;

	while (more && (x = TAILQ_FIRST(&h->notes))) {
		more = x != last;
		TAILQ_REMOVE(&h->notes, x, note_link);
		x->noted = false;
		handle_note(x);
	}
}

static void collect(struct http *h)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left))) {
		CURLcode code = m->data.result;
		struct http_exchange *x = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &x);
		if (x->canceled) {
			finish_with(x, ERR_CANCELED, 0, "canceled");
			continue;
		}
		http_answer_judge(x, code);
		finish(x);
	}
}

static void deliver(struct http *h)
{
	struct http_exchange *x;

	while ((x = TAILQ_FIRST(&h->finished))) {
		struct http_req *r = x->req;
		struct err err = x->result;

		TAILQ_REMOVE(&h->finished, x, place);
		TAILQ_REMOVE(&h->all, x, link);
		free(x);
		r->private = NULL;
		r->done(r, err.kind != ERR_NONE ? &err : NULL);
	}
}

void http_drain(struct http *h)
{
	if (h->draining)
		return;
	h->draining = true;
	handle_notes(h);
	collect(h);
	deliver(h);
	h->draining = false;
	if (!TAILQ_EMPTY(&h->notes) && !h->drain_timer.armed)
		timer_start(&h->drain_timer, 0);
}

static void on_drain_timer(struct timer *t)
{
	http_drain(t->data);
}

/* ---- the whole ------------------------------------------------------------------------------- */

int http_open(struct http **ret, struct loop *loop, struct err *err)
{
	struct http *h;

	/* tokens pass through libcurl's memory */
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, secret_wiping_free,
	                         secret_wiping_realloc, strdup, calloc) != CURLE_OK)
		return err_set(err, ERR_TEMPORARY, 0, "cannot start libcurl");
	h = xcalloc(1, sizeof(*h));
	h->clock = loop_clock(loop);
	h->uv = loop_uv(loop);
	TAILQ_INIT(&h->all);
	TAILQ_INIT(&h->notes);
	TAILQ_INIT(&h->finished);
	timer_init(&h->drain_timer, h->clock, on_drain_timer, h);
	h->multi = curl_multi_init();
	if (!h->multi)
		(void)err_set(err, ERR_TEMPORARY, 0, "cannot start libcurl");
	if (!h->multi || http_socket_open(h, err) < 0) {
		http_close(h);
		return -1;
	}
	*ret = h;
	return 0;
}

void http_close(struct http *h)
{
	struct http_exchange *x, *next;

	if (!h)
		return;
	assert(!h->draining);
	h->closing = true;
	h->draining = true;
	for (x = TAILQ_FIRST(&h->all); x; x = next) {
		next = TAILQ_NEXT(x, link);
		if (x->phase != HTTP_FINISHED)
			finish_with(x, ERR_CANCELED, 0, "the connector is stopping");
	}
	deliver(h);
	while (h->spares)
		curl_easy_cleanup(h->spare[--h->spares]);
	if (h->multi)
		(void)curl_multi_cleanup(h->multi);
	timer_stop(&h->curl_timer);
	timer_stop(&h->patience);
	timer_stop(&h->drain_timer);
	curl_global_cleanup();
	free(h);
}

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

struct http_peer *http_peer_new(struct http *h, const struct http_peer_settings *settings)
{
	struct http_peer *p = xcalloc(1, sizeof(*p));

	p->http = h;
	p->is = *settings;
	p->is.unix_socket = copy(settings->unix_socket);
	p->is.ca_file = copy(settings->ca_file);
	p->is.certificate_file = copy(settings->certificate_file);
	p->is.key_file = fs_secret_path(settings->key_file);
	p->is.username = copy(settings->username);
	p->is.password = copy(settings->password);
	p->is.pinned_key = copy(settings->pinned_key);
	p->is.proxy = copy(settings->proxy);
	TAILQ_INIT(&p->waiting);
	return p;
}

void http_peer_pin(struct http_peer *p, const char *pinned_key)
{
	free((char *)(uintptr_t)p->is.pinned_key);
	p->is.pinned_key = copy(pinned_key);
}

unsigned http_peer_connections(const struct http_peer *p)
{
	return p->connections;
}

void http_peer_free(struct http_peer *p)
{
	char *password;

	if (!p)
		return;
	assert(p->active == 0 && TAILQ_EMPTY(&p->waiting));
	password = (char *)(uintptr_t)p->is.password;
	wipe_str(&password);
	free((char *)(uintptr_t)p->is.unix_socket);
	free((char *)(uintptr_t)p->is.ca_file);
	free((char *)(uintptr_t)p->is.certificate_file);
	free((char *)(uintptr_t)p->is.key_file);
	free((char *)(uintptr_t)p->is.username);
	free((char *)(uintptr_t)p->is.pinned_key);
	free((char *)(uintptr_t)p->is.proxy);
	free(p);
}

struct http_stats http_stats(const struct http *h)
{
	return h->stats;
}
