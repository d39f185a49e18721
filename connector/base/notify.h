/* notify.h - what systemd is told (sd_notify): nothing when it did not start us. Loop thread.
 * When systemd does not read just now, only "ready" and "reloading" wait until it does. */
#ifndef CONNECTOR_BASE_NOTIFY_H
#define CONNECTOR_BASE_NOTIFY_H

#include <stdbool.h>

struct clock;

void notify_ready(void);
/* False: it was not sent; to be tried again later. */
bool notify_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void notify_reloading(void); /* with MONOTONIC_USEC; followed by notify_ready() */
void notify_stopping(void);
/* Pats the watchdog at half of WATCHDOG_USEC, from a timer of the loop itself. */
void notify_watchdog_start(struct clock *clock);
void notify_watchdog_stop(void);

#endif
