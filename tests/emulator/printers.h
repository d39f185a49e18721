/* printers.h - Infrastructure Printers, the output devices that are associated with them, and what
 * a client sees of both together. */
#ifndef TESTS_EMULATOR_PRINTERS_H
#define TESTS_EMULATOR_PRINTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <cups/ipp.h>

#include "tests/emulator/quirks.h"

struct buffer;
struct exchange;
struct job;
struct subscription;
struct up_printer;

enum printer_auth { AUTH_NONE, AUTH_BASIC, AUTH_CERTIFICATE };

struct device {
	TAILQ_ENTRY(device) entry;
	char *uuid;   /* output-device-uuid */
	ipp_t *attrs; /* group 4, as last sent */
	int state;    /* printer-state, 5 until told */
	int64_t first_us, last_us;
	int updates;
};

struct identify {
	bool pending;
	char *actions; /* joined by ',' */
	char *message;
};

struct printer {
	TAILQ_ENTRY(printer) entry;
	TAILQ_ENTRY(printer) hash_entry;
	char *name;
	char *path; /* /ipp/print/NAME */
	char uuid[46];
	enum printer_auth auth;
	char *user, *password;
	char *fingerprint; /* of the one certificate admitted, NULL: common name = name */
	uint64_t quirks;
	bool content_length; /* documents by Content-Length instead of chunked */
	int64_t wait_ms;     /* longest long poll */
	int64_t event_life_s;
	bool paused;
	struct up_printer *up; /* NULL: not of Universal Print; borrowed */
	struct identify identify;
	TAILQ_HEAD(, device) devices;
	struct job **jobs; /* ids without gaps, from first_id */
	int job_count, job_cap, first_id, next_id;
	TAILQ_HEAD(, job) active;
	struct job *last_finished; /* for quirk ippserver.4 */
	struct job **lost;         /* forgotten ones, for the ledger */
	int lost_count;
	TAILQ_HEAD(, subscription) subscriptions;
	TAILQ_HEAD(, exchange) waiters; /* long polls */
	int waiting;
	int64_t polls_wasted; /* long polls that brought nothing new */
	int64_t state_changed_us, started_us;
	int drop_events, repeat_events; /* how many more */
	int64_t operations[256];        /* counters by code */
	int64_t cups_operations;
};

/* "NAME,auth=none|basic:USER:PASSWORD|cert[:SHA256],quirks=A+B,transfer=chunked|length,
 * wait=MS,event-life=S". -1: `why` says what is wrong with it. */
int printers_add(const char *spec, struct printer **ret, char **why);
/* One that nobody finds: holds the credentials of /ipp/system. */
struct printer *printer_new_unlisted(void);
/* The same options for a printer that is there. */
int printer_configure(struct printer *p, const char *options, char **why);
void printer_remove(struct printer *p);
struct printer *printers_find(const char *name, size_t len);
struct printer *printers_first(void);
struct printer *printer_next(struct printer *p);
void printers_free(void);

static inline bool printer_quirk(const struct printer *p, enum quirk q)
{
	return quirks_has(p->quirks, q);
}

struct device *device_find(struct printer *p, const char *uuid);
struct device *device_add(struct printer *p, const char *uuid);
void device_remove(struct printer *p, struct device *d);
/* Takes the attributes of group 4; names not taken go to the unsupported group of `answer`. */
int device_update(struct printer *p, struct device *d, ipp_t *request, ipp_t *answer);

enum { FORGET_DEVICES = 1, FORGET_SUBSCRIPTIONS = 2, FORGET_JOBS = 4, FORGET_DOCUMENTS = 8 };
void printer_forget(struct printer *p, unsigned int what, bool renumber);

int printer_state(const struct printer *p); /* composite, PWG 5100.18 table 1 */
void printer_set_paused(struct printer *p, bool paused);
int printer_queued(const struct printer *p);
bool printer_takes_format(const struct printer *p, const char *format);
void printer_write_ipp(const struct printer *p, const char *host, bool tls, ipp_t *to,
                       bool (*wanted)(const char *name, void *data), void *data);
void printer_write_json(const struct printer *p, struct buffer *b);

/* Names a proxy MUST NOT forward (PWG 5100.18 table 9). */
bool attribute_is_forbidden(const char *name);

#endif
