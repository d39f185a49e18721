/* doctor.h - walks the whole way of a job, from this machine's disk and clock over each host of the
 * cloud to the paper, and tells each step as it goes; then the causes of what was wrong. Contract:
 * base/op.h. Changes nothing: all it asks may be asked by anybody. Loop thread only. */
#ifndef CONNECTOR_CORE_DOCTOR_H
#define CONNECTOR_CORE_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "connector/base/clock.h"
#include "connector/base/http.h"
#include "connector/base/reach.h"
#include "connector/core/core.h"
#include "connector/core/doctor_findings.h"

/* What there is to look at; borrowed until done(). */
struct doctor_world {
	const struct config *config;
	struct clock *clock;
	struct loop *loop; /* NULL: the devices of queues of CUPS are not tried */
	struct http *http;
	const struct queue_ops *queue_ops;
	struct queues *queues;
	struct core *core;                    /* NULL: nobody serves the printers, and */
	const struct printer_record *records; /* these would be, if somebody did */
	size_t record_count;
	const struct err *unread; /* why they are not known; NULL: they are */
};

struct doctor_task;

struct doctor {
	void *data;
	/* Each step that was taken, then each finding; borrowed for the call. */
	void (*step)(struct doctor *d, const struct doctor_result *r);
	void (*finding)(struct doctor *d, const struct doctor_result *r);
	void (*done)(struct doctor *d, const struct err *err);

	struct doctor_world world; /* private from here on */
	struct doctor_task *tasks;
	size_t task, task_count;
	struct doctor_result *wrong; /* so far */
	size_t wrong_count;
	struct timer turn;
	struct http_req req;
	struct http_peer *peer;
	struct local_op local;
	struct err err; /* of what was asked last */
	struct reach reach;
	bool asks_host, asks_queue, asks_device, canceled, clock_told;
	bool brief; /* many printers: what is right is counted */
	unsigned passed[DOCTOR_STEP_COUNT];
};

/* queue (name or id) NULL: everything. GONE: it is not registered. */
int doctor_start(struct doctor *d, const struct doctor_world *world, const char *queue,
                 struct err *err);
void doctor_cancel(struct doctor *d);

/* Of a core that runs; ends with it. TEMPORARY: another one is at work. */
int core_doctor(struct core *c, struct doctor *d, const char *queue, struct err *err);

#endif
