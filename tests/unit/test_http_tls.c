/* Whom the client trusts, and how it shows who it is. */
#include "connector/base/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "tests/lib/fake_cert.h"
#include "tests/lib/http_case.h"

static struct fake_certs certs;

static int make_certs(void **state)
{
	(void)state;
	fake_certs_make(&certs);
	return 0;
}

static int remove_certs(void **state)
{
	(void)state;
	fake_certs_remove(&certs);
	return 0;
}

/* One exchange of such a peer with such a server. */
static struct err meet(const struct fake_http_settings *server,
                       const struct http_peer_settings *peer)
{
	struct http_case c;
	struct call call;
	struct err err;

	http_case_open(&c, server, peer);
	call_run(&call, &c);
	err = call.err;
	if (err.kind == ERR_NONE)
		assert_string_equal(buf_text(&call.reply), "hello");
	else
		assert_int_equal(c.seen->requests, 0);
	call_clear(&call);
	http_case_close(&c);
	return err;
}

static struct fake_http_settings server_of(const char *certificate, const char *key)
{
	return (struct fake_http_settings){ .certificate_file = certificate, .key_file = key };
}

static void test_a_certificate_of_the_given_authority_is_good(void **state)
{
	struct fake_http_settings server = server_of(certs.server, certs.server_key);
	struct http_peer_settings peer = { .proxy = "", .ca_file = certs.ca };

	(void)state;
	assert_int_equal(meet(&server, &peer).kind, ERR_NONE);
	peer.http2 = true; /* the server has none: nothing changes */
	assert_int_equal(meet(&server, &peer).kind, ERR_NONE);
}

static void test_an_unknown_authority_is_named(void **state)
{
	struct fake_http_settings server = server_of(certs.server, certs.server_key);
	struct http_peer_settings peer = { .proxy = "" };
	struct err err;

	(void)state;
	err = meet(&server, &peer);
	assert_int_equal(err.kind, ERR_DENIED);
	assert_int_equal(err.code, 60); /* CURLE_PEER_FAILED_VERIFICATION */
	assert_non_null(strstr(err.text, "certificate"));
	assert_non_null(strstr(err.text, "(issued by \"Test Root\")"));
	peer.ca_file = certs.other_ca;
	err = meet(&server, &peer);
	assert_int_equal(err.kind, ERR_DENIED);
	assert_non_null(strstr(err.text, "127.0.0.1"));
}

static void test_a_certificate_of_another_host_is_refused(void **state)
{
	struct fake_http_settings server = server_of(certs.elsewhere, certs.elsewhere_key);
	struct http_peer_settings peer = { .proxy = "", .ca_file = certs.ca };
	struct err err = meet(&server, &peer);

	(void)state;
	assert_int_equal(err.kind, ERR_DENIED);
	assert_int_equal(err.code, 60);
}

static void test_a_pinned_key_counts_instead_of_name_and_authority(void **state)
{
	struct fake_http_settings server = server_of(certs.server, certs.server_key);
	struct http_peer_settings peer = { .proxy = "", .pinned_key = certs.server_pin };
	struct err err;

	(void)state;
	assert_int_equal(meet(&server, &peer).kind, ERR_NONE);
	server = server_of(certs.elsewhere, certs.elsewhere_key);
	err = meet(&server, &peer);
	assert_int_equal(err.kind, ERR_DENIED);
	assert_int_equal(err.code, 90); /* CURLE_SSL_PINNEDPUBKEYNOTMATCH */
	assert_non_null(strstr(err.text, "not the one that was pinned"));
	peer.ca_file = certs.ca; /* a good authority does not help */
	assert_int_equal(meet(&server, &peer).kind, ERR_DENIED);
}

