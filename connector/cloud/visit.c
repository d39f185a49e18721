#include "connector/cloud/visit.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "connector/cloud/service.h"
#include "connector/cloud/universal.h"

#define ANSWER_MS 60000

static void step(struct visit *v, const struct err *err)
{
	struct err canceled;

	v->busy = false;
	if (v->canceled) {
		(void)err_set(&canceled, ERR_CANCELED, 0, "canceled");
		err = &canceled;
	}
	v->next(v, err);
}

/* A pause is over, is cut short, or an exchange could not begin. */
static void on_wait(struct timer *t)
{
	struct visit *v = t->data;
	struct err failed = v->failed;

	v->failed = (struct err){ 0 };
	step(v, failed.kind != ERR_NONE ? &failed : NULL);
}

static void on_answer(struct json_op *json, const struct err *err)
{
	step(json->data, err);
}

void visit_init(struct visit *v, struct cloud *c, void *data)
{
	memset(v, 0, sizeof(*v));
	v->cloud = c;
	v->data = data;
	timer_init(&v->wait, c->clock, on_wait, v);
}

void visit_clear(struct visit *v)
{
	if (!v->cloud)
		return;
	timer_stop(&v->wait);
	json_op_clear(&v->json);
	free(v->url);
	memset(v, 0, sizeof(*v));
}

void visit_ask(struct visit *v, enum json_method method, char *url, struct buf *body,
               const char *bearer, void (*next)(struct visit *v, const struct err *err))
{
	json_op_clear(&v->json);
	free(v->url);
	v->url = url;
	v->next = next;
	v->busy = true;
	v->json = (struct json_op){
		.http = v->cloud->http,
		.peer = v->cloud->universal->web,
		.url = url,
		.method = method,
		.bearer = bearer,
		.timeout_ms = ANSWER_MS,
		.data = v,
		.done = on_answer,
	};
	if (body) {
		v->json.body = *body;
		memset(body, 0, sizeof(*body));
	}
	if (json_op_start(&v->json, &v->failed) == 0)
		return;
	timer_start(&v->wait, 0);
}

void visit_pause(struct visit *v, int64_t ms, void (*next)(struct visit *v, const struct err *err))
{
	json_op_clear(&v->json);
	v->next = next;
	v->busy = true;
	timer_start(&v->wait, v->canceled ? 0 : ms);
}

int visit_advise(struct err *ret, const struct err *err, const char *remedy)
{
	struct err was = *err;

	/* a semicolon is where the remedy begins, and the service may have its own */
	for (char *c = was.text; *c; c++)
		if (*c == ';')
			*c = ',';
	(void)err_set(ret, was.kind, was.code, "%.*s; %s",
	              (int)(sizeof(ret->text) - strlen(remedy) - 3), was.text, remedy);
	ret->retry_after_s = was.retry_after_s;
	return -1;
}

void visit_cancel(struct visit *v)
{
	if (!v->busy)
		return;
	v->canceled = true;
	if (v->wait.armed)
		timer_start(&v->wait, 0);
	else
		json_op_cancel(&v->json);
}
