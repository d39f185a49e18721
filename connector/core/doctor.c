/* Happy path: a list of tasks is made, of this machine, the hosts of each cloud, CUPS and each
 * printer, and done one after the other; what each finds is told at once. What is wrong is kept,
 * and told again as causes at the end.
 *
 * Hosts are asked with a plain GET over a connection of its own, so that nothing that is known or
 * kept hides what a new connection would meet. Any answer will do. */
#include "connector/core/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/config.h"
#include "common/fs.h"
#include "common/str.h"
#include "common/uri.h"
#include "common/util.h"
#include "connector/core/core_private.h"
#include "connector/core/doctor_printer.h"

#define ASK_MS      10000
#define ROOM_FAIL   (UINT64_C(8) << 20) /* bytes */
#define ROOM_WARN   (UINT64_C(64) << 20)
#define CLOCK_FAIL  300 /* seconds: the tolerance of signed tokens */
#define CLOCK_WARN  60
#define FILES_SPARE 64
#define FILES_EACH  2 /* connections of a printer that does nothing */
#define BRIEF_FROM  5 /* printers */
#define PROBES_MAX  20

enum role { ROLE_CLOUD, ROLE_SIGN_IN, ROLE_NOTIFICATION };

struct doctor_task {
	enum { TASK_MACHINE, TASK_HOST, TASK_CUPS, TASK_PRINTER } kind;
	enum role role;
	const struct config_cloud *cloud; /* host: borrowed */
	char url[URI_SIZE];               /* host */
	char host[NAME_SIZE];             /* host */
	char printer[ID_SIZE];            /* printer */
	bool probes;                      /* printer: the queue itself is asked */
};

/* ---- results ---- */

void doctor_tell(struct doctor *d, enum doctor_step step, enum doctor_mark mark, const char *cloud,
                 const char *subject, const char *text)
{
	struct doctor_result r = { .step = step, .mark = mark };
	const char *remedy = strstr(text, "; ");
	size_t len = remedy ? (size_t)(remedy - text) : strlen(text);

	(void)str_copy(r.cloud, sizeof(r.cloud), cloud);
	(void)str_copy(r.subject, sizeof(r.subject), subject);
	(void)snprintf(r.text, sizeof(r.text), "%.*s", (int)len, text);
	if (mark == DOCTOR_PASS) {
		d->passed[step]++;
		if (d->brief && step >= DOCTOR_CERTIFICATE && step != DOCTOR_CUPS)
			return;
	} else {
		if (remedy)
			(void)str_copy(r.remedy, sizeof(r.remedy), remedy + 2);
		else
			doctor_remedy(step, subject, r.remedy, sizeof(r.remedy));
		d->wrong = xrealloc(d->wrong, (d->wrong_count + 1) * sizeof(*d->wrong));
		d->wrong[d->wrong_count++] = r;
	}
	d->step(d, &r);
}

/* Of many printers. */
static void tell_counts(struct doctor *d)
{
	static const enum doctor_step counted[] = { DOCTOR_CERTIFICATE, DOCTOR_CHANNEL,
		                                    DOCTOR_QUEUE, DOCTOR_VALIDATE };
	char text[64];

	if (!d->brief)
		return;
	d->brief = false;
	for (size_t i = 0; i < ARRAY_SIZE(counted); i++) {
		(void)snprintf(text, sizeof(text), "right with %s",
		               COUNTED(d->passed[counted[i]], "printer", "printers"));
		if (d->passed[counted[i]])
			doctor_tell(d, counted[i], DOCTOR_PASS, "", "", text);
	}
}

static void end(struct doctor *d)
{
	struct core *c = d->world.core;
	struct doctor_result *wrong = TAKE(d->wrong);
	size_t n = doctor_findings(wrong, d->wrong_count);
	struct err err;

	timer_stop(&d->turn);
	d->world.queue_ops->op_clear(&d->local);
	free(TAKE(d->tasks));
	if (d->canceled)
		(void)err_set(&err, ERR_CANCELED, 0, "canceled");
	for (size_t i = 0; i < n && !d->canceled; i++)
		d->finding(d, &wrong[i]);
	free(wrong);
	if (c) {
		c->doctor = NULL;
		c->pending--;
	}
	d->done(d, d->canceled ? &err : NULL);
	if (c)
		core_check_drained(c);
}

