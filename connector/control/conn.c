/* conn.c - one peer of the control socket.
 *
 * Happy path: its bytes are parted into messages, one call at a time is answered, then the next.
 * What can fail: it sends garbage (one answer, then the end), nothing for 30 s or only a part (the
 * end), more than fits while a call is in hand (not read until that one has ended), or does not
 * read its answers (the end). */
#include "connector/control/control_private.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "connector/base/journal.h"

struct sending {
	uv_write_t req;
	struct conn *conn;
	struct buf text; /* owned */
};

static void on_conn_closed(uv_handle_t *handle)
{
	struct conn *conn = handle->data;
	struct control *c = conn->control;

	varlink_reader_clear(&conn->reader);
	free(conn);
	control_unref(c);
}

void conn_close(struct conn *conn)
{
	struct call *call = conn->call;

	if (conn->closing)
		return;
	conn->closing = true;
	timer_stop(&conn->idle);
	timer_stop(&conn->next);
	LIST_REMOVE(conn, link);
	conn->call = NULL;
	if (call) {
		call->conn = NULL;
		if (call->abandon)
			call->abandon(call);
	}
	uv_close((uv_handle_t *)&conn->pipe, on_conn_closed);
}

/* ---- writing ---- */

/* Nothing more comes and everything is answered and written. */
static bool is_finished(const struct conn *conn)
{
	return (conn->ended || conn->broken) && !conn->call && !conn->pipe.write_queue_size;
}

static void on_sent(uv_write_t *req, int status)
{
	struct sending *s = req->data;
	struct conn *conn = s->conn;

	buf_wipe(&s->text); /* it may hold the code of a sign-in */
	free(s);
	if (conn->closing)
		return;
	if (status < 0 || is_finished(conn))
		conn_close(conn);
}

void conn_send(struct conn *conn, struct buf *text)
{
	struct sending *s;
	uv_buf_t out;
	int rc;

	if (conn->closing || conn->pipe.write_queue_size > CONTROL_QUEUED_MAX) {
		buf_clear(text);
		conn_close(conn);
		return;
	}
	s = xcalloc(1, sizeof(*s));
	s->conn = conn;
	s->req.data = s;
	s->text = *text;
	out = uv_buf_init((char *)s->text.data, (unsigned)s->text.len);
	rc = uv_write(&s->req, (uv_stream_t *)&conn->pipe, &out, 1, on_sent);
	if (rc < 0) {
		buf_clear(&s->text);
		free(s);
		conn_close(conn);
	}
}

/* ---- reading ---- */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct conn *conn = handle->data;

	(void)suggested;
	*ret = uv_buf_init(conn->control->inbox, sizeof(conn->control->inbox));
}

static void conn_serve(struct conn *conn);

/* Tells once what was wrong with what it sent. */
static void conn_break(struct conn *conn, const struct err *err)
{
	cJSON *parameters = cJSON_CreateObject();
	struct err ignored;
	struct buf text;

	conn->broken = true;
	if (conn->reading)
		(void)uv_read_stop((uv_stream_t *)&conn->pipe);
	conn->reading = false;
	buf_init(&text, VARLINK_CALL_MAX);
	(void)cJSON_AddStringToObject(parameters, "field", "message");
	(void)cJSON_AddStringToObject(parameters, "text", err->text);
	(void)cJSON_AddStringToObject(parameters, "remedy",
	                              "send Varlink calls: JSON objects, each ended by a NUL byte");
	if (varlink_error_encode(&text, VARLINK_INTERFACE ".InvalidArgument", parameters,
	                         &ignored) == 0)
		conn_send(conn, &text);
}

static void on_data(uv_stream_t *stream, ssize_t n, const uv_buf_t *data)
{
	struct conn *conn = stream->data;
	struct err err;

	if (n == 0)
		return;
	if (n == UV_EOF) {
		conn->ended = true;
		(void)uv_read_stop(stream);
		conn->reading = false;
		/* nobody waits for it any more */
		if (conn->call && conn->call->abandon)
			conn_close(conn);
		else
			conn_serve(conn);
		return;
	}
	if (n < 0) {
		conn_close(conn);
		return;
	}
	if (varlink_reader_feed(&conn->reader, data->base, (size_t)n, &err) < 0)
		conn_break(conn, &err);
	else
		conn_serve(conn);
}

