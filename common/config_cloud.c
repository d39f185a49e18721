#include "common/config_cloud.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/config.h"
#include "common/config_table.h"
#include "common/err.h"
#include "common/ini.h"
#include "common/uri.h"
#include "common/str.h"
#include "common/util.h"

/* clang-format off */
static const char *const infra_keys[] = {
	"uri", "system-uri", "username", "password-file", "certificate-file", "key-file",
};
static const char *const universal_keys[] = {
	"environment", "client-id", "tenant", "login-url", "registration-url", "print-url",
	"notification-url", "graph-url", "resource", "scope", "x5c",
	"notification-path", "notification-printer-uri", "registration-timeout",
};

/* Microsoft's clouds. The notification hosts of those for the US government are by the pattern of
 * their print hosts: no page names them. */
static const struct {
	const char *login, *registration, *print, *notification, *graph, *resource;
} environments[] = {
	[CONFIG_ENVIRONMENT_COMMERCIAL] = {
		"https://login.microsoftonline.com", "https://register.print.microsoft.com",
		"https://print.print.microsoft.com", "https://notification.print.microsoft.com",
		"https://graph.microsoft.com/v1.0", "https://print.print.microsoft.com",
	},
	[CONFIG_ENVIRONMENT_GCC] = {
		"https://login.microsoftonline.com", "https://gcc-register.print.azure.us",
		"https://gcc-print.print.azure.us", "https://gcc-notification.print.azure.us",
		"https://graph.microsoft.com/v1.0", "https://print.print.microsoft.com",
	},
	[CONFIG_ENVIRONMENT_GCC_HIGH] = {
		"https://login.microsoftonline.us", "https://register.print.azure.us",
		"https://print.print.azure.us", "https://notification.print.azure.us",
		"https://graph.microsoft.us/v1.0", "https://print.print.azure.us",
	},
	[CONFIG_ENVIRONMENT_DOD] = {
		"https://login.microsoftonline.us", "https://register.print-dod.azure.us",
		"https://print.print-dod.azure.us", "https://notification.print-dod.azure.us",
		"https://dod-graph.microsoft.us/v1.0", "https://print.print.azure.us",
	},
};
/* clang-format on */

bool config_cloud_has(const struct config_cloud *cloud, const char *key)
{
	switch (cloud->type) {
	case CONFIG_CLOUD_NONE:
		return true;
	case CONFIG_CLOUD_IPP_INFRA:
		return !str_is_listed(key, universal_keys, ARRAY_SIZE(universal_keys));
	case CONFIG_CLOUD_UNIVERSAL_PRINT:
		return !str_is_listed(key, infra_keys, ARRAY_SIZE(infra_keys));
	}
	return true;
}

static void set_default(char **field, const char *text)
{
	if (**field)
		return;
	free(*field);
	*field = xstrdup(text);
}

void config_cloud_fill(struct config_cloud *cloud)
{
	AUTO(free_str) char *scope = NULL;

	if (cloud->type != CONFIG_CLOUD_UNIVERSAL_PRINT)
		return;
	set_default(&cloud->tenant, "organizations");
	set_default(&cloud->login_url, environments[cloud->environment].login);
	set_default(&cloud->registration_url, environments[cloud->environment].registration);
	set_default(&cloud->print_url, environments[cloud->environment].print);
	set_default(&cloud->notification_url, environments[cloud->environment].notification);
	set_default(&cloud->graph_url, environments[cloud->environment].graph);
	set_default(&cloud->resource, environments[cloud->environment].resource);
	scope = xasprintf("%s/Printers.Create", cloud->resource);
	set_default(&cloud->scope, scope);
}

/* ---- checks ---- */

struct check {
	const struct config_cloud *cloud;
	struct buf *problems;
	struct err *err;
	int rc;
};

static void add_problem(struct check *c, const struct err *problem)
{
	c->rc |= ini_problem(c->problems, c->cloud->where, problem, c->err);
}

/* Both or none. */
static void check_pair(struct check *c, const char *key, const char *value, const char *other_key,
                       const char *other)
{
	struct err problem;

	if (!*value || *other)
		return;
	(void)err_set(&problem, ERR_REJECTED, 0, "[cloud %s] %s needs %s; set both", c->cloud->name,
	              key, other_key);
	add_problem(c, &problem);
}

static void check_uri(struct check *c, const char *key, const char *text)
{
	struct err problem;
	struct uri uri;

	if (!*text || uri_parse(text, &uri) < 0 || uri_is_encrypted(&uri) || uri_is_loopback(&uri))
		return;
	(void)err_set(&problem, ERR_REJECTED, 0,
	              "[cloud %s] %s: plain %s is allowed to this host only; use %ss://",
	              c->cloud->name, key, uri.scheme, uri.scheme);
	add_problem(c, &problem);
}

