#include "tests/emulator/up_admin.h"

#include <string.h>

#include <microhttpd.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/json.h"
#include "tests/emulator/record.h"
#include "tests/emulator/up.h"
#include "tests/emulator/up_hosts.h"
#include "tests/emulator/up_login.h"
#include "tests/emulator/waits.h"

struct call {
	struct MHD_Connection *connection;
	struct buffer *json;
	char *why;
};

static int wrong(struct call *c, char *why)
{
	c->why = why;
	return -1;
}

static int decide(struct call *c, int approve)
{
	const char *code = query(c->connection, "code");

	if (up_login_decide(code, approve) < 0)
		return wrong(c, xprintf("code=%s: no such code is waiting", code ? code : ""));
	return 0;
}

static int post_approve(struct call *c)
{
	return decide(c, 1);
}

static int post_decline(struct call *c)
{
	return decide(c, 0);
}

static int get_codes(struct call *c)
{
	up_login_write_codes(c->json);
	return 0;
}

static int get_tokens(struct call *c)
{
	up_tokens_write(c->json);
	return 0;
}

/* All that must appear in no log: a list of texts. */
static int get_secrets(struct call *c)
{
	json_open(c->json, "codes_and_nonces", '[');
	up_login_write_secrets(c->json);
	json_close(c->json, ']');
	up_tokens_write(c->json);
	return 0;
}

static int get_printers(struct call *c)
{
	up_printers_write(c->json);
	return 0;
}

static struct up_printer *need_printer(struct call *c)
{
	const char *id = query(c->connection, "printer");
	struct up_printer *p = id ? up_printer_find(id) : NULL;

	if (p == NULL)
		wrong(c, xprintf("printer=%s: never registered", id ? id : ""));
	return p;
}

static int delete_printers(struct call *c)
{
	struct up_printer *p = need_printer(c);

	if (p == NULL)
		return -1;
	up_printer_delete(p);
	return 0;
}

static int post_revoke(struct call *c)
{
	const char *kind = query(c->connection, "kind");
	enum up_token_kind which = UP_TOKEN_PRINTER;
	struct up_printer *p = NULL;

	if (kind != NULL && strcmp(kind, "user") == 0)
		which = UP_TOKEN_USER;
	if (query(c->connection, "printer") != NULL) {
		p = need_printer(c);
		if (p == NULL)
			return -1;
	}
	json_number(c->json, "revoked", up_tokens_revoke(which, p));
	return 0;
}

static int get_hosts(struct call *c)
{
	up_hosts_write_connections(c->json);
	return 0;
}

static int post_down(struct call *c)
{
	struct host *h = up_hosts_find(query(c->connection, "host"));

	if (h == NULL)
		return wrong(c, xprintf("want host=login, registration, print, notification or "
		                        "graph, and down=0|1"));
	h->down = query_number(c->connection, "down", 1) != 0;
	return 0;
}

static int post_events(struct call *c)
{
	struct up_printer *p = need_printer(c);

	if (p == NULL)
		return -1;
	p->reverse = (int)query_number(c->connection, "reverse", 1);
	return 0;
}

static int get_settings(struct call *c)
{
	up_settings_write(c->json);
	return 0;
}

static enum MHD_Result on_setting(void *data, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
	struct call *c = data;

	(void)kind;
	return up_set(name, value ? value : "", &c->why) < 0 ? MHD_NO : MHD_YES;
}

static int put_settings(struct call *c)
{
	MHD_get_connection_values(c->connection, MHD_GET_ARGUMENT_KIND, on_setting, c);
	return c->why ? -1 : 0;
}

static const struct {
	const char *method;
	const char *path;
	int (*handle)(struct call *c);
} routes[] = {
	{ "POST", "/up/approve", post_approve },
	{ "POST", "/up/decline", post_decline },
	{ "GET", "/up/codes", get_codes },
	{ "GET", "/up/tokens", get_tokens },
	{ "GET", "/up/secrets", get_secrets },
	{ "GET", "/up/printers", get_printers },
	{ "DELETE", "/up/printers", delete_printers },
	{ "POST", "/up/revoke", post_revoke },
	{ "GET", "/up/hosts", get_hosts },
	{ "POST", "/up/down", post_down },
	{ "POST", "/up/events", post_events },
	{ "GET", "/up/settings", get_settings },
	{ "PUT", "/up/settings", put_settings },
};

unsigned int up_admin(struct MHD_Connection *connection, const char *method, const char *path,
                      struct buffer *json, char **why)
{
	struct call c = { connection, json, NULL };
	size_t i;

	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(routes[i].method, method) != 0 || strcmp(routes[i].path, path) != 0)
			continue;
		record_changes++;
		if (routes[i].handle(&c) == 0)
			return MHD_HTTP_OK;
		*why = c.why;
		return MHD_HTTP_BAD_REQUEST;
	}
	*why = xprintf("%s %s: nothing here", method, path);
	return MHD_HTTP_NOT_FOUND;
}
