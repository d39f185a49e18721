#include "connector/base/notify.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "common/str.h"

#include "connector/base/clock.h"

static struct {
	struct timer timer;
	int64_t interval_ms;
	bool running;
} watchdog;

/* sd_notify() waits while systemd does not read: what may be left out is sent only when it does. */
static bool has_room(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct pollfd p = { .events = POLLOUT };
	bool room = true;

	if (!path || str_copy(un.sun_path, sizeof(un.sun_path), path) < 0)
		return true; /* nobody to tell, or not of this kind */
	if (*un.sun_path == '@')
		*un.sun_path = '\0';
	p.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p.fd < 0)
		return false;
	if (connect(p.fd, (struct sockaddr *)&un,
	            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) == 0)
		room = poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
	(void)close(p.fd);
	return room;
}

void notify_ready(void)
{
	(void)sd_notify(0, "READY=1");
}

bool notify_status(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (!has_room())
		return false;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = ' ';
	(void)sd_notifyf(0, "STATUS=%s", text);
	return true;
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
	if (has_room())
		(void)sd_notify(0, "STOPPING=1");
}

static void on_watchdog(struct timer *t)
{
	bool room = has_room();

	if (room)
		(void)sd_notify(0, "WATCHDOG=1");
	timer_start(t, room ? watchdog.interval_ms : watchdog.interval_ms / 8 + 1);
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
