/* certificates.c - certificates of printers expire: said at 60, 30, 7 and 1 days before and when
 * they have, in the journal once for each limit, in status for as long as it is so. */
#include <stdio.h>
#include <string.h>

#include "common/messages.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/journal.h"
#include "connector/core/core_private.h"

#define DAY_S  (24LL * 3600)
#define DAY_MS (DAY_S * 1000)

/* Days left, rounded down; -1: expired. */
static int64_t days_left(const struct printer *p)
{
	struct clock *clock = p->core->set.clock;
	int64_t left = p->not_after - clock->wall_ms(clock) / 1000;

	return left <= 0 ? -1 : left / DAY_S;
}

/* The lowest limit that is reached: 60, 30, 7, 1, 0 (expired); -1: none. */
static int limit_reached(const struct printer *p)
{
	static const int limits[] = { 1, 7, 30, 60 };
	int64_t days = p->not_after ? days_left(p) : 1000000;

	if (days < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (days < limits[i])
			return limits[i];
	return -1;
}

const enum health_code *certificate_health(const struct printer *p, char text[TEXT_SIZE])
{
	static const enum health_code expired = HEALTH_CERTIFICATE_EXPIRED,
				      expiring = HEALTH_CERTIFICATE_EXPIRING;
	int64_t days = days_left(p);
	int limit = limit_reached(p);

	if (limit < 0)
		return NULL;
	if (limit == 0)
		(void)snprintf(text, TEXT_SIZE, "the certificate of %.100s has expired",
		               p->record.queue);
	else if (days == 0)
		(void)snprintf(text, TEXT_SIZE, "the certificate of %.100s expires within a day",
		               p->record.queue);
	else
		(void)snprintf(text, TEXT_SIZE, "the certificate of %.100s expires in %s",
		               p->record.queue, COUNTED(days, "day", "days"));
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

void certificate_check(struct printer *p)
{
	struct log_about about = { .queue = p->record.queue, .cloud = p->record.cloud };
	int limit = limit_reached(p);
	const enum health_code *code;
	char text[TEXT_SIZE], remedy[TEXT_SIZE];
	bool said;

	if (p->warned_days == limit + 1)
		return;
	said = limit < 0 || is_said_already(p, limit);
	p->warned_days = limit + 1; /* 0: none, as it begins */
	code = said ? NULL : certificate_health(p, text);
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
		certificate_check(p);
	timer_start(t, DAY_MS);
}

void certificates_watch(struct core *c)
{
	timer_init(&c->certificate_timer, c->set.clock, on_day, c);
	timer_start(&c->certificate_timer, DAY_MS);
}
