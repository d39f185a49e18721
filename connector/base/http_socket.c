/* libcurl's sockets and its one timer on the loop. A watch outlives its socket until libuv has
 * closed it; a stopped but open poll handle on a number that is used again is undefined.
 *
 * Answers to patient exchanges come one by one, each in its own time; so that they do not wake this
 * process one by one, nobody looks at their sockets until the first has waited for PATIENCE_MS. */
#include "connector/base/http_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uv.h>

#include "common/util.h"

#define PATIENCE_MS 30

struct http_watch {
	uv_poll_t poll;
	struct http *http; /* borrowed */
	curl_socket_t fd;
	bool waits; /* by link, to become readable */
	TAILQ_ENTRY(http_watch) link;
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct http_watch *w = poll->data;
	struct http *h = w->http;
	int running, flags = status < 0 ? CURL_CSELECT_ERR : 0;

	flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
	flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
	(void)curl_multi_socket_action(h->multi, w->fd, flags, &running);
	http_drain(h); /* always: the last transfer can fail and leave running at 0 */
}

static void on_watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static struct http_watch *watch_new(struct http *h, curl_socket_t fd)
{
	struct http_watch *w = xcalloc(1, sizeof(*w));

	if (uv_poll_init_socket(h->uv, &w->poll, fd) < 0) {
		free(w);
		return NULL;
	}
	w->http = h;
	w->fd = fd;
	w->poll.data = w;
	(void)curl_multi_assign(h->multi, fd, w);
	return w;
}

/* A server may answer and close while we are still sending: libcurl then says that sending failed,
 * and the answer lies unread at the socket. Over TCP it is lost with the reset. */
static int read_last_word(curl_socket_t fd)
{
	static const char version[] = "HTTP/1.";
	char text[16] = "";

	if (recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT) < 13 ||
	    strncmp(text, version, strlen(version)) != 0 || text[8] != ' ')
		return 0;
	return (int)strtol(text + 9, NULL, 10);
}

int http_socket_on_close(void *data, curl_socket_t fd)
{
	struct http *h = data;
	struct http_exchange *x;

	TAILQ_FOREACH(x, &h->all, link)
	if (x->phase == HTTP_RUNNING && x->fd == fd && x->header_bytes == 0)
		x->last_word = read_last_word(fd);
	return close(fd);
}

/* Whose socket this is; NULL: nobody's. */
static struct http_exchange *note_socket(CURL *easy, curl_socket_t fd)
{
	struct http_exchange *x = NULL;

	if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&x) != CURLE_OK || !x)
		return NULL;
	x->fd = fd;
	return x;
}

static void stop_waiting(struct http_watch *w)
{
	if (w->waits)
		TAILQ_REMOVE(&w->http->patient, w, link);
	w->waits = false;
}

static void wait_with_others(struct http_watch *w)
{
	struct http *h = w->http;

	(void)uv_poll_stop(&w->poll);
	if (w->waits)
		return;
	w->waits = true;
	TAILQ_INSERT_TAIL(&h->patient, w, link);
	if (!h->patience.armed)
		timer_start(&h->patience, PATIENCE_MS);
}

static void on_patience(struct timer *t)
{
	struct http *h = t->data;
	struct http_watch *w;

	while ((w = TAILQ_FIRST(&h->patient))) {
		stop_waiting(w);
		(void)uv_poll_start(&w->poll, UV_READABLE, on_poll);
	}
}

/* Runs inside libcurl. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data)
{
	struct http *h = data;
	struct http_watch *w = socket_data;
	const struct http_exchange *x;
	int events = 0;

	if (what == CURL_POLL_REMOVE) {
		if (!w)
			return 0;
		(void)curl_multi_assign(h->multi, fd, NULL);
		stop_waiting(w);
		(void)uv_poll_stop(&w->poll);
		uv_close((uv_handle_t *)&w->poll, on_watch_closed);
		return 0;
	}
	/* curl_multi_cleanup() asks for sockets once more */
	if (h->closing)
		return 0;
	x = note_socket(easy, fd);
	if (!w)
		w = watch_new(h, fd);
	if (!w)
		return -1;
	events |= what & CURL_POLL_IN ? UV_READABLE : 0;
	events |= what & CURL_POLL_OUT ? UV_WRITABLE : 0;
	if (x && x->req->patient && events == UV_READABLE) {
		wait_with_others(w);
		return 0;
	}
	stop_waiting(w);
	return uv_poll_start(&w->poll, events, on_poll) < 0 ? -1 : 0;
}

static void on_curl_timer(struct timer *t)
{
	struct http *h = t->data;
	int running;

	(void)curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	http_drain(h);
}

/* Runs inside libcurl; a timer of 0 ms fires in the loop's next turn. */
static int on_timer(CURLM *multi, long timeout_ms, void *data)
{
	struct http *h = data;

	(void)multi;
	if (timeout_ms < 0)
		timer_stop(&h->curl_timer);
	else if (!h->closing)
		timer_start(&h->curl_timer, timeout_ms);
	return 0;
}

int http_socket_open(struct http *h, struct err *err)
{
	bool bad = false;

	TAILQ_INIT(&h->patient);
	timer_init(&h->patience, h->clock, on_patience, h);
	timer_init(&h->curl_timer, h->clock, on_curl_timer, h);
	bad |= curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK;
	bad |= curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h) != CURLM_OK;
	bad |= curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer) != CURLM_OK;
	bad |= curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h) != CURLM_OK;
	/* thousands of long polls run at once; idle connections go by age, not by number */
	bad |= curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, 4096L) != CURLM_OK;
	return bad ? err_set(err, ERR_TEMPORARY, 0, "cannot set up libcurl") : 0;
}