/* ---- this machine ---- */

/* Without a core: what is known of its printers. */
static void check_unread(struct doctor *d)
{
	if (d->world.unread)
		doctor_tell(d, DOCTOR_DISK, DOCTOR_WARN, "", d->world.config->state_directory,
		            d->world.unread->text);
}

static void check_disk(struct doctor *d)
{
	const char *directory = d->world.config->state_directory;
	char text[TEXT_SIZE];
	struct err err;
	uint64_t room;

	if (d->world.core && d->world.core->store_failing) {
		struct store_stats stats =
			d->world.core->set.store_ops->stats(d->world.core->set.store);

		doctor_tell(d, DOCTOR_DISK, DOCTOR_FAIL, "", directory, stats.last.text);
		return;
	}
	if (fs_room(directory, &room, &err) < 0) {
		doctor_tell(d, DOCTOR_DISK, DOCTOR_WARN, "", directory, err.text);
		return;
	}
	(void)snprintf(text, sizeof(text), "%.100s has room for %llu MB", directory,
	               (unsigned long long)(room >> 20));
	doctor_tell(d, DOCTOR_DISK,
	            room < ROOM_FAIL   ? DOCTOR_FAIL
	            : room < ROOM_WARN ? DOCTOR_WARN
	                               : DOCTOR_PASS,
	            "", directory, text);
}

static void check_limits(struct doctor *d)
{
	const struct doctor_world *w = &d->world;
	uint64_t printers = w->core ? w->core->printer_count : w->record_count;
	uint64_t wanted = FILES_SPARE + printers * FILES_EACH;
	struct rlimit files;
	char text[TEXT_SIZE];

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	(void)snprintf(text, sizeof(text), "%llu files may be open, %llu are needed",
	               (unsigned long long)files.rlim_cur, (unsigned long long)wanted);
	doctor_tell(d, DOCTOR_LIMITS, files.rlim_cur < wanted ? DOCTOR_FAIL : DOCTOR_PASS, "",
	            "LimitNOFILE", text);
}

/* ---- hosts ---- */

/* As libcurl finds it. */
static bool has_proxy(const struct config_cloud *cloud)
{
	static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "all_proxy",
		                             "ALL_PROXY" };

	if (*cloud->proxy)
		return strcmp(cloud->proxy, "none") != 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return true;
	}
	return false;
}

static enum doctor_step step_of(enum role role)
{
	switch (role) {
	case ROLE_CLOUD:
		return DOCTOR_ANSWER;
	case ROLE_SIGN_IN:
		return DOCTOR_SIGN_IN;
	case ROLE_NOTIFICATION:
		return DOCTOR_NOTIFICATION;
	}
	return DOCTOR_ANSWER;
}

static void tell_clock(struct doctor *d, const struct doctor_task *t)
{
	int64_t now = d->world.clock->wall_ms(d->world.clock) / 1000;
	int64_t off = now - d->req.server_time;
	uint64_t by = (uint64_t)(off < 0 ? -off : off);
	char text[TEXT_SIZE];

	if (!d->req.server_time || (d->clock_told && by < CLOCK_WARN))
		return;
	d->clock_told = true;
	if (by < CLOCK_WARN)
		(void)snprintf(text, sizeof(text), "the clock is that of %.80s", t->host);
	else
		(void)snprintf(text, sizeof(text), "the clock is %llu s %s that of %.80s",
		               (unsigned long long)by, off < 0 ? "behind" : "ahead of", t->host);
	doctor_tell(d, DOCTOR_CLOCK,
	            by >= CLOCK_FAIL   ? DOCTOR_FAIL
	            : by >= CLOCK_WARN ? DOCTOR_WARN
	                               : DOCTOR_PASS,
	            t->cloud->name, t->host, text);
}

