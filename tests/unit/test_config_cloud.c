/* test_config_cloud.c - what [cloud NAME] may say, by its type and environment. */
#include "common/config_cloud.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/config.h"
#include "common/err.h"
#include "common/util.h"
#include "tests/lib/tmpdir.h"

#define UP "[cloud c]\ntype = universal-print\nclient-id = 1f0e-app\n"

struct fixture {
	char *dir, *path;
	struct config *config;
	struct buf problems;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->dir = tmpdir_new();
	f->path = xasprintf("%s/print-connector.conf", f->dir);
	buf_init(&f->problems, CONFIG_PROBLEM_MAX);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	config_free(f->config);
	buf_clear(&f->problems);
	tmpdir_free(f->dir);
	free(f->path);
	free(f);
	return 0;
}

static int check(struct fixture *f, const char *text)
{
	config_free(TAKE(f->config));
	buf_clear(&f->problems);
	buf_init(&f->problems, CONFIG_PROBLEM_MAX);
	err_clear(&f->err);
	free(tmpdir_put_text(f->dir, "print-connector.conf", text));
	return config_check(f->path, &f->config, &f->problems, &f->err);
}

static const struct config_cloud *load(struct fixture *f, const char *text)
{
	if (check(f, text) < 0)
		fail_msg("%s", f->err.text);
	return config_cloud(f->config, "c");
}

static void refuse(struct fixture *f, const char *text, const char *problem)
{
	assert_int_equal(check(f, text), -1);
	if (!strstr(buf_text(&f->problems), problem))
		fail_msg("not \"%s\" but \"%s\"", problem, buf_text(&f->problems));
}

static void test_universal_print_needs_an_application_and_nothing_else(void **state)
{
	const struct config_cloud *c = load(*state, UP);

	assert_int_equal(c->type, CONFIG_CLOUD_UNIVERSAL_PRINT);
	assert_int_equal(c->environment, CONFIG_ENVIRONMENT_COMMERCIAL);
	assert_int_equal(c->x5c, CONFIG_X5C_ARRAY);
	assert_string_equal(c->notification_path, "/printers/ID");
	assert_int_equal(c->notification_printer_uri, CONFIG_HOST_NOTIFICATION);
	assert_int_equal(c->registration_timeout_ms, 300000);
	assert_int_equal(c->heartbeat_ms, 600000);
	assert_string_equal(c->client_id, "1f0e-app");
	assert_string_equal(c->tenant, "organizations");
	assert_string_equal(c->login_url, "https://login.microsoftonline.com");
	assert_string_equal(c->registration_url, "https://register.print.microsoft.com");
	assert_string_equal(c->print_url, "https://print.print.microsoft.com");
	assert_string_equal(c->notification_url, "https://notification.print.microsoft.com");
	assert_string_equal(c->graph_url, "https://graph.microsoft.com/v1.0");
	assert_string_equal(c->resource, "https://print.print.microsoft.com");
	assert_string_equal(c->scope, "https://print.print.microsoft.com/Printers.Create");
	refuse(*state, "[cloud c]\ntype = universal-print\n",
	       "1: [cloud c] needs a client-id: the id of the organisation's application in Entra");
}

