#include "tests/emulator/printers.h"

#include <stdlib.h>
#include <string.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/clock.h"
#include "tests/emulator/documents.h"
#include "tests/emulator/events.h"
#include "tests/emulator/exchange.h"
#include "tests/emulator/jobs.h"
#include "tests/emulator/json.h"
#include "tests/emulator/record.h"
#include "tests/emulator/uuid.h"

#define HASH_SIZE 1024

TAILQ_HEAD(printer_list, printer);

static struct printer_list printers = TAILQ_HEAD_INITIALIZER(printers);
static struct printer_list removed = TAILQ_HEAD_INITIALIZER(removed); /* requests may point at it */
static struct printer_list hash[HASH_SIZE];
static bool hash_ready;

static struct printer_list *hash_slot(const char *name, size_t len)
{
	unsigned int h = 5381;
	size_t i;

	if (!hash_ready) {
		for (i = 0; i < HASH_SIZE; i++)
			TAILQ_INIT(&hash[i]);
		hash_ready = true;
	}
	for (i = 0; i < len; i++)
		h = h * 33 + (unsigned char)name[i];
	return &hash[h % HASH_SIZE];
}

struct printer *printers_find(const char *name, size_t len)
{
	struct printer *p;

	TAILQ_FOREACH(p, hash_slot(name, len), hash_entry)
	{
		if (strlen(p->name) == len && memcmp(p->name, name, len) == 0)
			return p;
	}
	return NULL;
}

struct printer *printers_first(void)
{
	return TAILQ_FIRST(&printers);
}

struct printer *printer_next(struct printer *p)
{
	return TAILQ_NEXT(p, entry);
}

static int set_auth(struct printer *p, const char *value, char **why)
{
	const char *colon;

	if (strcmp(value, "none") == 0) {
		p->auth = AUTH_NONE;
	} else if (strncmp(value, "basic:", 6) == 0 && (colon = strchr(value + 6, ':')) != NULL) {
		p->auth = AUTH_BASIC;
		free(p->user);
		p->user = xprintf("%.*s", (int)(colon - value - 6), value + 6);
		job_set_text(&p->password, colon + 1);
	} else if (strcmp(value, "cert") == 0 || strncmp(value, "cert:", 5) == 0) {
		p->auth = AUTH_CERTIFICATE;
		job_set_text(&p->fingerprint, value[4] == ':' ? value + 5 : NULL);
	} else {
		*why = xprintf("auth=%s: want none, basic:USER:PASSWORD or cert", value);
		return -1;
	}
	return 0;
}

static int set_option(struct printer *p, const char *name, const char *value, char **why)
{
	if (strcmp(name, "auth") == 0)
		return set_auth(p, value, why);
	if (strcmp(name, "quirks") == 0) {
		if (quirks_parse(value, &p->quirks) == 0)
			return 0;
		*why = xprintf("quirks=%s: unknown quirk", value);
		return -1;
	}
	if (strcmp(name, "transfer") == 0 &&
	    (strcmp(value, "chunked") == 0 || strcmp(value, "length") == 0)) {
		p->content_length = value[0] == 'l';
		return 0;
	}
	if (strcmp(name, "wait") == 0 || strcmp(name, "event-life") == 0) {
		char *end;
		long n = strtol(value, &end, 10);

		if (*value != '\0' && *end == '\0' && n >= 0) {
			if (name[0] == 'w')
				p->wait_ms = n;
			else
				p->event_life_s = n;
			return 0;
		}
	}
	*why = xprintf("%s=%s: unknown option or value", name, value);
	return -1;
}

int printer_configure(struct printer *p, const char *options, char **why)
{
	while (*options != '\0') {
		size_t len = strcspn(options, ",");
		AUTO(free_str) char *one = xprintf("%.*s", (int)len, options);
		char *equal = strchr(one, '=');

		options += len + (options[len] == ',');
		if (equal == NULL) {
			*why = xprintf("%s: want NAME=VALUE", one);
			return -1;
		}
		*equal = '\0';
		if (set_option(p, one, equal + 1, why) < 0)
			return -1;
	}
	return 0;
}