/* A certificate whose dates do not fit: not valid yet it never was for anybody whose clock is
 * right. */
static void tell_tls(struct doctor *d, const struct doctor_task *t)
{
	char text[TEXT_SIZE];

	switch (d->req.dates) {
	case CRYPTO_DATES_FIT:
		doctor_tell(d, DOCTOR_TLS, DOCTOR_FAIL, t->cloud->name, t->host, d->err.text);
		return;
	case CRYPTO_DATES_AHEAD:
		(void)snprintf(text, sizeof(text),
		               "the certificate of %.80s is not valid yet: the clock is behind",
		               t->host);
		doctor_tell(d, DOCTOR_CLOCK, DOCTOR_FAIL, t->cloud->name, t->host, text);
		return;
	case CRYPTO_DATES_OVER:
		(void)snprintf(
			text, sizeof(text),
			"the certificate of %.60s has expired; check the clock: timedatectl; "
			"if it is right, the service has to renew its certificate",
			t->host);
		doctor_tell(d, DOCTOR_TLS, DOCTOR_FAIL, t->cloud->name, t->host, text);
		return;
	}
}

/* What came before the stage at which it ended was right. */
static void tell_host(struct doctor *d, const struct doctor_task *t)
{
	static const struct {
		enum doctor_step step;
		const char *good;
	} way[] = {
		[HTTP_STAGE_NAME] = { DOCTOR_NAME, "has an address" },
		[HTTP_STAGE_CONNECT] = { DOCTOR_CONNECT, "can be reached" },
		[HTTP_STAGE_TLS] = { DOCTOR_TLS, "shows a certificate that is trusted" },
	};
	bool proxied = has_proxy(t->cloud), encrypted = strncmp(t->url, "https:", 6) == 0;
	enum http_stage stage = d->req.stage;
	char text[TEXT_SIZE];

	if (proxied && (stage == HTTP_STAGE_CONNECT || d->req.status == 407))
		stage = HTTP_STAGE_PROXY;
	if (stage == HTTP_STAGE_PROXY) {
		doctor_tell(d, DOCTOR_PROXY, DOCTOR_FAIL, t->cloud->name, t->host, d->err.text);
		return;
	}
	(void)snprintf(text, sizeof(text), "the proxy lets %.100s pass", t->host);
	if (proxied && stage > HTTP_STAGE_CONNECT)
		doctor_tell(d, DOCTOR_PROXY, DOCTOR_PASS, t->cloud->name, t->host, text);
	for (enum http_stage s = HTTP_STAGE_NAME; s < HTTP_STAGE_ANSWER; s++) {
		(void)snprintf(text, sizeof(text), "%.100s %s%s", t->host, way[s].good,
		               proxied && s == HTTP_STAGE_CONNECT ? " over the proxy" : "");
		if (s == HTTP_STAGE_TLS && !encrypted)
			continue;
		if (stage == s && s == HTTP_STAGE_TLS) {
			tell_tls(d, t);
			return;
		}
		if (stage == s) {
			doctor_tell(d, way[s].step, DOCTOR_FAIL, t->cloud->name, t->host,
			            d->err.text);
			return;
		}
		if (!proxied || s != HTTP_STAGE_NAME) /* the proxy looks it up */
			doctor_tell(d, way[s].step, DOCTOR_PASS, t->cloud->name, t->host, text);
	}
	tell_clock(d, t);
	(void)snprintf(text, sizeof(text), "%.100s answers", t->host);
	if (d->req.status >= 500 || (!d->req.status && d->err.kind != ERR_NONE))
		doctor_tell(d, step_of(t->role), DOCTOR_FAIL, t->cloud->name, t->host, d->err.text);
	else
		doctor_tell(d, step_of(t->role), DOCTOR_PASS, t->cloud->name, t->host, text);
}

static void on_answer(struct http_req *req, const struct err *err)
{
	struct doctor *d = req->data;

	err_clear(&d->err);
	if (err)
		d->err = *err;
	timer_start(&d->turn, 0);
}