/* Reads on unless a next call waits for its turn already. */
static void conn_read(struct conn *conn)
{
	bool want = !conn->ended && !conn->broken &&
	            (!conn->call || !varlink_reader_is_cut(&conn->reader));

	if (conn->closing || want == conn->reading)
		return;
	if (want && uv_read_start((uv_stream_t *)&conn->pipe, on_room, on_data) < 0) {
		conn_close(conn);
		return;
	}
	if (!want)
		(void)uv_read_stop((uv_stream_t *)&conn->pipe);
	conn->reading = want;
}

static void conn_serve(struct conn *conn)
{
	struct varlink_call call;
	cJSON *message = NULL;
	struct err err;
	int rc;

	if (conn->call || conn->broken) {
		conn_read(conn);
		return;
	}
	rc = varlink_reader_next(&conn->reader, &message, &err);
	if (rc < 0 || (rc > 0 && varlink_call_decode(message, &call, &err) < 0)) {
		conn_break(conn, &err);
	} else if (rc > 0) {
		timer_stop(&conn->idle);
		call_start(conn, &call);
	} else if (is_finished(conn)) {
		conn_close(conn);
	} else {
		conn_read(conn);
	}
}

static void on_next(struct timer *t)
{
	conn_serve(t->data);
}

/* One call each turn: a peer that sends many leaves room for others. */
void conn_call_ended(struct conn *conn)
{
	conn->call = NULL;
	if (conn->closing)
		return;
	timer_start(&conn->idle, CONTROL_IDLE_MS);
	timer_start(&conn->next, 0);
}

static void on_idle(struct timer *t)
{
	conn_close(t->data);
}

/* ---- beginning ---- */

/* NULL: welcome. Who has no right never takes the room of who has one, and who was sent away and
 * is on the way out takes nobody's. */
static const char *conn_excess(const struct conn *conn)
{
	const struct control *c = conn->control;
	const struct conn *other;
	unsigned same = 0, all = 0;

	LIST_FOREACH(other, &c->conns, link)
	{
		if (other->refused)
			continue;
		same += other->peer.uid == conn->peer.uid;
		all += (other->peer.right == RIGHT_NONE) == (conn->peer.right == RIGHT_NONE);
	}
	if (same > CONTROL_PEERS_PER_UID_MAX)
		return "this user has too many connections to the control socket";
	if (all > (conn->peer.right == RIGHT_NONE ? CONTROL_STRANGERS_MAX : CONTROL_PEERS_MAX))
		return "there are too many connections to the control socket";
	return NULL;
}

static void conn_refuse(struct conn *conn, const char *why)
{
	cJSON *parameters = cJSON_CreateObject();
	struct err ignored;
	struct buf text;

	conn->broken = conn->refused = true;
	buf_init(&text, VARLINK_CALL_MAX);
	(void)cJSON_AddStringToObject(parameters, "kind", err_kind_name(ERR_TEMPORARY));
	(void)cJSON_AddNumberToObject(parameters, "code", 0);
	(void)cJSON_AddStringToObject(parameters, "text", why);
	(void)cJSON_AddStringToObject(parameters, "remedy", "end some of them, then try again");
	if (varlink_error_encode(&text, VARLINK_INTERFACE ".Failed", parameters, &ignored) == 0)
		conn_send(conn, &text);
}

void conn_accept(struct control *c)
{
	struct conn *conn = xcalloc(1, sizeof(*conn));
	struct err err;
	const char *excess;
	int fd = -1;

	conn->control = c;
	varlink_reader_init(&conn->reader, VARLINK_CALL_MAX);
	timer_init(&conn->idle, c->clock, on_idle, conn);
	timer_init(&conn->next, c->clock, on_next, conn);
	(void)uv_pipe_init(c->listener.loop, &conn->pipe, 0);
	conn->pipe.data = conn;
	c->users++;
	LIST_INSERT_HEAD(&c->conns, conn, link);
	if (uv_accept((uv_stream_t *)&c->listener, (uv_stream_t *)&conn->pipe) < 0 ||
	    uv_fileno((uv_handle_t *)&conn->pipe, &fd) < 0) {
		conn_close(conn);
		return;
	}
	if (access_peer(&c->access, fd, &conn->peer, &err) < 0) {
		log_event(LOG_LEVEL_WARNING, NULL, "%s", err.text);
		conn_close(conn);
		return;
	}
	excess = conn_excess(conn);
	if (excess) {
		conn_refuse(conn, excess);
		return;
	}
	timer_start(&conn->idle, CONTROL_IDLE_MS);
	conn_read(conn);
}