static void test_the_environment_sets_the_hosts(void **state)
{
	static const struct {
		const char *name, *login, *registration, *print, *notification, *graph, *resource;
	} rows[] = {
		{ "gcc", "https://login.microsoftonline.com", "https://gcc-register.print.azure.us",
		  "https://gcc-print.print.azure.us", "https://gcc-notification.print.azure.us",
		  "https://graph.microsoft.com/v1.0", "https://print.print.microsoft.com" },
		{ "gcc-high", "https://login.microsoftonline.us", "https://register.print.azure.us",
		  "https://print.print.azure.us", "https://notification.print.azure.us",
		  "https://graph.microsoft.us/v1.0", "https://print.print.azure.us" },
		{ "dod", "https://login.microsoftonline.us", "https://register.print-dod.azure.us",
		  "https://print.print-dod.azure.us", "https://notification.print-dod.azure.us",
		  "https://dod-graph.microsoft.us/v1.0", "https://print.print.azure.us" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(free_str) char *text = xasprintf(UP "environment = %s\n", rows[i].name);
		const struct config_cloud *c = load(*state, text);

		assert_string_equal(c->login_url, rows[i].login);
		assert_string_equal(c->registration_url, rows[i].registration);
		assert_string_equal(c->print_url, rows[i].print);
		assert_string_equal(c->notification_url, rows[i].notification);
		assert_string_equal(c->graph_url, rows[i].graph);
		assert_string_equal(c->resource, rows[i].resource);
	}
	refuse(*state, UP "environment = china\n",
	       "environment must be commercial, gcc, gcc-high or dod");
}

static void test_each_of_them_may_be_set_by_itself(void **state)
{
	const struct config_cloud *c = load(*state, UP "login-url = https://login.example.com/\n"
	                                               "print-url = https://[::1]:8443/print//\n"
	                                               "tenant = contoso.example\n"
	                                               "resource = api://print\n"
	                                               "x5c = string\n"
	                                               "notification-path = /\n"
	                                               "notification-printer-uri = print\n"
	                                               "registration-timeout = 5s\n"
	                                               "heartbeat = 2min\n");

	assert_string_equal(c->login_url, "https://login.example.com");
	assert_string_equal(c->print_url, "https://[::1]:8443/print");
	assert_string_equal(c->registration_url, "https://register.print.microsoft.com");
	assert_string_equal(c->tenant, "contoso.example");
	assert_string_equal(c->scope, "api://print/Printers.Create");
	assert_int_equal(c->x5c, CONFIG_X5C_STRING);
	assert_string_equal(c->notification_path, "/");
	assert_int_equal(c->notification_printer_uri, CONFIG_HOST_PRINT);
	assert_int_equal(c->registration_timeout_ms, 5000);
	assert_int_equal(c->heartbeat_ms, 120000);
	c = load(*state, UP "scope = https://print.print.microsoft.com/.default openid\n");
	assert_string_equal(c->scope, "https://print.print.microsoft.com/.default openid");
}

static void test_what_is_said_goes_over_https_except_to_this_host(void **state)
{
	static const char *const keys[] = { "login-url", "registration-url", "print-url",
		                            "notification-url", "graph-url" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		AUTO(free_str) char *far = xasprintf(UP "%s = http://example.com\n", keys[i]);
		AUTO(free_str) char *near = xasprintf(UP "%s = http://127.0.0.1:80\n", keys[i]);
		AUTO(free_str)
		char *problem = xasprintf("1: [cloud c] %s: plain http is allowed to this host "
		                          "only; use https://",
		                          keys[i]);

		refuse(*state, far, problem);
		(void)load(*state, near);
	}
}

static void test_a_base_url_is_only_that(void **state)
{
	static const char *const wrong[] = { "login.example.com",        "ipps://example.com",
		                             "https://u:p@example.com",  "https://example.com/?a",
		                             "https://example.com/#top", "https://exa mple.com" };

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		AUTO(free_str) char *text = xasprintf(UP "login-url = %s\n", wrong[i]);

		refuse(*state, text, "4: [cloud c] login-url must be like https://HOST");
	}
	refuse(*state, UP "tenant = a/b\n",
	       "4: [cloud c] tenant must be at most 127 letters, digits, . _ or -");
	refuse(*state, "[cloud c]\ntype = universal-print\nclient-id = a b\n",
	       "3: [cloud c] client-id must be at most 63 letters");
	refuse(*state, UP "resource = https://a b\n", "resource must be without quotes and blanks");
	refuse(*state, UP "scope = a\"b\n", "scope must be without quotes");
	refuse(*state, UP "notification-path = printers/ID\n",
	       "notification-path must be a path such as /printers/ID");
	refuse(*state, UP "notification-path = /a?b\n", "notification-path must be a path");
}

static void test_settings_of_the_other_type_are_refused(void **state)
{
	static const char *const infra[] = { "uri = ipps://h/",      "system-uri = ipps://h/",
		                             "username = u",         "password-file = /p",
		                             "certificate-file =/c", "key-file = /k" };
	static const char *const universal[] = {
		"client-id = x",
		"tenant = x",
		"environment = dod",
		"login-url = https://h",
		"print-url = https://h",
		"x5c = string",
		"resource = x",
		"scope = x",
		"graph-url = https://h",
		"notification-path = /",
		"notification-printer-uri = print",
		"registration-timeout = 1min",
	};

	for (size_t i = 0; i < ARRAY_SIZE(infra); i++) {
		AUTO(free_str) char *text = xasprintf(UP "%s\n", infra[i]);

		refuse(*state, text, "is for type ipp-infra; remove it");
	}
	for (size_t i = 0; i < ARRAY_SIZE(universal); i++) {
		AUTO(free_str)
		char *text = xasprintf("[cloud c]\ntype = ipp-infra\nuri = ipps://h/\n%s\n",
		                       universal[i]);

		refuse(*state, text, "is for type universal-print; remove it");
	}
}

static void test_only_settings_of_its_type_are_printed_and_they_can_be_read_again(void **state)
{
	struct fixture *f = *state;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)load(f, UP "environment = gcc-high\nproxy = none\n");
	config_print(f->config, out);
	(void)fclose(out);
	assert_non_null(strstr(text, "\nlogin-url = https://login.microsoftonline.us\n"));
	assert_non_null(strstr(text, "\nscope = https://print.print.azure.us/Printers.Create\n"));
	assert_null(strstr(text, "\nuri ="));
	assert_null(strstr(text, "\nkey-file ="));
	assert_string_equal(load(f, text)->print_url, "https://print.print.azure.us");
	free(text);
	out = open_memstream(&text, &size);
	(void)load(f, "[cloud c]\ntype = ipp-infra\nuri = ipps://h/\n");
	config_print(f->config, out);
	(void)fclose(out);
	assert_null(strstr(text, "client-id"));
	assert_null(strstr(text, "environment"));
	free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_universal_print_needs_an_application_and_nothing_else),
		TEST(test_the_environment_sets_the_hosts),
		TEST(test_each_of_them_may_be_set_by_itself),
		TEST(test_what_is_said_goes_over_https_except_to_this_host),
		TEST(test_a_base_url_is_only_that),
		TEST(test_settings_of_the_other_type_are_refused),
		TEST(test_only_settings_of_its_type_are_printed_and_they_can_be_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