static void printer_free(struct printer *p)
{
	int i;

	printer_forget(p, FORGET_DEVICES | FORGET_SUBSCRIPTIONS | FORGET_JOBS, false);
	for (i = 0; i < p->lost_count; i++)
		job_free(p->lost[i]);
	free(p->lost);
	free(p->jobs);
	free(p->name);
	free(p->path);
	free(p->user);
	free(p->password);
	free(p->fingerprint);
	free(p->identify.actions);
	free(p->identify.message);
	free(p);
}

struct printer *printer_new_unlisted(void)
{
	struct printer *p = xcalloc(1, sizeof(*p));

	TAILQ_INIT(&p->devices);
	TAILQ_INIT(&p->active);
	TAILQ_INIT(&p->subscriptions);
	TAILQ_INIT(&p->waiters);
	p->wait_ms = 30000;
	p->event_life_s = 60;
	p->next_id = 1;
	p->started_us = p->state_changed_us = clock_us();
	uuid_make(p->uuid);
	return p;
}

int printers_add(const char *spec, struct printer **ret, char **why)
{
	size_t len = strcspn(spec, ",");
	struct printer *p;

	if (len == 0 || len > 127 || memchr(spec, '/', len) != NULL) {
		*why = xprintf("%s: not a printer name", spec);
		return -1;
	}
	if (printers_find(spec, len) != NULL) {
		*why = xprintf("%.*s: there is such a printer", (int)len, spec);
		return -1;
	}
	p = printer_new_unlisted();
	p->name = xprintf("%.*s", (int)len, spec);
	p->path = xprintf("/ipp/print/%s", p->name);
	if (printer_configure(p, spec + len + (spec[len] == ','), why) < 0) {
		printer_free(p);
		return -1;
	}
	TAILQ_INSERT_TAIL(&printers, p, entry);
	TAILQ_INSERT_TAIL(hash_slot(p->name, len), p, hash_entry);
	*ret = p;
	return 0;
}

void printer_remove(struct printer *p)
{
	struct exchange *x, *after;

	TAILQ_REMOVE(&printers, p, entry);
	TAILQ_REMOVE(hash_slot(p->name, strlen(p->name)), p, hash_entry);
	TAILQ_INSERT_TAIL(&removed, p, entry);
	printer_forget(p, FORGET_SUBSCRIPTIONS | FORGET_DEVICES, false);
	for (x = TAILQ_FIRST(&p->waiters); x != NULL; x = after) {
		after = TAILQ_NEXT(x, waiter);
		exchange_wake(x);
	}
	record_changes++;
}

void printers_free(void)
{
	struct printer *p;

	TAILQ_CONCAT(&removed, &printers, entry);
	while ((p = TAILQ_FIRST(&removed)) != NULL) {
		TAILQ_REMOVE(&removed, p, entry);
		printer_free(p);
	}
}

static void printer_wake_waiters(struct printer *p)
{
	struct exchange *x, *after;

	for (x = TAILQ_FIRST(&p->waiters); x != NULL; x = after) {
		after = TAILQ_NEXT(x, waiter);
		exchange_wake(x);
	}
}

void printer_forget(struct printer *p, unsigned int what, bool renumber)
{
	struct device *d;
	struct subscription *s;
	int i, n;

	while ((what & FORGET_DEVICES) && (d = TAILQ_FIRST(&p->devices)) != NULL)
		device_remove(p, d);
	while ((what & FORGET_SUBSCRIPTIONS) && (s = TAILQ_FIRST(&p->subscriptions)) != NULL)
		subscription_free(s);
	for (i = 0; (what & FORGET_DOCUMENTS) && i < p->job_count; i++) {
		for (n = 0; n < p->jobs[i]->document_count; n++)
			document_drop(p->jobs[i]->documents[n]);
	}
	if (what & FORGET_JOBS) {
		p->lost = xrealloc(p->lost,
		                   (size_t)(p->lost_count + p->job_count + 1) * sizeof(*p->lost));
		for (i = 0; i < p->job_count; i++)
			p->lost[p->lost_count++] = p->jobs[i];
		p->job_count = 0;
		p->last_finished = NULL;
		TAILQ_INIT(&p->active);
		if (renumber)
			p->next_id = 1;
	}
	printer_wake_waiters(p);
	record_changes++;
}

