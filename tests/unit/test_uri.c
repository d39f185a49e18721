#include "common/uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"

static void test_a_uri_is_taken_apart(void **state)
{
	static const struct {
		const char *text, *scheme, *host;
		int port;
		bool userinfo;
		const char *path;
	} rows[] = {
		{ "ipps://Infra.Example.com/ipp/print", "ipps", "infra.example.com", 0, false,
		  "/ipp/print" },
		{ "IPP://localhost:8631", "ipp", "localhost", 8631, false, "" },
		{ "http://me:pw@10.0.0.1:80/a@b", "http", "10.0.0.1", 80, true, "/a@b" },
		{ "ipp://[::1]/", "ipp", "::1", 0, false, "/" },
		{ "ipp://[FE80::1]:631?x", "ipp", "fe80::1", 631, false, "?x" },
		{ "http://a@b@c/", "http", "c", 0, true, "/" },
		{ "x+y-z.1://h", "x+y-z.1", "h", 0, false, "" },
	};
	struct uri uri;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(uri_parse(rows[i].text, &uri), 0);
		assert_string_equal(uri.scheme, rows[i].scheme);
		assert_string_equal(uri.host, rows[i].host);
		assert_int_equal(uri.port, rows[i].port);
		assert_int_equal(uri.userinfo, rows[i].userinfo);
		assert_string_equal(uri.path, rows[i].path);
	}
}

static void test_what_is_no_uri_is_refused(void **state)
{
	static const char *const wrong[] = { "",
		                             "ipp",
		                             "ipp:",
		                             "ipp:/h",
		                             "://h",
		                             "ipp://",
		                             "ipp:///path",
		                             "ipp://h:",
		                             "ipp://h:0/",
		                             "ipp://h:65536/",
		                             "ipp://h:123456/",
		                             "ipp://h:x/",
		                             "ipp://h:-1/",
		                             "ipp://[::1/",
		                             "ipp://[]/",
		                             "ipp://[localhost]/",
		                             "ipp://[::1]x/",
		                             "ipp://::1/",
		                             "ipp://h h/",
		                             "ipp://h\n/",
		                             "ipp://h/\"",
		                             "ipp://b\xc3\xbcro/",
		                             "ipp://h%00/",
		                             "ip p://h/",
		                             "schemethatistoolong://h/" };
	char text[URI_MAX + 2] = "ipp://h/";
	struct uri uri = { .port = 7 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(uri_parse(wrong[i], &uri), -1);
	memset(text + 8, 'x', sizeof(text) - 9);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(uri_parse(text, &uri), -1);
	assert_int_equal(uri.port, 7);
	text[URI_MAX] = '\0';
	assert_int_equal(uri_parse(text, &uri), 0);
	memset(text + 6, 'h', 256);
	text[6 + 256] = '\0';
	assert_int_equal(uri_parse(text, &uri), -1);
}

static bool is_loopback(const char *text)
{
	struct uri uri;

	assert_int_equal(uri_parse(text, &uri), 0);
	return uri_is_loopback(&uri);
}

static void test_only_this_host_is_loopback(void **state)
{
	(void)state;
	assert_true(is_loopback("ipp://localhost/"));
	assert_true(is_loopback("ipp://LOCALHOST/"));
	assert_true(is_loopback("ipp://127.0.0.1/"));
	assert_true(is_loopback("ipp://127.255.255.254/"));
	assert_true(is_loopback("ipp://[::1]/"));
	assert_false(is_loopback("ipp://128.0.0.1/"));
	assert_false(is_loopback("ipp://127.0.0.1.example.com/"));
	assert_false(is_loopback("ipp://localhost@example.com/"));
	assert_false(is_loopback("ipp://localhost.example.com/"));
	assert_false(is_loopback("ipp://127.1/"));
	assert_false(is_loopback("ipp://[::]/"));
	assert_false(is_loopback("ipp://0.0.0.0/"));
	assert_false(is_loopback("ipp://[::ffff:127.0.0.1]/"));
}

static void test_the_scheme_says_whether_it_is_encrypted(void **state)
{
	static const char *const yes[] = { "ipps://h/", "HTTPS://h/" };
	static const char *const no[] = { "ipp://h/", "http://h/", "ipps.x://h/" };
	struct uri uri;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		assert_int_equal(uri_parse(yes[i], &uri), 0);
		assert_true(uri_is_encrypted(&uri));
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		assert_int_equal(uri_parse(no[i], &uri), 0);
		assert_false(uri_is_encrypted(&uri));
	}
}

static void test_names_of_the_public_dns_are_told_from_those_of_a_network(void **state)
{
	static const struct {
		const char *text;
		bool is_public;
	} rows[] = {
		{ "https://printers.acme.com/icon.png", true },
		{ "http://a.example.org:8080/", true },
		{ "http://printer/icon.png", false },
		{ "http://printer.local/icon.png", false },
		{ "http://office.lan/", false },
		{ "http://localhost/", false },
		{ "http://192.0.2.7/icon.png", false },
		{ "http://8.8.8.8/", false },
		{ "http://[2001:db8::1]/", false },
		{ "http://[::ffff:10.0.0.1]/", false },
		{ "http://trailing./", false },
	};
	struct uri uri;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(uri_parse(rows[i].text, &uri), 0);
		if (uri_is_public(&uri) != rows[i].is_public)
			fail_msg("%s", rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_the_public_dns_are_told_from_those_of_a_network),
		cmocka_unit_test(test_a_uri_is_taken_apart),
		cmocka_unit_test(test_what_is_no_uri_is_refused),
		cmocka_unit_test(test_only_this_host_is_loopback),
		cmocka_unit_test(test_the_scheme_says_whether_it_is_encrypted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