static void expect_key(const struct http_peer_settings *peer, enum err_kind kind, bool untrusted,
                       const char *key)
{
	struct fake_http_settings server = server_of(certs.server, certs.server_key);
	struct http_case c;
	struct call call;

	http_case_open(&c, &server, peer);
	call_run(&call, &c);
	assert_int_equal(call.err.kind, kind);
	assert_int_equal(http_is_untrusted(&call.err), untrusted);
	assert_string_equal(call.req.server_key, key);
	call_clear(&call);
	http_case_close(&c);
}

static void test_the_key_of_a_server_is_told_whether_it_is_believed_or_not(void **state)
{
	struct http_peer_settings peer = { .proxy = "" };

	(void)state;
	expect_key(&peer, ERR_DENIED, true, certs.server_pin);
	peer.ca_file = certs.ca;
	expect_key(&peer, ERR_NONE, false, certs.server_pin);
	peer.pinned_key = certs.server_pin; /* known already */
	expect_key(&peer, ERR_NONE, false, "");
}

static void test_a_client_certificate_is_shown(void **state)
{
	struct fake_http_settings server = server_of(certs.server, certs.server_key);
	struct http_peer_settings peer = { .proxy = "",
		                           .ca_file = certs.ca,
		                           .certificate_file = certs.client,
		                           .key_file = certs.client_key };
	struct err err;

	(void)state;
	server.client_ca = certs.ca;
	assert_int_equal(meet(&server, &peer).kind, ERR_NONE);
	server.client_ca = certs.other_ca;
	err = meet(&server, &peer);
	assert_int_equal(err.kind, ERR_DENIED);
	assert_non_null(strstr(err.text, "our certificate was not accepted"));
	server.client_ca = certs.ca;
	peer.certificate_file = NULL;
	peer.key_file = NULL;
	err = meet(&server, &peer);
	assert_int_equal(err.kind, ERR_DENIED);
	assert_non_null(strstr(err.text, "our certificate was not accepted"));
}

static void test_a_missing_file_of_ours_is_told(void **state)
{
	struct fake_http_settings server = server_of(certs.server, certs.server_key);
	struct http_peer_settings peer = { .proxy = "",
		                           .ca_file = certs.ca,
		                           .certificate_file = "/nonexistent/printer.pem",
		                           .key_file = certs.client_key };
	struct err err = meet(&server, &peer);

	(void)state;
	assert_int_equal(err.kind, ERR_DENIED);
	assert_non_null(strstr(err.text, "/nonexistent/printer.pem"));
	peer = (struct http_peer_settings){ .proxy = "", .ca_file = "/nonexistent/ca.pem" };
	err = meet(&server, &peer);
	assert_int_equal(err.kind, ERR_DENIED);
	assert_non_null(strstr(err.text, "/nonexistent/ca.pem"));
}

static void test_a_renewed_certificate_needs_no_new_peer(void **state)
{
	struct fake_http_settings server = server_of(certs.server, certs.server_key);
	char link_path[128], key_path[128];
	struct http_peer_settings peer = { .proxy = "",
		                           .ca_file = certs.ca,
		                           .certificate_file = link_path,
		                           .key_file = key_path };
	struct http_case c;
	struct call call;

	(void)state;
	(void)snprintf(link_path, sizeof(link_path), "%s/link.pem", certs.dir);
	(void)snprintf(key_path, sizeof(key_path), "%s/link.key", certs.dir);
	http_case_open(&c, &server, &peer);
	call_run(&call, &c);
	assert_int_equal(call.err.kind, ERR_DENIED);
	call_clear(&call);
	assert_int_equal(symlink(certs.client, link_path), 0);
	assert_int_equal(symlink(certs.client_key, key_path), 0);
	call_run(&call, &c);
	assert_int_equal(call.err.kind, ERR_NONE);
	call_clear(&call);
	http_case_close(&c);
	(void)unlink(link_path);
	(void)unlink(key_path);
}

