#include "connector/cloud/universal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "common/err.h"
#include "common/uri.h"
#include "common/util.h"
#include "connector/base/http.h"
#include "connector/cloud/request.h"

/* A thousand printers ask in turn; over HTTP/1.1 each place is a connection. */
#define PLACES 32

#define REGISTRATION_MS 300000 /* as Microsoft's own sample */

#define PATH "/printers/ID"

#define ID_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

bool universal_is_id(const char *text)
{
	size_t len = strspn(text, ID_LETTERS);

	return len > 0 && len <= UNIVERSAL_ID_MAX && !text[len];
}

static int port_of(const struct uri *u)
{
	return u->port ? u->port : uri_is_encrypted(u) ? 443 : 80;
}

bool universal_is_same_host(const char *a, const char *b)
{
	struct uri x, y;

	return uri_parse(a, &x) == 0 && uri_parse(b, &y) == 0 && !x.userinfo && !y.userinfo &&
	       strcmp(x.scheme, y.scheme) == 0 && strcmp(x.host, y.host) == 0 &&
	       port_of(&x) == port_of(&y);
}

/* ---- what is configured ---- */

static int take_url(char **ret, const char *name, const char *text, struct err *err)
{
	struct uri u;
	size_t len;

	if (!text || !*text)
		return err_set(err, ERR_REJECTED, 0, "%s is not set", name);
	if (uri_parse(text, &u) < 0 || u.userinfo || strpbrk(u.path, "?#") ||
	    (strcmp(u.scheme, "https") != 0 && strcmp(u.scheme, "http") != 0))
		return err_set(err, ERR_REJECTED, 0, "%s is not an https:// address: %.100s", name,
		               text);
	if (!uri_is_encrypted(&u) && !uri_is_loopback(&u))
		return err_set(err, ERR_REJECTED, 0,
		               "%s would be spoken to unencrypted; use https://", name);
	len = strlen(text);
	while (len && text[len - 1] == '/')
		len--;
	*ret = xstrndup(text, len);
	return 0;
}

static int take_text(char **ret, const char *name, const char *text, struct err *err)
{
	if (!text || !*text)
		return err_set(err, ERR_REJECTED, 0, "%s is not set", name);
	*ret = xstrdup(text);
	return 0;
}

static char *system_name(void)
{
	struct utsname name;

	if (uname(&name) < 0)
		return xstrdup("Linux");
	return xasprintf("%s %s %s", name.sysname, name.release, name.machine);
}

static int take_settings(struct universal *u, const struct cloud_settings *s, struct err *err)
{
	if (take_url(&u->login_url, "login-url", s->login_url, err) < 0 ||
	    take_url(&u->registration_url, "registration-url", s->registration_url, err) < 0 ||
	    take_url(&u->print_url, "print-url", s->print_url, err) < 0 ||
	    take_url(&u->notification_url, "notification-url", s->notification_url, err) < 0 ||
	    take_text(&u->tenant, "tenant", s->tenant, err) < 0 ||
	    take_text(&u->client_id, "client-id", s->client_id, err) < 0 ||
	    take_text(&u->scope, "scope", s->scope, err) < 0 ||
	    take_text(&u->resource, "resource", s->resource, err) < 0)
		return -1;
	if (u->tenant[strspn(u->tenant, ID_LETTERS ".")])
		return err_set(err, ERR_REJECTED, 0, "tenant is neither a name nor an id: %.60s",
		               u->tenant);
	u->connector_name = xstrdup(s->connector_name ? s->connector_name : "print-connector");
	u->system = system_name();
	u->x5c_string = s->x5c_string;
	u->notification_path = xstrdup(s->notification_path ? s->notification_path : PATH);
	u->notification_names_print = s->notification_names_print;
	u->registration_timeout_ms =
		s->registration_timeout_ms ? s->registration_timeout_ms : REGISTRATION_MS;
	return 0;
}

static struct http_peer *connect_with(const struct cloud_settings *s, unsigned places)
{
	struct http_peer_settings settings = {
		.ca_file = s->ca_file,
		.proxy = s->proxy,
		.http2 = true,
		.max_active = places,
	};