static void ask_host(struct doctor *d, const struct doctor_task *t)
{
	const struct config_cloud *cloud = t->cloud;
	const struct http_peer_settings peer = {
		.ca_file = *cloud->ca_file ? cloud->ca_file : NULL,
		.proxy = !*cloud->proxy                      ? NULL
		         : strcmp(cloud->proxy, "none") == 0 ? ""
		                                             : cloud->proxy,
	};

	d->peer = http_peer_new(d->world.http, &peer);
	d->req = (struct http_req){ .peer = d->peer,
		                    .url = t->url,
		                    .get = true,
		                    .timeout_ms = ASK_MS,
		                    .data = d,
		                    .done = on_answer };
	d->asks_host = true;
	if (http_start(d->world.http, &d->req, &d->err) < 0) {
		d->req.stage = HTTP_STAGE_ANSWER;
		timer_start(&d->turn, 0);
	}
}

/* ---- queues ---- */

static void on_local(struct local_op *op, const struct err *err)
{
	struct doctor *d = op->data;

	err_clear(&d->err);
	if (err)
		d->err = *err;
	timer_start(&d->turn, 0);
}

static void on_queue(void *data, const char *name, const char *info, const char *make_and_model)
{
	(void)data;
	(void)name;
	(void)info;
	(void)make_and_model;
}

/* NULL: it is not registered any more. */
static const struct printer *find_printer(const struct doctor *d, const char *id)
{
	const struct printer *p = d->world.core ? d->world.core->printers : NULL;

	while (p && strcmp(p->record.id, id) != 0)
		p = p->next;
	return p;
}

static const struct printer_record *find_record(const struct doctor *d, const char *id)
{
	const struct printer *p = find_printer(d, id);

	for (size_t i = 0; i < d->world.record_count; i++)
		if (strcmp(d->world.records[i].id, id) == 0)
			return &d->world.records[i];
	return p ? &p->record : NULL;
}

static void ask_local(struct doctor *d, const struct doctor_task *t)
{
	const struct printer_record *p = find_record(d, t->printer);
	int rc;

	d->world.queue_ops->op_clear(&d->local);
	d->local.data = d;
	d->local.done = on_local;
	d->asks_queue = true;
	d->local.pinned_key = p ? p->pinned_key : NULL;
	if (t->kind == TASK_CUPS)
		rc = d->world.queue_ops->list(d->world.queues, &d->local, on_queue, NULL, &d->err);
	else
		rc = d->world.queue_ops->probe(d->world.queues, p->queue, &d->local, &d->err);
	if (rc < 0)
		timer_start(&d->turn, 0);
}

static void on_device(struct reach *reach, const struct err *err)
{
	struct doctor *d = reach->data;

	err_clear(&d->err);
	if (err)
		d->err = *err;
	timer_start(&d->turn, 0);
}

/* Of a queue that is right. True: it is asking. */
static bool ask_device(struct doctor *d)
{
	if (!d->world.loop || d->canceled || d->err.kind != ERR_NONE || !d->local.device_port ||
	    d->local.status.health != QUEUE_READY)
		return false;
	d->reach = (struct reach){ .loop = d->world.loop,
		                   .host = d->local.device_host,
		                   .port = d->local.device_port,
		                   .timeout_ms = ASK_MS,
		                   .data = d,
		                   .done = on_device };
	d->asks_device = true;
	if (reach_start(&d->reach, &d->err) < 0)
		timer_start(&d->turn, 0);
	return true;
}

static void tell_device(struct doctor *d, const struct doctor_task *t)
{
	const struct printer_record *p = find_record(d, t->printer);
	char text[TEXT_SIZE];

	if (!p || d->canceled)
		return;
	if (d->err.kind != ERR_NONE)
		(void)snprintf(text, sizeof(text), "the device of %.50s: %.120s", p->queue,
		               d->err.text);
	else
		(void)snprintf(text, sizeof(text), "the device of %.60s answers at %.80s", p->queue,
		               d->local.device_host);
	doctor_tell(d, DOCTOR_DEVICE, d->err.kind ? DOCTOR_WARN : DOCTOR_PASS, p->cloud, p->queue,
	            text);
}