static void test_old_tls_is_refused(void **state)
{
	struct fake_http_settings server = server_of(certs.server, certs.server_key);
	struct http_peer_settings peer = { .proxy = "", .ca_file = certs.ca };

	(void)state;
	server.max_tls = TLS1_2_VERSION;
	assert_int_equal(meet(&server, &peer).kind, ERR_NONE);
	server.max_tls = TLS1_1_VERSION;
	assert_int_equal(meet(&server, &peer).kind, ERR_TEMPORARY);
}

static void test_connections_keep_to_their_peer_and_version(void **state)
{
	struct fake_http_settings server = server_of(certs.server, certs.server_key);
	struct http_peer_settings peer = { .proxy = "", .ca_file = certs.ca, .http2 = true };
	struct http_peer_settings other = { .proxy = "",
		                            .ca_file = certs.ca,
		                            .certificate_file = certs.client,
		                            .key_file = certs.client_key };
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, &server, &peer);
	call_run(&call, &c);
	call_clear(&call);
	assert_int_equal(c.seen->connections, 1);
	call_init(&call, &c, "/document");
	call.req.http1 = true;
	call_start(&call);
	call_wait(&call);
	call_clear(&call);
	assert_int_equal(c.seen->connections, 2); /* of its own kind */
	call_run(&call, &c);
	call_clear(&call);
	assert_int_equal(c.seen->connections, 2);
	http_case_peer(&c, &other);
	call_run(&call, &c);
	call_clear(&call);
	assert_int_equal(c.seen->connections, 3); /* with another certificate */
	http_case_close(&c);
}

static void test_a_big_reply_comes_through_tls(void **state)
{
	struct fake_http_settings server = server_of(certs.server, certs.server_key);
	struct http_peer_settings peer = { .proxy = "", .ca_file = certs.ca };
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, &server, &peer);
	c.script->answer = "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n";
	c.script->big = 3000000;
	call_init(&call, &c, "/x");
	call.pause_once = true;
	call_start(&call);
	while (!call.takes)
		http_case_run_ms(&c, 1);
	http_case_run_ms(&c, 5);
	http_unpause(&call.req);
	call_wait(&call);
	assert_int_equal(call.err.kind, ERR_NONE);
	assert_int_equal(call.reply.len, 3000000);
	call_clear(&call);
	http_case_close(&c);
}

static void test_a_cut_in_tls_is_as_hidden_as_in_tcp(void **state)
{
	struct fake_http_settings server = server_of(certs.server, certs.server_key);
	struct http_peer_settings peer = { .proxy = "", .ca_file = certs.ca };
	struct http_case c;
	struct call call;

	(void)state;
	http_case_open(&c, &server, &peer);
	/* libcurl asks OpenSSL to overlook a missing end: only the reply's own frame can tell */
	c.script->answer = "HTTP/1.1 200 OK\r\n\r\nsome words";
	c.script->close = true;
	call_run(&call, &c);
	assert_int_equal(call.err.kind, ERR_NONE);
	assert_false(call.req.reply_framed);
	call_clear(&call);
	http_case_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_certificate_of_the_given_authority_is_good),
		cmocka_unit_test(test_an_unknown_authority_is_named),
		cmocka_unit_test(test_a_certificate_of_another_host_is_refused),
		cmocka_unit_test(test_a_pinned_key_counts_instead_of_name_and_authority),
		cmocka_unit_test(test_the_key_of_a_server_is_told_whether_it_is_believed_or_not),
		cmocka_unit_test(test_a_client_certificate_is_shown),
		cmocka_unit_test(test_a_missing_file_of_ours_is_told),
		cmocka_unit_test(test_a_renewed_certificate_needs_no_new_peer),
		cmocka_unit_test(test_old_tls_is_refused),
		cmocka_unit_test(test_connections_keep_to_their_peer_and_version),
		cmocka_unit_test(test_a_big_reply_comes_through_tls),
		cmocka_unit_test(test_a_cut_in_tls_is_as_hidden_as_in_tcp),
	};

	return cmocka_run_group_tests(tests, make_certs, remove_certs);
}
