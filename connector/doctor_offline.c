#include "connector/doctor_offline.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/err.h"
#include "connector/base/http.h"
#include "connector/base/journal.h"
#include "connector/base/loop.h"
#include "connector/control/json.h"
#include "connector/core/doctor.h"
#include "connector/maintenance.h"
#include "connector/store/store_backup.h"

struct visit {
	struct loop *loop;
	struct doctor doctor;
	struct printer_record *printers;
	size_t printer_count;
	struct err unread;
	unsigned marks[3];
};

static void print(cJSON *object)
{
	char *text = cJSON_PrintUnformatted(object);

	(void)printf("%s\n", text);
	(void)fflush(stdout);
	cJSON_free(text);
	cJSON_Delete(object);
}

static void on_step(struct doctor *d, const struct doctor_result *r)
{
	struct visit *v = d->data;

	v->marks[r->mark]++;
	print(json_doctor("step", r));
}

static void on_finding(struct doctor *d, const struct doctor_result *r)
{
	(void)d;
	print(json_doctor("finding", r));
}

static void on_done(struct doctor *d, const struct err *err)
{
	struct visit *v = d->data;

	(void)err;
	loop_stop(v->loop);
}

/* Not as root or their owner they cannot be read; that keeps nobody from looking at the rest. */
static void read_printers(struct visit *v, const char *directory)
{
	struct err err, ignored;

	(void)maintenance_become_owner(directory, &ignored);
	if (store_peek(directory, &v->printers, &v->printer_count, &err) == 0 ||
	    err.kind == ERR_GONE)
		return;
	(void)err_set(&v->unread, err.kind, err.code, "its printers cannot be read: %.80s; %s",
	              err.text,
	              err.kind == ERR_DENIED
	                      ? "run this as root"
	                      : "a start recovers what it can: systemctl start print-connector");
}

static int walk(struct visit *v, const struct config *config, const char *queue, struct err *err)
{
	struct doctor_world world = { .config = config,
		                      .queue_ops = &queue_ops,
		                      .records = v->printers,
		                      .record_count = v->printer_count,
		                      .unread = v->unread.kind ? &v->unread : NULL };
	struct queues_settings settings = { .cups_server = config->cups_server };
	int rc = -1;

	if (loop_open(&v->loop, err) < 0)
		return -1;
	world.loop = v->loop;
	world.clock = settings.clock = loop_clock(v->loop);
	if (http_open(&world.http, v->loop, err) == 0) {
		settings.http = world.http;
		if (queue_ops.open_all(&world.queues, &settings, err) == 0) {
			/* which is meant is not known where none is */
			rc = doctor_start(&v->doctor, &world, world.unread ? NULL : queue, err);
			if (rc == 0)
				loop_run(v->loop);
			queue_ops.close_all(world.queues);
		}
		http_close(world.http);
	}
	loop_close(v->loop);
	return rc;
}

int doctor_offline_main(const char *config_path, const char *queue)
{
	struct visit v = {
		.doctor = { .data = &v, .step = on_step, .finding = on_finding, .done = on_done }
	};
	struct config *config = NULL;
	struct err err;
	int rc;

	(void)signal(SIGPIPE, SIG_IGN);
	log_open(LOG_LEVEL_ERROR);
	rc = config_load(config_path, &config, &err);
	if (rc == 0) {
		read_printers(&v, config->state_directory);
		rc = walk(&v, config, queue, &err);
	}
	if (rc == 0)
		print(json_doctor_done(v.marks));
	else
		(void)fprintf(stderr, "%s\n", err.text);
	free(v.printers);
	config_free(config);
	return rc == 0 ? 0 : err.kind == ERR_GONE && v.loop ? 2 : 1;
}
