#include "connector/core/doctor_printer.h"

#include <stdio.h>
#include <string.h>

#include "common/str.h"
#include "connector/core/core_private.h"
#include "connector/core/defaults.h"

static void tell(struct doctor *d, const struct printer_record *p, enum doctor_step step,
                 enum doctor_mark mark, const char *text)
{
	doctor_tell(d, step, mark, p->cloud, p->queue, text);
}

static bool has_others(const struct doctor *d, const struct printer_record *r)
{
	unsigned same = 0;

	for (const struct printer *p = d->world.core ? d->world.core->printers : NULL; p;
	     p = p->next)
		same += strcmp(p->record.queue, r->queue) == 0;
	for (size_t i = 0; i < d->world.record_count; i++)
		same += strcmp(d->world.records[i].queue, r->queue) == 0;
	return same > 1;
}

/* What helps with one of several printers of a queue helps with that one only. */
static void tell_of_printer(struct doctor *d, const struct printer_record *p, enum doctor_step step,
                            enum doctor_mark mark, const char *text)
{
	char remedy[DOCTOR_REMEDY_SIZE], whole[TEXT_SIZE + sizeof(remedy)], words[WORDS_SIZE];

	doctor_remedy(step, record_words(p, has_others(d, p), words), remedy, sizeof(remedy));
	(void)snprintf(whole, sizeof(whole), "%s; %s", text, remedy);
	tell(d, p, step, mark, mark == DOCTOR_PASS || strstr(text, "; ") ? text : whole);
}

static void look_at_certificate(struct doctor *d, const struct printer_record *p, int64_t not_after)
{
	char text[TEXT_SIZE];
	const enum health_code *code =
		certificate_health(p->queue, not_after, d->world.clock, text);
	int64_t now = d->world.clock->wall_ms(d->world.clock) / 1000;

	if (!not_after)
		return;
	if (!code)
		(void)snprintf(text, sizeof(text), "the certificate of %.80s is good for %s",
		               p->queue, COUNTED((not_after - now) / 86400, "day", "days"));
	tell_of_printer(d, p, DOCTOR_CERTIFICATE,
	                !code                                 ? DOCTOR_PASS
	                : *code == HEALTH_CERTIFICATE_EXPIRED ? DOCTOR_FAIL
	                                                      : DOCTOR_WARN,
	                text);
}

static void look_at_refusal(struct doctor *d, const struct printer *p, const struct err *err)
{
	char text[sizeof(err->text) + DOCTOR_REMEDY_SIZE], again[DOCTOR_REMEDY_SIZE];

	enum doctor_step step =
		err->kind != ERR_GONE && *p->record.identity.device ? DOCTOR_TOKEN : DOCTOR_PRINTER;

	if (step == DOCTOR_TOKEN ||
	    !core_again(d->world.config, &p->record, true, again, sizeof(again)))
		(void)str_copy(text, sizeof(text), err->text);
	else
		(void)snprintf(text, sizeof(text), "%.*s; %s", (int)strcspn(err->text, ";"),
		               err->text, again);
	tell_of_printer(d, &p->record, step, DOCTOR_FAIL, text);
}

static void look_at_channel(struct doctor *d, const struct printer *p)
{
	const struct err *err = &p->channel_err;
	char text[TEXT_SIZE];

	switch (p->channel_state) {
	case CHANNEL_ONLINE:
		(void)snprintf(text, sizeof(text), "cloud %.60s knows %.100s", p->record.cloud,
		               p->record.queue);
		tell_of_printer(d, &p->record, DOCTOR_PRINTER, DOCTOR_PASS, text);
		(void)snprintf(text, sizeof(text), "%.100s gets its tokens", p->record.queue);
		if (*p->record.identity.device)
			tell_of_printer(d, &p->record, DOCTOR_TOKEN, DOCTOR_PASS, text);
		(void)snprintf(text, sizeof(text), "%.100s is connected with cloud %.60s",
		               p->record.queue, p->record.cloud);
		tell_of_printer(d, &p->record, DOCTOR_CHANNEL, DOCTOR_PASS, text);
		return;
	case CHANNEL_CONNECTING:
		(void)snprintf(
			text, sizeof(text),
			"%.100s is connecting; print-connector doctor in a minute tells more",
			p->record.queue);
		tell_of_printer(d, &p->record, DOCTOR_CHANNEL, DOCTOR_WARN, text);
		return;
	case CHANNEL_REFUSED:
		look_at_refusal(d, p, err);
		return;
	case CHANNEL_OFFLINE:
		(void)snprintf(text, sizeof(text), "%.100s is not connected", p->record.queue);
		tell_of_printer(d, &p->record, DOCTOR_CHANNEL, DOCTOR_FAIL,
		                *err->text ? err->text : text);
		return;
	}
}

static void look_at_defaults(struct doctor *d, const struct printer *p)
{
	char text[TEXT_SIZE], more[48] = "", all[sizeof(text) + sizeof(more)];
	size_t lost = defaults_count(p, text);

	if (!lost)
		return;
	if (lost > 1)
		(void)snprintf(more, sizeof(more), ", and %zu more like it", lost - 1);
	(void)snprintf(all, sizeof(all), "%s%s", text, more);
	tell(d, &p->record, DOCTOR_DEFAULTS, DOCTOR_WARN, all);
}

