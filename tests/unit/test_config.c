#include "common/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/util.h"
#include "tests/lib/fault.h"
#include "tests/lib/tmpdir.h"

#define CLOUD "[cloud c]\ntype = ipp-infra\nuri = ipps://infra.example.com/ipp/print\n"

struct fixture {
	char *dir;
	char *path; /* of the main file */
	struct config *config;
	struct buf problems;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	(void)unsetenv("STATE_DIRECTORY");
	(void)unsetenv("RUNTIME_DIRECTORY");
	(void)unsetenv("CACHE_DIRECTORY");
	(void)unsetenv("CONFIGURATION_DIRECTORY");
	f->dir = tmpdir_new();
	f->path = xasprintf("%s/print-connector.conf", f->dir);
	buf_init(&f->problems, CONFIG_PROBLEM_MAX);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)fault_disarm();
	config_free(f->config);
	buf_clear(&f->problems);
	tmpdir_free(f->dir);
	free(f->path);
	free(f);
	return 0;
}

static void put(struct fixture *f, const char *name, const char *text)
{
	free(tmpdir_put_text(f->dir, name, text));
}

static int check(struct fixture *f)
{
	config_free(f->config);
	f->config = NULL;
	buf_clear(&f->problems);
	return config_check(f->path, &f->config, &f->problems, &f->err);
}

static void load(struct fixture *f, const char *text)
{
	put(f, "print-connector.conf", text);
	if (check(f) < 0)
		fail_msg("%s", f->err.text);
	assert_int_equal(f->problems.len, 0);
}

/* The problem follows "PATH:". */
static void refuse(struct fixture *f, const char *text, const char *problem)
{
	size_t len = strlen(f->path);

	put(f, "print-connector.conf", text);
	assert_int_equal(check(f), -1);
	assert_null(f->config);
	assert_int_equal(f->err.kind, ERR_REJECTED);
	assert_memory_equal(buf_text(&f->problems), f->path, len);
	f->problems.data[strcspn(buf_text(&f->problems), "\n")] = '\0';
	assert_string_equal(buf_text(&f->problems) + len + 1, problem);
}

static void test_without_a_file_everything_has_its_default(void **state)
{
	struct fixture *f = *state;
	char host[128] = "";

	assert_int_equal(setenv("CONFIGURATION_DIRECTORY", f->dir, 1), 0);
	assert_int_equal(config_load(NULL, &f->config, &f->err), 0);
	assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
	assert_string_equal(f->config->path, "");
	assert_string_equal(f->config->name, host);
	assert_string_equal(f->config->state_directory, "/var/lib/print-connector");
	assert_string_equal(f->config->runtime_directory, "/run/print-connector");
	assert_string_equal(f->config->cache_directory, "/var/cache/print-connector");
	assert_string_equal(f->config->control_group, "print-connector");
	assert_string_equal(f->config->status_group, "print-connector");
	assert_string_equal(f->config->cups_server, "/run/cups/cups.sock");
	assert_int_equal(f->config->max_transfers, 32);
	assert_true(f->config->max_document_size == 2LL << 30);
	assert_int_equal(f->config->give_up_after_ms, 3 * 86400000);
	assert_int_equal(f->config->keep_history_ms, 14 * 86400000);
	assert_int_equal(f->config->names, CONFIG_NAMES_HIDDEN);
	assert_int_equal(f->config->level, CONFIG_LEVEL_INFO);
	assert_int_equal(f->config->queue.max_jobs_per_printer, 4);
	assert_int_equal(f->config->queue.when_unknown, CONFIG_UNKNOWN_HOLD);
	assert_int_equal(f->config->queue.user_name.how, CONFIG_USER_UPN);
	assert_int_equal(f->config->queue.job_name, CONFIG_JOB_NAME_REAL);
	assert_int_equal(f->config->n_clouds, 0);
	assert_true(config_includes(f->config, "any"));
}

static void test_systemd_says_where_directories_are(void **state)
{
	struct fixture *f = *state;

	put(f, "print-connector.conf", "[connector]\nstate-directory = /mine\n");
	assert_int_equal(setenv("CONFIGURATION_DIRECTORY", f->dir, 1), 0);
	assert_int_equal(setenv("STATE_DIRECTORY", "/s", 1), 0);
	assert_int_equal(setenv("RUNTIME_DIRECTORY", "/r:/second", 1), 0);
	assert_int_equal(setenv("CACHE_DIRECTORY", "relative", 1), 0);
	assert_int_equal(config_load(NULL, &f->config, &f->err), 0);
	assert_string_equal(f->config->path, f->path);
	assert_string_equal(f->config->state_directory, "/mine");
	assert_string_equal(f->config->runtime_directory, "/r");
	assert_string_equal(f->config->cache_directory, "/var/cache/print-connector");
}

