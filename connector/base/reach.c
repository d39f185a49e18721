/* Happy path: the name's addresses, a connection to one after the other, the first that stands is
 * closed and told. The try outlives the operation until libuv has let go of it. */
#include "connector/base/reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "common/err.h"
#include "common/util.h"
#include "connector/base/clock.h"
#include "connector/base/loop.h"

struct reach_try {
	struct reach *r; /* NULL: told */
	uv_getaddrinfo_t ask;
	uv_tcp_t tcp;
	uv_connect_t connect;
	struct timer timer;
	struct addrinfo *found, *next;
	char place[300]; /* host and port, for people */
	struct err err;
	bool asking, open, over; /* over: the timer tells how it ended */
};

static void let_go(struct reach_try *t)
{
	if (t->r || t->asking || t->open)
		return;
	uv_freeaddrinfo(t->found);
	free(t);
}

static void on_closed(uv_handle_t *handle)
{
	struct reach_try *t = handle->data;

	t->open = false;
	let_go(t);
}

static void close_connection(struct reach_try *t)
{
	if (t->open && !uv_is_closing((uv_handle_t *)&t->tcp))
		uv_close((uv_handle_t *)&t->tcp, on_closed);
}

/* Told in a later turn of the loop. */
static void end(struct reach_try *t)
{
	if (!t->r || t->over)
		return;
	t->over = true;
	timer_start(&t->timer, 0);
}

static void fail(struct reach_try *t, int error)
{
	(void)err_set(&t->err, ERR_TEMPORARY, error, "%.120s cannot be reached: %s", t->place,
	              uv_strerror(error));
}

static void on_timer(struct timer *timer)
{
	struct reach_try *t = timer->data;
	struct reach *r = TAKE(t->r);
	struct err err;

	if (!t->over)
		fail(t, UV_ETIMEDOUT);
	err = t->err;
	if (t->asking)
		(void)uv_cancel((uv_req_t *)&t->ask);
	close_connection(t);
	let_go(t);
	r->private = NULL;
	r->done(r, err.kind == ERR_NONE ? NULL : &err);
}

static void connect_next(struct reach_try *t);

static void on_connection_closed(uv_handle_t *handle)
{
	struct reach_try *t = handle->data;

	t->open = false;
	if (t->r && !t->over)
		connect_next(t);
	let_go(t);
}

static void on_connected(uv_connect_t *connect, int status)
{
	struct reach_try *t = connect->data;

	if (!t->r || t->over)
		return;
	if (status == 0) {
		err_clear(&t->err);
		end(t);
		return;
	}
	fail(t, status);
	if (!uv_is_closing((uv_handle_t *)&t->tcp))
		uv_close((uv_handle_t *)&t->tcp, on_connection_closed);
}

static void connect_next(struct reach_try *t)
{
	const struct addrinfo *address = t->next;
	int rc;

	if (!address) {
		end(t);
		return;
	}
	t->next = address->ai_next;
	rc = uv_tcp_init(loop_uv(t->r->loop), &t->tcp);
	if (rc == 0) {
		t->open = true;
		t->tcp.data = t->connect.data = t;
		rc = uv_tcp_connect(&t->connect, &t->tcp, address->ai_addr, on_connected);
	}
	if (rc == 0)
		return;
	fail(t, rc);
	if (t->open)
		uv_close((uv_handle_t *)&t->tcp, on_connection_closed);
	else
		end(t);
}

static void on_addresses(uv_getaddrinfo_t *ask, int status, struct addrinfo *found)
{
	struct reach_try *t = ask->data;

	t->asking = false;
	t->found = t->next = found;
	if (!t->r || t->over) {
		let_go(t);
		return;
	}
	if (status == 0) {
		connect_next(t);
		return;
	}
	fail(t, status);
	end(t);
}

int reach_start(struct reach *r, struct err *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP };
	struct reach_try *t = xcalloc(1, sizeof(*t));
	char port[12];
	int rc;

	(void)snprintf(port, sizeof(port), "%d", r->port);
	(void)snprintf(t->place, sizeof(t->place), "%s port %d", r->host, r->port);
	rc = uv_getaddrinfo(loop_uv(r->loop), &t->ask, on_addresses, r->host, port, &hints);
	if (rc < 0) {
		fail(t, rc);
		*err = t->err;
		free(t);
		return -1;
	}
	t->r = r;
	t->ask.data = t;
	t->asking = true;
	r->private = t;
	timer_init(&t->timer, loop_clock(r->loop), on_timer, t);
	timer_start(&t->timer, r->timeout_ms);
	return 0;
}

void reach_cancel(struct reach *r)
{
	struct reach_try *t = r->private;

	if (!t || t->over)
		return;
	(void)err_set(&t->err, ERR_CANCELED, 0, "canceled");
	end(t);
}
