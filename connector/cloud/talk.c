#include "connector/cloud/talk.h"

#include <string.h>

#include "common/util.h"
#include "connector/cloud/service.h"

#define PATIENCE_MS 60000 /* a wish to wait for so long is fulfilled, a longer one is told */

static void on_answer(struct ipp_op *op, const struct err *err);

struct talk *talk_of(struct ipp_op *op)
{
	return CONTAINER_OF(op, struct talk, ipp);
}

static void end(struct talk *t, const struct err *err)
{
	t->state = TALK_IDLE;
	bearer_unref(TAKE(t->bearer));
	t->ipp.bearer = NULL;
	t->done(&t->ipp, err);
}

static void end_canceled(struct talk *t)
{
	struct err err;

	(void)err_set(&err, ERR_CANCELED, 0, "canceled");
	end(t, &err);
}

static void leave(struct talk *t)
{
	t->state = TALK_PAUSES;
	timer_start(&t->pause, 0);
	if (t->leaving)
		return;
	t->leaving = true;
	t->next_leaving = t->cloud->leaving;
	t->cloud->leaving = t;
}

static void left(struct talk *t)
{
	struct talk **at = &t->cloud->leaving;

	while (*at != t)
		at = &(*at)->next_leaving;
	*at = t->next_leaving;
	t->leaving = false;
	end_canceled(t);
}

void talks_end(struct cloud *c)
{
	while (c->leaving) {
		timer_stop(&c->leaving->pause);
		left(c->leaving);
	}
}

static int begin(struct talk *t, struct err *err)
{
	t->ipp.bearer = t->bearer ? bearer_text(t->bearer) : NULL;
	t->ipp.done = on_answer;
	t->state = TALK_RUNS;
	if (ipp_op_start(&t->ipp, err) == 0)
		return 0;
	t->state = TALK_IDLE;
	return -1;
}

static int go(struct talk *t, struct err *err)
{
	struct clock *clock = t->cloud->clock;
	int64_t quiet_ms = service_quiet_ms(t->cloud, t->host);

	if (quiet_ms > PATIENCE_MS) {
		(void)err_set(err, ERR_TEMPORARY, 429, "the cloud has asked us to slow down");
		err->retry_after_s = (int)(quiet_ms / 1000) + 1;
		return -1;
	}
	if (quiet_ms > 0) {
		t->state = TALK_PAUSES;
		timer_start(&t->pause, quiet_ms + (int64_t)(clock->random(clock) %
		                                            (uint64_t)(quiet_ms / 8 + 1)));
		return 0;
	}
	if (t->token) {
		t->state = TALK_AWAITS_TOKEN;
		t->bearer = token_get(t->token, &t->wait);
		if (!t->bearer)
			return 0;
	}
	return begin(t, err);
}

static void go_on(struct talk *t)
{
	struct err err;

	if (go(t, &err) < 0)
		end(t, &err);
}

static void on_pause(struct timer *timer)
{
	struct talk *t = timer->data;

	if (t->leaving)
		left(t);
	else
		go_on(t);
}

static void on_token(struct token_wait *w, const struct err *err)
{
	struct talk *t = w->data;

	if (err)
		end(t, err);
	else
		go_on(t);
}

/* The same once more. The document, if any, has not begun: its consumer is named by on_message()
 * only. */
static void repeat(struct talk *t)
{
	struct ipp_op old = t->ipp, again = {
		.http = old.http,
		.peer = old.peer,
		.url = old.url,
		.request = old.request,
		.document = old.document,
		.document_limit = old.document_limit,
		.http1 = old.http1,
		.timeout_ms = old.timeout_ms,
		.idle_ms = old.idle_ms,
		.tally = old.tally,
		.on_message = old.on_message,
		.data = old.data,
	};

	t->ipp.request = NULL;
	ipp_op_clear(&t->ipp);
	t->ipp = again;
	bearer_unref(TAKE(t->bearer));
	go_on(t);
}

static bool is_unauthorized(const struct talk *t, const struct err *err)
{
	if (t->ipp.response)
		return t->ipp.ipp_status == IPP_STATUS_ERROR_NOT_AUTHENTICATED;
	return err->kind == ERR_DENIED && err->code == 401;
}

static void on_answer(struct ipp_op *op, const struct err *err)
{
	struct talk *t = talk_of(op);
	bool slow = err && err->kind == ERR_TEMPORARY && err->retry_after_s > 0;

	if (op->server_time > 0) {
		t->cloud->stats.server_time = op->server_time * 1000;
		t->cloud->stats.heard_at = t->cloud->clock->now_ms(t->cloud->clock);
	}
	if (slow)
		service_slow_down(t->cloud, t->host, err);
	if (t->canceled && err) {
		end(t, err);
	} else if (err && t->token && !t->renewed && is_unauthorized(t, err)) {
		t->renewed = true;
		token_refuse(t->token, t->bearer);
		repeat(t);
	} else if (slow && !t->paused && err->retry_after_s <= PATIENCE_MS / 1000) {
		t->paused = true;
		repeat(t);
	} else {
		end(t, err);
	}
}

int talk_start(struct talk *t, struct err *err)
{
	int rc;

	if (!t->cloud || !t->cloud->universal)
		return ipp_op_start(&t->ipp, err);
	t->done = t->ipp.done;
	t->wait = (struct token_wait){ .data = t, .ready = on_token };
	timer_init(&t->pause, t->cloud->clock, on_pause, t);
	if (service_quiet_ms(t->cloud, t->host) > PATIENCE_MS) { /* told in done() */
		t->state = TALK_PAUSES;
		timer_start(&t->pause, 0);
		return 0;
	}
	rc = go(t, err);
	if (rc < 0)
		bearer_unref(TAKE(t->bearer));
	return rc;
}

void talk_cancel(struct talk *t)
{
	t->canceled = true;
	switch (t->state) {
	case TALK_AWAITS_TOKEN:
		token_leave(t->token, &t->wait);
		leave(t);
		break;
	case TALK_PAUSES:
		leave(t);
		break;
	case TALK_IDLE: /* or an exchange of a cloud without tokens */
	case TALK_RUNS:
		ipp_op_cancel(&t->ipp);
		break;
	}
}

void talk_clear(struct talk *t)
{
	ipp_op_clear(&t->ipp);
	bearer_unref(t->bearer);
	memset(t, 0, sizeof(*t));
}