static void test_every_setting_is_read(void **state)
{
	struct fixture *f = *state;
	const struct config_cloud *cloud;

	load(f, "[connector]\nname = House 7\nstate-directory=/s\nruntime-directory=/r\n"
	        "cache-directory=/c\ncontrol-group=lpadmin\nstatus-group=staff\n"
	        "[cloud c]\ntype=ipp-infra\nuri=ipps://h/p\nsystem-uri=https://h/s\nusername=u\n"
	        "password-file=/p\ncertificate-file=/cert\nkey-file=/key\nca-file=/ca\n"
	        "proxy=http://proxy:3128\n"
	        "[printers]\ncups-server=cups.example.com:631\ninclude=a*, b*\nexclude=*x\n"
	        "[jobs]\nmax-transfers=1\nmax-jobs-per-printer=2\nmax-document-size=1M\n"
	        "give-up-after=2h\nkeep-history=0\nallow-formats=text/plain\n"
	        "when-unknown=abort\nuser-name=fixed:cloud print\njob-name=hidden\n"
	        "[log]\nnames=shown\nlevel=debug\n");
	assert_string_equal(f->config->name, "House 7");
	assert_string_equal(f->config->status_group, "staff");
	cloud = config_cloud(f->config, "c");
	assert_non_null(cloud);
	assert_null(config_cloud(f->config, "d"));
	assert_int_equal(cloud->type, CONFIG_CLOUD_IPP_INFRA);
	assert_string_equal(cloud->uri, "ipps://h/p");
	assert_string_equal(cloud->system_uri, "https://h/s");
	assert_string_equal(cloud->username, "u");
	assert_string_equal(cloud->password_file, "/p");
	assert_string_equal(cloud->certificate_file, "/cert");
	assert_string_equal(cloud->key_file, "/key");
	assert_string_equal(cloud->ca_file, "/ca");
	assert_string_equal(cloud->proxy, "http://proxy:3128");
	assert_string_equal(f->config->cups_server, "cups.example.com:631");
	assert_true(config_includes(f->config, "abc"));
	assert_true(config_includes(f->config, "b"));
	assert_false(config_includes(f->config, "c"));
	assert_false(config_includes(f->config, "ax"));
	assert_int_equal(f->config->max_transfers, 1);
	assert_int_equal(f->config->queue.max_jobs_per_printer, 2);
	assert_int_equal(f->config->max_document_size, 1 << 20);
	assert_int_equal(f->config->give_up_after_ms, 7200000);
	assert_int_equal(f->config->keep_history_ms, 0);
	assert_int_equal(f->config->queue.when_unknown, CONFIG_UNKNOWN_ABORT);
	assert_int_equal(f->config->queue.user_name.how, CONFIG_USER_FIXED);
	assert_string_equal(f->config->queue.user_name.fixed, "cloud print");
	assert_int_equal(f->config->queue.job_name, CONFIG_JOB_NAME_HIDDEN);
	assert_int_equal(f->config->names, CONFIG_NAMES_SHOWN);
	assert_int_equal(f->config->level, CONFIG_LEVEL_DEBUG);
}

