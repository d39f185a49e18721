/* up_web.h - requests that are not IPP: login, registration, Graph. One struct from the first
 * header to the last byte; a handler sees it whole and fills in the answer. */
#ifndef TESTS_EMULATOR_UP_WEB_H
#define TESTS_EMULATOR_UP_WEB_H

#include <stdbool.h>
#include <sys/socket.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/clock.h"
#include "tests/emulator/faults.h"
#include "tests/emulator/host.h"
#include "tests/emulator/operations.h"
#include "tests/emulator/up.h"

#define WEB_SEGMENTS 4

struct web {
	struct sleeper sleeper;
	struct MHD_Connection *connection; /* borrowed */
	const struct host *host;           /* borrowed */
	char *method;
	char *path;
	struct buffer body;
	char *segment[WEB_SEGMENTS]; /* what the stars of the route stand for */
	const struct web_route *route;
	int operation;       /* enum web_operation */
	const char *printer; /* its id, for the record; borrowed */
	struct up_token *token;
	struct fault fault;
	bool delayed, answered;
	/* the answer */
	struct buffer json;
	const char *type; /* NULL: application/json */
	char *location;
	int retry_after; /* -1: none */
	bool bare;       /* no body at all */
	bool page;       /* `json` is HTML */
};

struct web_route {
	enum host_kind host;
	const char *method;
	const char *path; /* a star is one segment */
	enum web_operation operation;
	unsigned int (*handle)(struct web *w); /* HTTP status */
};

extern const struct web_route up_login_routes[], up_registration_routes[], up_graph_routes[];

struct MHD_Daemon *up_web_start(const struct sockaddr *address, struct host *host,
                                const struct host_tls *tls);
void up_web_stopping(void);

void web_violation(struct web *w, const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void web_notice(struct web *w, const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

const char *web_header(struct web *w, const char *name);
const char *web_query(struct web *w, const char *name);
char *web_form(struct web *w, const char *name); /* of the body; NULL: absent */
/* A member of the answer, unless a fault leaves it out. NULL and "" are left out too. */
void web_string(struct web *w, const char *key, const char *value);
void web_number(struct web *w, const char *key, int64_t value);

/* Entra's form of an error; gives `http` back. */
unsigned int web_oauth_error(struct web *w, unsigned int http, const char *error, int code,
                             const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The other services' form. */
unsigned int web_error(struct web *w, unsigned int http, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