static void tell_cups(struct doctor *d)
{
	const char *server = d->world.config->cups_server;
	char text[TEXT_SIZE];

	(void)snprintf(text, sizeof(text), "CUPS at %.100s answers", server);
	doctor_tell(d, DOCTOR_CUPS, d->err.kind ? DOCTOR_FAIL : DOCTOR_PASS, "", server,
	            d->err.kind ? d->err.text : text);
}

/* ---- one after the other ---- */

static void finish_task(struct doctor *d, const struct doctor_task *t)
{
	const struct printer_record *p = find_record(d, t->printer);

	if (d->canceled)
		return;
	if (t->kind == TASK_HOST)
		tell_host(d, t);
	else if (t->kind == TASK_CUPS)
		tell_cups(d);
	else if (p)
		doctor_look_at_queue(d, p, &d->local.status, &d->err);
}

/* True: it is asking. */
static bool begin_task(struct doctor *d, const struct doctor_task *t)
{
	const struct printer *p = find_printer(d, t->printer);

	err_clear(&d->err);
	switch (t->kind) {
	case TASK_MACHINE:
		check_disk(d);
		check_unread(d);
		check_limits(d);
		return false;
	case TASK_HOST:
		ask_host(d, t);
		return true;
	case TASK_CUPS:
		ask_local(d, t);
		return true;
	case TASK_PRINTER:
		if (d->world.core && !p)
			return false; /* unregistered meanwhile */
		if (p)
			doctor_look_at_printer(d, p);
		else
			doctor_look_at_record(d, find_record(d, t->printer));
		if (t->probes)
			ask_local(d, t);
		else
			doctor_look_at_seen(d, p);
		return t->probes;
	}
	return false;
}

static void on_turn(struct timer *timer)
{
	struct doctor *d = timer->data;

	if (d->asks_device) {
		tell_device(d, &d->tasks[d->task++]);
	} else if (d->asks_host || d->asks_queue) {
		http_peer_free(TAKE(d->peer));
		finish_task(d, &d->tasks[d->task]);
		if (d->asks_queue && d->tasks[d->task].kind == TASK_PRINTER && ask_device(d))
			return;
		d->task++;
	}
	d->asks_host = d->asks_queue = d->asks_device = false;
	while (d->task < d->task_count && !d->canceled) {
		if (begin_task(d, &d->tasks[d->task]))
			return;
		d->task++;
	}
	tell_counts(d);
	end(d);
}

/* ---- what there is to do ---- */

static struct doctor_task *add(struct doctor *d)
{
	d->tasks = xrealloc(d->tasks, (d->task_count + 1) * sizeof(*d->tasks));
	memset(&d->tasks[d->task_count], 0, sizeof(*d->tasks));
	return &d->tasks[d->task_count++];
}

/* Of each service its own, also where several are at one host. */
static void add_host(struct doctor *d, const struct config_cloud *cloud, enum role role,
                     const char *url)
{
	struct doctor_task *t;
	struct uri uri;
	bool secure;

	if (uri_parse(url, &uri) < 0)
		return;
	secure = uri_is_encrypted(&uri);
	t = add(d);
	t->kind = TASK_HOST;
	t->role = role;
	t->cloud = cloud;
	(void)str_copy(t->host, sizeof(t->host), uri.host);
	(void)snprintf(t->url, sizeof(t->url), "%s://%s%s%s:%d/", secure ? "https" : "http",
	               strchr(uri.host, ':') ? "[" : "", uri.host, strchr(uri.host, ':') ? "]" : "",
	               uri.port                             ? uri.port
	               : strncmp(uri.scheme, "ipp", 3) == 0 ? 631
	               : secure                             ? 443
	                                                    : 80);
}

