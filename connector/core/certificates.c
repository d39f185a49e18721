/* certificates.c - certificates of printers expire: said at 60, 30, 7 and 1 days before and when
 * they have, in the journal once for each limit, in status for as long as it is so.
 *
 * Reading one takes a quarter of a millisecond, so that a thousand would hold up a start: they are
 * read behind it, a few at a time. One that cannot be read is said so once; the printer's channel
 * meets the same and says what it means. */
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/config.h"
#include "common/fs.h"
#include "common/messages.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/crypto.h"
#include "connector/base/journal.h"
#include "connector/core/core_private.h"

#define DAY_S        (24LL * 3600)
#define DAY_MS       (DAY_S * 1000)
#define PEM_MAX      (64 * 1024)
#define READ_AT_ONCE 8 /* then the loop has its turn */

/* Days left, rounded down; -1: expired. */
static int64_t days_left(int64_t not_after, struct clock *clock)
{
	int64_t left = not_after - clock->wall_ms(clock) / 1000;

	return left <= 0 ? -1 : left / DAY_S;
}

/* The lowest limit that is reached: 60, 30, 7, 1, 0 (expired); -1: none. */
static int limit_reached(int64_t not_after, struct clock *clock)
{
	static const int limits[] = { 1, 7, 30, 60 };
	int64_t days = not_after ? days_left(not_after, clock) : 1000000;

	if (days < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (days < limits[i])
			return limits[i];
	return -1;
}

const enum health_code *certificate_health(const char *queue, int64_t not_after,
                                           struct clock *clock, char text[TEXT_SIZE])
{
	static const enum health_code expired = HEALTH_CERTIFICATE_EXPIRED,
				      expiring = HEALTH_CERTIFICATE_EXPIRING;
	int64_t days = days_left(not_after, clock);
	int limit = limit_reached(not_after, clock);

	if (limit < 0)
		return NULL;
	if (limit == 0)
		(void)snprintf(text, TEXT_SIZE, "the certificate of %.100s has expired", queue);
	else if (days == 0)
		(void)snprintf(text, TEXT_SIZE, "the certificate of %.100s expires within a day",
		               queue);
	else
		(void)snprintf(text, TEXT_SIZE, "the certificate of %.100s expires in %s", queue,
		               COUNTED(days, "day", "days"));
	return limit == 0 ? &expired : &expiring;
}

/* Several printers may show one certificate, the cloud's: the first one speaks for all. */
static bool is_said_already(const struct printer *p, int limit)
{
	for (const struct printer *other = p->core->printers; other; other = other->next)
		if (other != p && other->warned_days == limit + 1 &&
		    strcmp(other->certificate_sha256, p->certificate_sha256) == 0)
			return true;
	return false;
}

static void check(struct printer *p)
{
	struct log_about about = { .queue = p->record.queue, .cloud = p->record.cloud };
	struct clock *clock = p->core->set.clock;
	int limit = limit_reached(p->not_after, clock);
	const enum health_code *code;
	char text[TEXT_SIZE], remedy[TEXT_SIZE];
	bool said;

	if (p->warned_days == limit + 1)
		return;
	said = limit < 0 || is_said_already(p, limit);
	p->warned_days = limit + 1; /* 0: none, as it begins */
	code = said ? NULL : certificate_health(p->record.queue, p->not_after, clock, text);
	if (!code)
		return;
	about.message_id =
		message_id(limit == 0 ? MESSAGE_CERTIFICATE_EXPIRED : MESSAGE_CERTIFICATE_EXPIRING);
	health_remedy(*code, p->record.queue, remedy, sizeof(remedy));
	log_event(limit == 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, &about, "%s; %s", text, remedy);
}

static void on_day(struct timer *t)
{
	struct core *c = t->data;

	for (struct printer *p = c->printers; p; p = p->next)
		check(p);
	timer_start(t, DAY_MS);
}

int certificate_read(const char *state_directory, const struct printer_record *r,
                     const struct config_cloud *cloud, struct crypto_certificate *ret,
                     struct err *err)
{
	char key[URI_SIZE], path[URI_SIZE];
	AUTO(buf_clear) struct buf pem;

	buf_init(&pem, PEM_MAX);
	printer_credentials(state_directory, r, cloud, key, path);
	if (!*path)
		return 0;
	if (fs_read_linked(path, pem.limit, &pem, err) < 0 ||
	    crypto_certificate_read(buf_text(&pem), ret, err) < 0)
		return -1;
	return 1;
}

static void look_at(struct printer *p)
{
	const struct config_cloud *cloud = config_cloud(p->core->set.config, p->record.cloud);
	struct crypto_certificate certificate;
	struct err err;
	int rc;

	rc = certificate_read(p->core->set.state_directory, &p->record, cloud, &certificate, &err);
	if (rc < 0)
		log_event(LOG_LEVEL_WARNING, &(struct log_about){ .queue = p->record.queue },
		          "certificate of printer %s: %s", p->record.queue, err.text);
	if (rc <= 0)
		return;
	p->not_after = certificate.not_after;
	(void)str_copy(p->certificate_sha256, sizeof(p->certificate_sha256), certificate.sha256);
}

static void on_reader(struct timer *t)
{
	struct core *c = t->data;
	unsigned count = 0;

	for (struct printer *p = c->printers; p; p = p->next) {
		if (!p->certificate_unread)
			continue;
		if (count++ == READ_AT_ONCE) {
			timer_start(t, 1);
			return;
		}
		p->certificate_unread = false;
		look_at(p);
		check(p);
	}
}

void certificate_changed(struct printer *p)
{
	p->certificate_unread = true;
	timer_start(&p->core->certificate_reader, 1);
}

void certificates_watch(struct core *c)
{
	timer_init(&c->certificate_reader, c->set.clock, on_reader, c);
	timer_init(&c->certificate_timer, c->set.clock, on_day, c);
	timer_start(&c->certificate_timer, DAY_MS);
}