	return http_peer_new(s->http, &settings);
}

int universal_open(struct universal **ret, const struct cloud_settings *settings, struct err *err)
{
	struct universal *u = xcalloc(1, sizeof(*u));

	if (take_settings(u, settings, err) < 0) {
		universal_close(u);
		return -1;
	}
	u->web = connect_with(settings, PLACES);
	u->print = connect_with(settings, PLACES);
	u->notification = connect_with(settings, PLACES);
	u->documents = connect_with(settings, 0);
	*ret = u;
	return 0;
}

void universal_close(struct universal *u)
{
	if (!u)
		return;
	http_peer_free(u->web);
	http_peer_free(u->print);
	http_peer_free(u->notification);
	http_peer_free(u->documents);
	free(u->login_url);
	free(u->registration_url);
	free(u->print_url);
	free(u->notification_url);
	free(u->notification_path);
	free(u->tenant);
	free(u->client_id);
	free(u->scope);
	free(u->resource);
	free(u->connector_name);
	free(u->system);
	free(u);
}

/* ---- addresses ---- */

int universal_printer_uri(const struct universal *u, const char *id, char *ret, size_t size,
                          struct err *err)
{
	int n = snprintf(ret, size, "%s/printers/%s", u->print_url, id);

	if (n < 0 || (size_t)n >= size)
		return err_set(err, ERR_REJECTED, 0, "the printer's address is too long");
	return 0;
}

/* The URL below base where requests go. */
static char *url_of(const char *base, const char *path, const char *id)
{
	const char *at = strstr(path, "ID");

	return at ? xasprintf("%s%.*s%s%s", base, (int)(at - path), path, id, at + 2)
	          : xasprintf("%s%s", base, path);
}

/* As the service spells it: the port only where it was configured (its own clients leave out 443,
 * though that is not the port of ipps). named: the URL whose host printer-uri has. */
static int fill_target(struct target *t, char *url, const char *named, const char *id,
                       struct err *err)
{
	const char *rest = strstr(named, "://");
	bool secure = strncmp(named, "https", 5) == 0;
	int n = snprintf(t->device_uri, sizeof(t->device_uri), "urn:uuid:%s", id);

	t->url = url;
	if (n < 0 || (size_t)n >= sizeof(t->device_uri) || strlen(url) > URI_SIZE / 2 ||
	    strlen(named) + strlen(id) > URI_SIZE / 2)
		return err_set(err, ERR_REJECTED, 0, "the printer's address is too long");
	t->printer_uri = xasprintf("%s%s/printers/%s", secure ? "ipps" : "ipp", rest, id);
	t->device_first = true;
	return 0;
}

int universal_targets(const struct universal *u, const char *printer_uri, const char *id,
                      struct target *print, struct target *notification, struct err *err)
{
	if (!universal_is_id(id))
		return err_set(err, ERR_REJECTED, 0, "not the id of a printer: %.60s", id);
	/* a token goes nowhere else than to the hosts that are configured */
	if (printer_uri && !universal_is_same_host(printer_uri, u->print_url))
		return err_set(err, ERR_REJECTED, 0,
		               "the printer is at %.80s, which is not the configured print-url",
		               printer_uri);
	if (fill_target(print, url_of(u->print_url, PATH, id), u->print_url, id, err) < 0)
		return -1;
	return fill_target(notification, url_of(u->notification_url, u->notification_path, id),
	                   u->notification_names_print ? u->print_url : u->notification_url, id,
	                   err);
}

void universal_explain(const struct err *err, struct err *ret)
{
	if (err->kind == ERR_GONE && err->code > 599)
		(void)err_set(ret, ERR_GONE, err->code,
		              "the printer was deleted in the portal; unregister it here");
	else if (err->kind == ERR_GONE)
		(void)err_set(
			ret, ERR_GONE, err->code,
			"no such printer at the cloud (HTTP %d); check print-url, or unregister "
			"it and register it again",
			err->code);
	else
		(void)err_set(ret, ERR_DENIED, err->code,
		              "the cloud does not accept the printer's certificate, or consent is "
		              "gone (%.60s); grant it in the Entra portal or register --renew",
		              err->text);
}