static void test_a_queue_overrides_only_what_its_section_has(void **state)
{
	struct fixture *f = *state;
	const struct config_queue *queue;

	load(f, "[queue Office]\nwhen-unknown = print-again\n"
	        "[jobs]\njob-name = hidden\nuser-name = fixed:me\nallow-formats = text/plain\n"
	        "[queue ipp://[::1]/ipp/print]\nallow-formats =\nuser-name = local-part\n");
	queue = config_queue(f->config, "office");
	assert_string_equal(queue->name, "Office");
	assert_int_equal(queue->when_unknown, CONFIG_UNKNOWN_PRINT_AGAIN);
	assert_int_equal(queue->job_name, CONFIG_JOB_NAME_HIDDEN);
	assert_string_equal(queue->user_name.fixed, "me");
	assert_int_equal(queue->max_jobs_per_printer, 4);
	assert_true(config_allows(queue, "text/plain"));
	queue = config_queue(f->config, "ipp://[::1]/ipp/print");
	assert_int_equal(queue->when_unknown, CONFIG_UNKNOWN_HOLD);
	assert_int_equal(queue->user_name.how, CONFIG_USER_LOCAL_PART);
	assert_string_equal(queue->user_name.fixed, "");
	assert_false(config_allows(queue, "text/plain"));
	assert_ptr_equal(config_queue(f->config, "ipp://[::1]/ipp/PRINT"), &f->config->queue);
	assert_ptr_equal(config_queue(f->config, "other"), &f->config->queue);
	assert_int_equal(f->config->queue.when_unknown, CONFIG_UNKNOWN_HOLD);
}

static void test_a_queue_without_its_setting_again_follows_jobs(void **state)
{
	struct fixture *f = *state;

	load(f, "[queue q]\nwhen-unknown = abort\nwhen-unknown =\n");
	assert_int_equal(config_queue(f->config, "q")->when_unknown, CONFIG_UNKNOWN_HOLD);
}

static void test_a_queue_without_a_driver_takes_what_is_named(void **state)
{
	struct fixture *f = *state;

	load(f, "[jobs]\nallow-formats = text/plain\n"
	        "[queue q]\nallow-formats = image/urf, application/postscript\n"
	        "[queue empty]\nallow-formats =\n");
	assert_true(config_names(f->config, "q", "image/urf"));
	assert_true(config_names(f->config, "q", "application/postscript"));
	assert_false(config_names(f->config, "q", "application/pdf"));
	assert_false(config_names(f->config, "q", "text/plain"));
	assert_false(config_names(f->config, "empty", "application/pdf"));
	assert_true(config_names(f->config, "other", "application/pdf"));
	assert_true(config_names(f->config, "other", "text/plain"));
	assert_false(config_names(f->config, "other", "image/urf"));
}

static void test_raw_formats_are_allowed_for_one_queue_only(void **state)
{
	struct fixture *f = *state;

	load(f, "[queue q]\nallow-formats = application/octet-stream\n");
	assert_true(config_allows(config_queue(f->config, "q"), "application/octet-stream"));
	assert_false(config_allows(config_queue(f->config, "p"), "application/octet-stream"));
	assert_true(config_allows(config_queue(f->config, "p"), "application/pdf"));
	assert_true(config_allows(config_queue(f->config, "p"), "IMAGE/urf"));
	assert_false(config_allows(config_queue(f->config, "p"), ""));
	refuse(f, "[jobs]\nallow-formats = text/plain, application/postscript\n",
	       "2: [jobs] allow-formats: application/postscript reaches printers unchecked; allow "
	       "it "
	       "in [queue NAME] where it is needed");
}

static void test_parts_are_read_in_the_order_of_their_names(void **state)
{
	struct fixture *f = *state;
	AUTO(free_str) char *parts = xasprintf("%s/conf.d", f->dir);

	assert_int_equal(mkdir(parts, 0755), 0);
	put(f, "conf.d/20-b.conf", "[jobs]\nmax-transfers = 20\n[cloud c]\nproxy = none\n");
	put(f, "conf.d/10-a.conf", "[jobs]\nmax-transfers = 10\nkeep-history = 1d\n");
	put(f, "conf.d/.hidden.conf", "wrong\n");
	put(f, "conf.d/30-c.conf~", "wrong\n");
	load(f, CLOUD "[jobs]\nmax-transfers = 5\ngive-up-after = 1h\n");
	assert_int_equal(f->config->max_transfers, 20);
	assert_int_equal(f->config->keep_history_ms, 86400000);
	assert_int_equal(f->config->give_up_after_ms, 3600000);
	assert_int_equal(f->config->n_clouds, 1);
	assert_string_equal(f->config->clouds[0].proxy, "none");
	put(f, "conf.d/20-b.conf", "[jobs]\nmax-transfer = 20\n");
	assert_int_equal(check(f), -1);
	assert_non_null(strstr(f->err.text, "conf.d/20-b.conf:2: unknown setting max-transfer in "
	                                    "[jobs]; did you mean max-transfers?"));
}

