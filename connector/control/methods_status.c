/* methods_status.c - GetStatus and GetMetrics. */
#include "connector/control/control_private.h"

#include "connector/base/http.h"
#include "connector/base/loop.h"
#include "connector/control/json.h"
#include "connector/control/metrics.h"

#define METRICS_MAX (16u * 1024 * 1024)

static void on_cloud(void *list, const struct core_cloud *cloud)
{
	(void)cJSON_AddItemToArray(list, json_cloud(cloud));
}

static void on_health(void *list, const struct core_health *health)
{
	(void)cJSON_AddItemToArray(list, json_health(health));
}

void method_get_status(struct call *call)
{
	struct core *core = call->control->core;
	const struct core_counts n = core_counts(core);
	cJSON *clouds = cJSON_CreateArray(), *health = cJSON_CreateArray();
	cJSON *reply = cJSON_CreateObject();

	core_clouds(core, on_cloud, clouds);
	core_health(core, on_health, health);
	json_add_text(reply, "version", call->control->version);
	json_add_time(reply, "since", n.started);
	(void)cJSON_AddItemToObject(reply, "clouds", clouds);
	(void)cJSON_AddItemToObject(reply, "printers", json_printer_counts(&n));
	(void)cJSON_AddItemToObject(reply, "jobs", json_job_counts(&n));
	(void)cJSON_AddItemToObject(reply, "health", health);
	call_reply(call, reply);
}

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