static void check_word(struct check *c, const char *key, const char *text)
{
	struct err problem;

	if (strcmp(key, "resource") == 0 ? !strpbrk(text, " \t\"\\") : !strpbrk(text, "\"\\"))
		return;
	(void)err_set(&problem, ERR_REJECTED, 0, "[cloud %s] %s must be without quotes%s",
	              c->cloud->name, key, strcmp(key, "resource") == 0 ? " and blanks" : "");
	add_problem(c, &problem);
}

/* A path that may have the printer's id in it. */
static void check_path(struct check *c, const char *key, const char *text)
{
	struct err problem;

	if (text[0] == '/' && !strpbrk(text, " \t\"\\?#%"))
		return;
	(void)err_set(&problem, ERR_REJECTED, 0,
	              "[cloud %s] %s must be a path such as /printers/ID", c->cloud->name, key);
	add_problem(c, &problem);
}

static void check_infra(struct check *c)
{
	const struct config_cloud *cloud = c->cloud;
	struct err problem;

	if (!*cloud->uri && !*cloud->system_uri) {
		(void)err_set(&problem, ERR_REJECTED, 0,
		              "[cloud %s] needs a uri (where its printers are) or a system-uri "
		              "(where new ones are registered)",
		              cloud->name);
		add_problem(c, &problem);
	}
	check_uri(c, "uri", cloud->uri);
	check_uri(c, "system-uri", cloud->system_uri);
	check_pair(c, "certificate-file", cloud->certificate_file, "key-file", cloud->key_file);
	check_pair(c, "key-file", cloud->key_file, "certificate-file", cloud->certificate_file);
	check_pair(c, "username", cloud->username, "password-file", cloud->password_file);
	check_pair(c, "password-file", cloud->password_file, "username", cloud->username);
}

static void check_universal(struct check *c)
{
	const struct config_cloud *cloud = c->cloud;
	struct err problem;

	if (!*cloud->client_id) {
		(void)err_set(&problem, ERR_REJECTED, 0,
		              "[cloud %s] needs a client-id: the id of the organisation's "
		              "application in Entra",
		              cloud->name);
		add_problem(c, &problem);
	}
	check_uri(c, "login-url", cloud->login_url);
	check_uri(c, "registration-url", cloud->registration_url);
	check_uri(c, "print-url", cloud->print_url);
	check_uri(c, "notification-url", cloud->notification_url);
	check_uri(c, "graph-url", cloud->graph_url);
	check_word(c, "resource", cloud->resource);
	check_word(c, "scope", cloud->scope);
	check_path(c, "notification-path", cloud->notification_path);
}

/* Settings for the other type of cloud would silently mean nothing. */
static void check_strangers(struct check *c)
{
	bool infra = c->cloud->type == CONFIG_CLOUD_IPP_INFRA;
	struct err problem;
	struct buf text;

	for (size_t i = 0; i < CONFIG_ITEMS; i++) {
		const struct config_item *item = &config_items[i];

		if (strcmp(item->section, "cloud") != 0 || config_cloud_has(c->cloud, item->key))
			continue;
		buf_init(&text, CONFIG_FILE_MAX);
		item->kind->format(item, (const char *)c->cloud + item->offset, &text);
		if (strcmp(buf_text(&text), item->fallback) != 0) {
			(void)err_set(&problem, ERR_REJECTED, 0,
			              "[cloud %s] %s is for type %s; remove it", c->cloud->name,
			              item->key, infra ? "universal-print" : "ipp-infra");
			add_problem(c, &problem);
		}
		buf_clear(&text);
	}
}

int config_cloud_check(const struct config_cloud *cloud, struct buf *problems, struct err *err)
{
	struct check c = { .cloud = cloud, .problems = problems, .err = err };
	struct err problem;

	switch (cloud->type) {
	case CONFIG_CLOUD_NONE:
		(void)err_set(&problem, ERR_REJECTED, 0,
		              "[cloud %s] needs a type; add: type = universal-print or type = "
		              "ipp-infra",
		              cloud->name);
		add_problem(&c, &problem);
		break;
	case CONFIG_CLOUD_IPP_INFRA:
		check_infra(&c);
		break;
	case CONFIG_CLOUD_UNIVERSAL_PRINT:
		check_universal(&c);
		break;
	}
	check_strangers(&c);
	return c.rc;
}