struct device *device_find(struct printer *p, const char *uuid)
{
	struct device *d;

	TAILQ_FOREACH(d, &p->devices, entry)
	{
		if (strcmp(d->uuid, uuid) == 0)
			return d;
	}
	return NULL;
}

struct device *device_add(struct printer *p, const char *uuid)
{
	struct device *d = xcalloc(1, sizeof(*d));

	d->uuid = xstrdup(uuid);
	d->attrs = ippNew();
	d->state = IPP_PSTATE_STOPPED;
	d->first_us = clock_us();
	TAILQ_INSERT_TAIL(&p->devices, d, entry);
	return d;
}

void device_remove(struct printer *p, struct device *d)
{
	TAILQ_REMOVE(&p->devices, d, entry);
	ippDelete(d->attrs);
	free(d->uuid);
	free(d);
	p->state_changed_us = clock_us();
	record_changes++;
}

int printer_state(const struct printer *p)
{
	const struct device *d;
	int state = IPP_PSTATE_STOPPED;

	TAILQ_FOREACH(d, &p->devices, entry)
	{
		if (d->state == IPP_PSTATE_PROCESSING)
			state = d->state;
		else if (d->state == IPP_PSTATE_IDLE && state == IPP_PSTATE_STOPPED)
			state = d->state;
	}
	return p->paused && state == IPP_PSTATE_IDLE ? IPP_PSTATE_STOPPED : state;
}

void printer_set_paused(struct printer *p, bool paused)
{
	struct job *j, *after;

	if (p->paused == paused)
		return;
	p->paused = paused;
	p->state_changed_us = clock_us();
	for (j = TAILQ_FIRST(&p->active); j != NULL; j = after) {
		after = TAILQ_NEXT(j, active);
		job_schedule(j);
	}
	events_printer(p, paused ? EVENT_PRINTER_STOPPED : EVENT_PRINTER_STATE);
}

int printer_queued(const struct printer *p)
{
	const struct job *j;
	int n = 0;

	TAILQ_FOREACH(j, &p->active, active)
	n++;
	return n;
}

static void device_write_json(const struct device *d, struct buffer *b)
{
	ipp_attribute_t *a;

	json_open(b, NULL, '{');
	json_string(b, "uuid", d->uuid);
	json_number(b, "state", d->state);
	json_number(b, "updates", d->updates);
	json_time(b, "first", d->first_us);
	json_time(b, "last", d->last_us);
	json_open(b, "attributes", '{');
	for (a = ippFirstAttribute(d->attrs); a != NULL; a = ippNextAttribute(d->attrs)) {
		AUTO(free_str) char *text = xcalloc(1, 4096);

		if (ippGetName(a) == NULL)
			continue;
		ippAttributeString(a, text, 4096);
		json_string(b, ippGetName(a), text);
	}
	json_close(b, '}');
	json_close(b, '}');
}

void printer_write_json(const struct printer *p, struct buffer *b)
{
	static const char *const auths[] = { "none", "basic", "cert" };
	const struct device *d;

	json_open(b, NULL, '{');
	json_string(b, "name", p->name);
	json_string(b, "path", p->path);
	json_string(b, "uuid", p->uuid);
	json_string(b, "auth", auths[p->auth]);
	json_number(b, "state", printer_state(p));
	json_bool(b, "paused", p->paused);
	json_number(b, "jobs", p->job_count);
	json_number(b, "active", printer_queued(p));
	json_number(b, "waiting", p->waiting);
	json_number(b, "polls_wasted", p->polls_wasted);
	json_bool(b, "identify_pending", p->identify.pending);
	quirks_write(b, "quirks", p->quirks);
	json_open(b, "devices", '[');
	TAILQ_FOREACH(d, &p->devices, entry)
	device_write_json(d, b);
	json_close(b, ']');
	subscriptions_write((struct printer *)(uintptr_t)p, b);
	json_close(b, '}');
}
