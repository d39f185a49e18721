/* http_private.h - what the files of http.c share.
 *
 * Happy path: http_start() makes an exchange, http_activate() gives it to libcurl when its peer has
 * a place, libcurl's callbacks (http_body.c, http_answer.c) move bytes and note things,
 * http_drain() takes what has ended from libcurl and calls done().
 *
 * What happens inside a libcurl callback may only note: http_note() puts the exchange on a list and
 * http_drain() does the rest, after every curl_multi_socket_action() or from a 0 ms timer. */
#ifndef CONNECTOR_BASE_HTTP_PRIVATE_H
#define CONNECTOR_BASE_HTTP_PRIVATE_H

#include <sys/queue.h>

#include <curl/curl.h>

#include "common/err.h"
#include "connector/base/clock.h"
#include "connector/base/http.h"

struct crypto_issuer;
struct uv_loop_s;

#define HTTP_SPARES 16 /* easy handles kept for the next exchange */

TAILQ_HEAD(http_list, http_exchange);
TAILQ_HEAD(http_watches, http_watch);

struct http {
	struct clock *clock;  /* borrowed */
	struct uv_loop_s *uv; /* borrowed */
	CURLM *multi;
	struct timer curl_timer; /* libcurl's own deadline */
	struct timer patience;
	struct http_watches patient; /* not polled until it fires */
	struct timer drain_timer;
	struct http_list all;      /* every exchange, by link */
	struct http_list notes;    /* by note_link */
	struct http_list finished; /* done() is due, by place */
	CURL *spare[HTTP_SPARES];
	unsigned spares;
	struct http_stats stats;
	bool closing, draining;
};

struct http_peer {
	struct http *http;            /* borrowed */
	struct http_peer_settings is; /* copies */
	struct http_list waiting;     /* by place; oldest first */
	unsigned active;
	unsigned connections; /* made so far */
};

enum http_phase { HTTP_WAITING, HTTP_RUNNING, HTTP_FINISHED };

struct http_exchange {
	struct http *http;      /* borrowed */
	struct http_peer *peer; /* borrowed; NULL once finished */
	struct http_req *req;   /* borrowed until done() */
	CURL *easy;             /* while running */
	struct curl_slist *headers;
	struct crypto_issuer *issuer; /* while running, of https */
	enum http_phase phase;
	TAILQ_ENTRY(http_exchange) link, place, note_link;

	/* noted, for http_drain() */
	bool noted, canceled, unpause_recv, unpause_send;
	bool recv_paused, send_paused; /* by our own side */

	/* the watch over time; clock's milliseconds */
	struct timer timer;
	int64_t deadline; /* of the whole exchange; 0: none */
	int64_t moved;    /* when a byte last moved */
	bool connected;
	curl_socket_t fd;    /* of its connection, as far as known; 0: not */
	int last_word;       /* status of an answer that was found when that was closed; 0: none */
	curl_off_t down, up; /* libcurl's counters at that time */
	curl_off_t most_up;  /* on any of its connections */

	/* our body */
	size_t head_off;
	int64_t taken;     /* bytes taken out of the stream */
	bool unrepeatable; /* libcurl wanted to send it once more, and counts anew */

	/* the answer */
	size_t header_bytes;
	unsigned header_lines;
	bool header_done; /* of a final answer */
	int64_t length;   /* its Content-Length; -1: not said */
	int64_t dropped;  /* body bytes nobody wants */
	char retry_after[48];

	bool failed;       /* one of our callbacks stopped it */
	struct err fail;   /* why */
	struct err result; /* kind ERR_NONE: success */
	char error[CURL_ERROR_SIZE];
};

/* http.c */
void http_drain(struct http *h);
void http_note(struct http_exchange *x);
void http_fail(struct http_exchange *x, enum err_kind kind, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void http_watch_time(struct http_exchange *x); /* sets the exchange's timer anew */
void http_moved(struct http_exchange *x);      /* a byte moved */

/* http_socket.c */
int http_socket_open(struct http *h, struct err *err);
int http_socket_on_close(void *data, curl_socket_t fd); /* CURLOPT_CLOSESOCKETFUNCTION */

/* http_setup.c: all options of an easy handle */
int http_setup(struct http_exchange *x, struct err *err);
void http_setup_clear(struct http_exchange *x);

/* http_body.c: libcurl's callbacks of bodies */
size_t http_on_read(char *out, size_t size, size_t count, void *data);
int http_on_seek(void *data, curl_off_t offset, int origin);
size_t http_on_write(char *in, size_t size, size_t count, void *data);
/* The exchange is over: the body's producer must not wait for it. */
void http_body_settle(struct http_exchange *x);

/* http_answer.c */
size_t http_on_header(char *line, size_t size, size_t count, void *data);
/* While the body's producer makes us wait, libcurl 7.88 does not notice that the answer is there
 * already: whoever finds it notes the exchange, and http_drain() ends it. */
bool http_answer_is_early(const struct http_exchange *x);
/* Into x->result: what this end of the transfer means. */
void http_answer_judge(struct http_exchange *x, CURLcode code);
/* Host and port of the URL, or the socket's path: how errors name the other side. */
void http_answer_name(const struct http_exchange *x, char *out, size_t size);

#endif