static void add_cloud(struct doctor *d, const struct config_cloud *cloud)
{
	if (cloud->type == CONFIG_CLOUD_IPP_INFRA) {
		add_host(d, cloud, ROLE_CLOUD, cloud->uri);
		return;
	}
	add_host(d, cloud, ROLE_SIGN_IN, cloud->login_url);
	add_host(d, cloud, ROLE_CLOUD, cloud->registration_url);
	add_host(d, cloud, ROLE_CLOUD, cloud->print_url);
	add_host(d, cloud, ROLE_NOTIFICATION, cloud->notification_url);
}

static bool is_meant(const struct printer_record *p, const char *queue)
{
	return !queue || strcmp(p->queue, queue) == 0 || strcmp(p->id, queue) == 0;
}

/* Those that are meant; borrowed, in an array that is the caller's to free. */
static const struct printer_record **choose(const struct doctor_world *w, const char *queue,
                                            size_t *ret_count)
{
	const struct printer_record **chosen;
	size_t n = w->record_count;

	for (const struct printer *p = w->core ? w->core->printers : NULL; p; p = p->next)
		n++;
	chosen = xcalloc(n + 1, sizeof(const void *));
	n = 0;

	for (const struct printer *p = w->core ? w->core->printers : NULL; p; p = p->next)
		if (is_meant(&p->record, queue))
			chosen[n++] = &p->record;
	for (size_t i = 0; i < w->record_count; i++)
		if (is_meant(&w->records[i], queue))
			chosen[n++] = &w->records[i];
	*ret_count = n;
	return chosen;
}

static void free_chosen(const struct printer_record ***p)
{
	free(*p);
}

static bool is_cloud_meant(const char *cloud, const char *queue,
                           const struct printer_record *const *chosen, size_t n)
{
	for (size_t i = 0; queue && i < n; i++)
		if (strcmp(chosen[i]->cloud, cloud) == 0)
			return true;
	return !queue;
}

int doctor_start(struct doctor *d, const struct doctor_world *world, const char *queue,
                 struct err *err)
{
	size_t printers;
	AUTO(free_chosen) const struct printer_record **chosen = choose(world, queue, &printers);
	bool cups = !printers;

	d->world = *world;
	for (size_t i = 0; i < printers; i++)
		cups |= !queue_is_uri(chosen[i]->queue);
	if (queue && !printers)
		return err_set(err, ERR_GONE, 0,
		               "%.80s is not registered; print-connector printers shows what is",
		               queue);
	d->brief = printers > BRIEF_FROM;
	timer_init(&d->turn, world->clock, on_turn, d);
	add(d)->kind = TASK_MACHINE;
	for (size_t i = 0; i < world->config->n_clouds; i++)
		if (is_cloud_meant(world->config->clouds[i].name, queue, chosen, printers))
			add_cloud(d, &world->config->clouds[i]);
	if (cups)
		add(d)->kind = TASK_CUPS;
	for (size_t i = 0; i < printers; i++) {
		struct doctor_task *t = add(d);

		t->kind = TASK_PRINTER;
		t->probes = !world->core || printers <= PROBES_MAX;
		(void)str_copy(t->printer, sizeof(t->printer), chosen[i]->id);
	}
	timer_start(&d->turn, 0);
	return 0;
}

void doctor_cancel(struct doctor *d)
{
	d->canceled = true;
	if (d->asks_device)
		reach_cancel(&d->reach);
	else if (d->asks_host && !d->turn.armed)
		http_cancel(&d->req);
	else if (d->asks_queue && !d->turn.armed)
		d->world.queue_ops->op_cancel(&d->local);
}

int core_doctor(struct core *c, struct doctor *d, const char *queue, struct err *err)
{
	const struct doctor_world world = {
		.config = c->set.config,
		.clock = c->set.clock,
		.loop = c->set.loop,
		.http = c->set.http,
		.queue_ops = c->set.queue_ops,
		.queues = c->queues,
		.core = c,
	};

	if (core_check_running(c, err) < 0)
		return -1;
	if (c->doctor)
		return err_set(err, ERR_TEMPORARY, 0,
		               "another doctor is at work; try again in a minute");
	if (doctor_start(d, &world, queue, err) < 0)
		return -1;
	c->doctor = d;
	c->pending++;
	return 0;
}
