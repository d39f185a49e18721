/* methods_status.c - GetStatus, Watch and GetMetrics. */
#include "connector/control/control_private.h"

#include <stdlib.h>
#include <string.h>

#include "connector/base/http.h"
#include "connector/base/loop.h"
#include "connector/control/json.h"
#include "connector/control/metrics.h"

#define METRICS_MAX      (16u * 1024 * 1024)
#define WATCH_MS         1000
#define WATCH_SILENT_MAX 30 /* turns without news, then the same is told again */
#define WATCH_JOBS_MAX   50

static void on_cloud(void *list, const struct core_cloud *cloud)
{
	(void)cJSON_AddItemToArray(list, json_cloud(cloud));
}

static void on_health(void *list, const struct core_health *health)
{
	(void)cJSON_AddItemToArray(list, json_health(health));
}

static cJSON *status_new(struct control *c)
{
	const struct core_counts n = core_counts(c->core);
	cJSON *clouds = cJSON_CreateArray(), *health = cJSON_CreateArray();
	cJSON *ret = cJSON_CreateObject();

	core_clouds(c->core, on_cloud, clouds);
	core_health(c->core, on_health, health);
	json_add_text(ret, "version", c->version);
	json_add_time(ret, "since", n.started);
	(void)cJSON_AddItemToObject(ret, "clouds", clouds);
	(void)cJSON_AddItemToObject(ret, "printers", json_printer_counts(&n));
	(void)cJSON_AddItemToObject(ret, "jobs", json_job_counts(&n));
	(void)cJSON_AddItemToObject(ret, "health", health);
	return ret;
}

void method_get_status(struct call *call)
{
	call_reply(call, status_new(call->control));
}

/* ---- Watch ---- */

static cJSON *watch_new(struct control *c)
{
	cJSON *ret = status_new(c);

	(void)cJSON_AddItemToObject(ret, "open", jobs_open_new(c, WATCH_JOBS_MAX));
	return ret;
}

/* Tells what is other than before. */
static void watch_tell(struct call *call)
{
	struct watching *w = &call->op.watch;
	cJSON *now = watch_new(call->control);
	char *text = cJSON_PrintUnformatted(now);

	if (w->told && strcmp(w->told, text) == 0 && ++w->silent < WATCH_SILENT_MAX) {
		cJSON_Delete(now);
		free(text);
	} else {
		free(w->told);
		w->told = text;
		w->silent = 0;
		call_continue(call, now); /* may close the connection, and abandon the call */
	}
}

static void watch_abandon(struct call *call)
{
	call->op.watch.ended = true;
	timer_start(&call->op.watch.timer, 0);
}

static void on_watch_timer(struct timer *t)
{
	struct call *call = t->data;
	struct watching *w = &call->op.watch;

	if (w->ended) {
		free(w->told);
		call_reply(call, NULL);
		return;
	}
	timer_start(t, WATCH_MS);
	watch_tell(call);
}

void method_watch(struct call *call)
{
	struct watching *w = &call->op.watch;

	if (!call->message.more) {
		call_reply(call, watch_new(call->control));
		return;
	}
	timer_init(&w->timer, call->control->clock, on_watch_timer, call);
	timer_start(&w->timer, WATCH_MS);
	call->abandon = watch_abandon;
	watch_tell(call);
}

/* ---- GetMetrics ---- */

void method_get_metrics(struct call *call)
{
	const struct control *c = call->control;
	cJSON *reply;
	struct buf text;

	buf_init(&text, METRICS_MAX);
	if (metrics_print(&text, c->core, loop_lag(c->loop), c->http, c->clock->wall_ms(c->clock)) <
	    0) {
		buf_clear(&text);
		call_fail(call, "",
		          &(struct err){ .kind = ERR_TEMPORARY, .text = "too many metrics" });
		return;
	}
	reply = cJSON_CreateObject();
	(void)cJSON_AddStringToObject(reply, "text", buf_text(&text));
	buf_clear(&text);
	call_reply(call, reply);
}