static void test_an_empty_value_is_the_default(void **state)
{
	struct fixture *f = *state;

	load(f, "[jobs]\nmax-transfers = 5\nmax-transfers =\nuser-name =\n[log]\nlevel=\n");
	assert_int_equal(f->config->max_transfers, 32);
	assert_int_equal(f->config->level, CONFIG_LEVEL_INFO);
}

static void test_unknown_names_get_the_nearest_known_one(void **state)
{
	struct fixture *f = *state;

	refuse(f, "[printer]\n", "1: unknown section [printer]; did you mean [printers]?");
	refuse(f, "[tenants]\n",
	       "1: unknown section [tenants]; known are connector, cloud, printers, jobs, queue, "
	       "log");
	refuse(f, "[jobs]\n\ngive-up-afer = 1d\n",
	       "3: unknown setting give-up-afer in [jobs]; did you mean give-up-after?");
	refuse(f, "[jobs]\ncolour = yes\n", "2: unknown setting colour in [jobs]; remove it");
	refuse(f, "[queue q]\ngive-up-after = 1d\n",
	       "2: give-up-after does not belong in [queue] but in [jobs]");
	refuse(f, "[log]\ncups-server = /x\n",
	       "2: cups-server does not belong in [log] but in [printers]");
	refuse(f, "[jobs]\ntenant = x\n", "2: tenant does not belong in [jobs] but in [cloud]");
}

static void test_sections_have_names_where_they_need_one(void **state)
{
	struct fixture *f = *state;

	refuse(f, "[cloud]\n", "1: [cloud] needs a name of your choice, like [cloud NAME]");
	refuse(f, "[queue]\n", "1: [queue] needs a queue or printer URI, like [queue NAME]");
	refuse(f, "[jobs x]\n", "1: [jobs] takes no name");
	refuse(f, "[cloud a/b]\n",
	       "1: [cloud a/b]: the name must be at most 63 letters, digits, . _ or -");
}

static void test_a_wrong_value_says_what_is_allowed(void **state)
{
	static const struct {
		const char *line, *problem;
	} rows[] = {
		{ "[jobs]\nmax-transfers = 0",
		  "[jobs] max-transfers must be a number from 1 to 1000" },
		{ "[jobs]\nmax-transfers = x",
		  "[jobs] max-transfers must be a number from 1 to 1000" },
		{ "[jobs]\ngive-up-after = 3", "[jobs] give-up-after must be a time from 1s to "
		                               "90d, with its unit: ms, s, min, h, d, "
		                               "w or y" },
		{ "[jobs]\nmax-document-size = 1", "[jobs] max-document-size must be a size from "
		                                   "1K to 1T: bytes, or with K, M, G or T" },
		{ "[jobs]\nwhen-unknown = maybe",
		  "[jobs] when-unknown must be hold, print-again or abort" },
		{ "[jobs]\njob-name = x", "[jobs] job-name must be real or hidden" },
		{ "[queue q]\njob-name = x", "[queue q] job-name must be real or hidden" },
		{ "[jobs]\nuser-name = fixed:",
		  "[jobs] user-name must be upn, local-part or fixed:NAME (at most 127 bytes)" },
		{ "[jobs]\nuser-name = me",
		  "[jobs] user-name must be upn, local-part or fixed:NAME (at most 127 bytes)" },
		{ "[jobs]\nallow-formats = pdf",
		  "[jobs] allow-formats must be at most 64 document formats like application/pdf, "
		  "separated by commas" },
		{ "[connector]\nstate-directory = here",
		  "[connector] state-directory must be an absolute path of at most 4000 bytes" },
		{ "[connector]\ncontrol-group = a b",
		  "[connector] control-group must be the name or number of a group" },
		{ "[printers]\ncups-server = localhost",
		  "[printers] cups-server must be the path of a socket (at most 107 bytes) or "
		  "HOST:PORT" },
		{ "[cloud c]\nuri = infra.example.com",
		  "[cloud c] uri must be like ipps://HOST/PATH, without a user name in it (see "
		  "username "
		  "and password-file)" },
		{ "[cloud c]\nuri = ipps://me:secret@h/",
		  "[cloud c] uri must be like ipps://HOST/PATH, without a user name in it (see "
		  "username "
		  "and password-file)" },
		{ "[cloud c]\nuri = ftp://h/", "[cloud c] uri must be like ipps://HOST/PATH, "
		                               "without a user name in it (see username "
		                               "and password-file)" },
		{ "[cloud c]\nproxy = h:80",
		  "[cloud c] proxy must be none, or like http://HOST:PORT (http, https or socks5h, "
		  "without a user name)" },
		{ "[cloud c]\ntype = ipp", "[cloud c] type must be universal-print or ipp-infra" },
		{ "[log]\nlevel = loud", "[log] level must be error, warning, info or debug" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(free_str) char *problem = xasprintf("2: %s", rows[i].problem);

		refuse(f, rows[i].line, problem);
	}
}

static void test_too_long_a_value_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[256];

	(void)snprintf(path, sizeof(path), "[connector]\nruntime-directory = /%0*d\n", 90, 0);
	refuse(f, path,
	       "2: [connector] runtime-directory must be an absolute path of at most 90 bytes");
	(void)snprintf(path, sizeof(path), "[connector]\nname = %0*d\n", 128, 0);
	refuse(f, path, "2: [connector] name must be text of at most 127 bytes");
}