static void look_at_pause(struct doctor *d, const struct printer_record *p)
{
	char text[TEXT_SIZE];

	(void)snprintf(text, sizeof(text), "%.100s is paused", p->queue);
	if (p->paused)
		tell_of_printer(d, p, DOCTOR_PAUSED, DOCTOR_WARN, text);
}

void doctor_look_at_printer(struct doctor *d, const struct printer *p)
{
	look_at_certificate(d, &p->record, p->not_after);
	if (!printer_is_mine(p) || !p->service || p->record.registering)
		tell_of_printer(d, &p->record, DOCTOR_CHANNEL, DOCTOR_FAIL, WHY_NOT(p));
	else
		look_at_channel(d, p);
	look_at_pause(d, &p->record);
	look_at_defaults(d, p);
}

void doctor_look_at_record(struct doctor *d, const struct printer_record *p)
{
	const struct config_cloud *cloud = config_cloud(d->world.config, p->cloud);
	struct crypto_certificate certificate = { .not_after = 0 };
	char text[sizeof(((struct err *)NULL)->text) + 200];
	struct err err;

	if (certificate_read(d->world.config->state_directory, p, cloud, &certificate, &err) < 0) {
		(void)snprintf(text, sizeof(text), "the certificate of %.80s: %s", p->queue,
		               err.text);
		tell_of_printer(d, p, DOCTOR_CERTIFICATE, DOCTOR_FAIL, text);
	}
	look_at_certificate(d, p, certificate.not_after);
	if (cloud == NULL || p->registering) {
		(void)snprintf(text, sizeof(text),
		               cloud ? "the registration of %.80s was not finished; "
		                       "print-connector register %.80s goes on with it"
		                     : "the cloud of %.80s is not in the settings; put "
		                       "[cloud %.60s] back into them",
		               p->queue, cloud ? p->queue : p->cloud);
		tell_of_printer(d, p, DOCTOR_CHANNEL, DOCTOR_FAIL, text);
	}
	look_at_pause(d, p);
}

static void tell_status(struct doctor *d, const struct printer_record *p,
                        const struct queue_status *status, bool asked)
{
	bool cups = !strstr(p->queue, "://");
	char text[TEXT_SIZE];

	switch (status->health) {
	case QUEUE_UNKNOWN:
		(void)snprintf(text, sizeof(text),
		               "%.100s has not answered yet; print-connector doctor in a minute "
		               "tells more",
		               p->queue);
		tell(d, p, DOCTOR_QUEUE, DOCTOR_WARN, text);
		return;
	case QUEUE_READY:
		(void)snprintf(text, sizeof(text), "%.100s takes jobs", p->queue);
		tell(d, p, DOCTOR_QUEUE, DOCTOR_PASS, text);
		(void)snprintf(text, sizeof(text), "%.100s would take one of ours", p->queue);
		if (asked)
			tell(d, p, DOCTOR_VALIDATE, DOCTOR_PASS, text);
		(void)snprintf(text, sizeof(text),
		               "%.100s writes to a file: jobs are called completed though nothing "
		               "comes out on paper",
		               p->queue);
		if (status->to_file)
			tell(d, p, DOCTOR_OUTPUT, DOCTOR_WARN, text);
		return;
	case QUEUE_STOPPED:
	case QUEUE_HALTED:
	case QUEUE_MISSING:
		tell(d, p, DOCTOR_QUEUE, DOCTOR_FAIL, status->text);
		return;
	case QUEUE_UNREACHABLE:
		tell(d, p, DOCTOR_DEVICE, DOCTOR_FAIL, status->text);
		return;
	case QUEUE_UNTRUSTED:
		tell(d, p, DOCTOR_KEY, DOCTOR_FAIL, status->text);
		return;
	case QUEUE_DOWN:
		/* CUPS has a task of its own */
		tell(d, p, cups ? DOCTOR_QUEUE : DOCTOR_DEVICE, DOCTOR_FAIL, status->text);
		return;
	}
}

void doctor_look_at_seen(struct doctor *d, const struct printer *p)
{
	tell_status(d, &p->record, d->world.queue_ops->status(p->queue), false);
}

void doctor_look_at_queue(struct doctor *d, const struct printer_record *p,
                          const struct queue_status *status, const struct err *err)
{
	bool cups = !strstr(p->queue, "://");
	char text[TEXT_SIZE];

	if (err->kind == ERR_NONE) {
		tell_status(d, p, status, true);
		return;
	}
	if (http_is_untrusted(err) && *p->pinned_key) {
		(void)snprintf(text, sizeof(text), "%.120s does not show the key that it had",
		               p->queue);
		tell(d, p, DOCTOR_KEY, DOCTOR_FAIL, text);
		return;
	}
	tell(d, p,
	     http_is_untrusted(err)          ? DOCTOR_KEY
	     : err->kind == ERR_REJECTED     ? DOCTOR_VALIDATE
	     : cups || err->kind == ERR_GONE ? DOCTOR_QUEUE
	                                     : DOCTOR_DEVICE,
	     DOCTOR_FAIL, err->text);
}
