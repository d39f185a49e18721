#include "connector/base/notify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "connector/base/clock.h"

static struct {
	struct timer timer;
	int64_t interval_ms;
	bool running;
} watchdog;

void notify_ready(void)
{
	(void)sd_notify(0, "READY=1");
}

void notify_status(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = ' ';
	(void)sd_notifyf(0, "STATUS=%s", text);
}

void notify_reloading(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIi64,
	                 (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void notify_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}

static void on_watchdog(struct timer *t)
{
	(void)sd_notify(0, "WATCHDOG=1");
	timer_start(t, watchdog.interval_ms);
}

void notify_watchdog_start(struct clock *clock)
{
	uint64_t usec = 0;

	if (watchdog.running || sd_watchdog_enabled(0, &usec) <= 0)
		return;
	watchdog.running = true;
	watchdog.interval_ms = usec >= 2000 ? (int64_t)(usec / 2000) : 1;
	timer_init(&watchdog.timer, clock, on_watchdog, NULL);
	on_watchdog(&watchdog.timer);
}

void notify_watchdog_stop(void)
{
	if (watchdog.running)
		timer_stop(&watchdog.timer);
	watchdog.running = false;
}