static void test_a_cloud_is_complete(void **state)
{
	struct fixture *f = *state;

	refuse(f, "[cloud c]\nuri = ipps://h/\n",
	       "1: [cloud c] needs a type; add: type = universal-print or type = ipp-infra");
	refuse(f, "\n[cloud c]\ntype = ipp-infra\n",
	       "2: [cloud c] needs a uri (where its printers are) or a system-uri (where new ones "
	       "are "
	       "registered)");
	refuse(f, CLOUD "certificate-file = /c\n",
	       "1: [cloud c] certificate-file needs key-file; set both");
	refuse(f, CLOUD "key-file = /c\n",
	       "1: [cloud c] key-file needs certificate-file; set both");
	refuse(f, CLOUD "username = u\n", "1: [cloud c] username needs password-file; set both");
	refuse(f, CLOUD "password-file = /p\n",
	       "1: [cloud c] password-file needs username; set both");
	load(f, "[cloud c]\ntype = ipp-infra\nsystem-uri = ipps://h/ipp/system\n");
}

static void test_plain_connections_reach_this_host_only(void **state)
{
	static const char *const fine[] = { "ipp://localhost:631/ipp", "http://127.0.0.1:8000/",
		                            "ipp://127.1.2.3/",        "ipp://[::1]:631/ipp",
		                            "https://example.com/",    "ipps://10.0.0.1/ipp" };
	static const char *const wrong[] = { "ipp://infra.example.com/ipp", "ipp://10.0.0.1/",
		                             "ipp://localhost.example.com/", "ipp://[::2]/",
		                             "ipp://127.0.0.1.example.com/" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(fine); i++) {
		AUTO(free_str)
		char *text = xasprintf("[cloud c]\ntype = ipp-infra\nuri = %s\n", fine[i]);

		load(f, text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		AUTO(free_str)
		char *text = xasprintf("[cloud c]\ntype = ipp-infra\nuri = %s\n", wrong[i]);

		refuse(f, text,
		       "1: [cloud c] uri: plain ipp is allowed to this host only; use ipps://");
	}
	refuse(f, CLOUD "system-uri = http://h/\n",
	       "1: [cloud c] system-uri: plain http is allowed to this host only; use https://");
}

static void test_all_problems_are_told_at_once(void **state)
{
	struct fixture *f = *state;
	const char *text;

	put(f, "print-connector.conf", "[jobs]\nmax-transfers = 0\nx = 1\n[log]\nlevel = loud\n");
	assert_int_equal(check(f), -1);
	text = buf_text(&f->problems);
	assert_non_null(strstr(text, ":2: [jobs] max-transfers must be"));
	assert_non_null(strstr(text, ":3: unknown setting x"));
	assert_non_null(strstr(text, ":5: [log] level must be"));
	assert_non_null(strstr(f->err.text, ":2: [jobs] max-transfers must be"));
	assert_int_equal(config_load(f->path, &f->config, &f->err), -1);
	assert_null(f->config);
}

static void test_a_file_that_cannot_be_read_is_named(void **state)
{
	struct fixture *f = *state;

	load(f, ""); /* an empty one is fine */
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(check(f), -1);
	assert_int_equal(f->err.kind, ERR_GONE);
	assert_non_null(strstr(f->err.text, f->path));
	assert_non_null(strstr(buf_text(&f->problems), f->path));
	free(f->path);
	f->path = xstrdup(f->dir);
	assert_int_equal(check(f), -1);
	assert_non_null(strstr(f->err.text, "is not a regular file"));
}

static void test_a_failing_call_is_an_error_and_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	int n, rc = -1;

	put(f, "print-connector.conf", CLOUD);
	for (n = 0; rc != 0 || fault_hits() > n; n++) {
		fault_arm(n);
		rc = check(f);
		(void)fault_disarm();
		assert_true(rc == 0 ? f->config != NULL : f->config == NULL);
	}
	assert_true(n > 2);
}

static void test_a_huge_file_is_refused(void **state)
{
	struct fixture *f = *state;
	AUTO(free_str) char *text = xmalloc(CONFIG_FILE_MAX + 2);

	memset(text, '\n', CONFIG_FILE_MAX + 1);
	free(tmpdir_put(f->dir, "print-connector.conf", text, CONFIG_FILE_MAX));
	assert_int_equal(check(f), 0);
	free(tmpdir_put(f->dir, "print-connector.conf", text, CONFIG_FILE_MAX + 1));
	assert_int_equal(check(f), -1);
	assert_non_null(strstr(f->err.text, "is larger than"));
}

/* As text, the way --check-config shows it. */
static char *print(const struct config *config)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	config_print(config, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void test_what_is_printed_reads_back_the_same(void **state)
{
	struct fixture *f = *state;
	AUTO(free_str) char *first = NULL, *second = NULL;

	load(f, CLOUD "[queue q]\nuser-name = fixed:me\nallow-formats = text/plain, a/b\n"
	              "[jobs]\nkeep-history = 90s\nmax-document-size = 1500\n"
	              "[printers]\ninclude = a, b\n");
	first = print(f->config);
	assert_non_null(strstr(first, "[connector]\nname = "));
	assert_non_null(strstr(first, "\n[jobs]\nmax-transfers = 32\nmax-jobs-per-printer = 4\n"
	                              "max-document-size = 1500\ngive-up-after = 3d\n"
	                              "keep-history = 90s\n"));
	assert_non_null(strstr(first, "\n[cloud c]\ntype = ipp-infra\nuri = ipps://infra"));
	assert_non_null(strstr(first, "\n[queue q]\nmax-jobs-per-printer = 4\n"
	                              "allow-formats = text/plain, a/b\nwhen-unknown = hold\n"
	                              "user-name = fixed:me\njob-name = real\n"));
	assert_non_null(strstr(first, "\ninclude = a, b\nexclude = \n"));
	load(f, first);
	second = print(f->config);
	assert_string_equal(first, second);
}

static void test_the_table_explains_every_setting(void **state)
{
	struct config_help help;
	size_t n = 0;

	(void)state;
	for (; config_help(n, &help) == 0; n++) {
		assert_true(strlen(help.section) > 0 && strlen(help.key) > 0);
		assert_true(strlen(help.allowed) > 0);
		assert_true(strlen(help.allowed) + 1 < sizeof(help.allowed));
		assert_int_equal(help.text[strlen(help.text) - 1], '.');
		assert_non_null(help.fallback);
	}
	assert_int_equal(n, 53);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_without_a_file_everything_has_its_default),
		TEST(test_systemd_says_where_directories_are),
		TEST(test_every_setting_is_read),
		TEST(test_a_queue_overrides_only_what_its_section_has),
		TEST(test_a_queue_without_its_setting_again_follows_jobs),
		TEST(test_a_queue_without_a_driver_takes_what_is_named),
		TEST(test_raw_formats_are_allowed_for_one_queue_only),
		TEST(test_parts_are_read_in_the_order_of_their_names),
		TEST(test_an_empty_value_is_the_default),
		TEST(test_unknown_names_get_the_nearest_known_one),
		TEST(test_sections_have_names_where_they_need_one),
		TEST(test_a_wrong_value_says_what_is_allowed),
		TEST(test_too_long_a_value_is_refused),
		TEST(test_a_cloud_is_complete),
		TEST(test_plain_connections_reach_this_host_only),
		TEST(test_all_problems_are_told_at_once),
		TEST(test_a_file_that_cannot_be_read_is_named),
		TEST(test_a_failing_call_is_an_error_and_leaves_nothing),
		TEST(test_a_huge_file_is_refused),
		TEST(test_what_is_printed_reads_back_the_same),
		TEST(test_the_table_explains_every_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
