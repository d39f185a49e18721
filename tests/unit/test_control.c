/* test_control.c - the control socket with a core of variables behind it and a client of plain
 * sockets before it. */
#include "connector/control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uv.h>

#include <cmocka.h>

#include "common/varlink.h"
#include "connector/base/journal.h"
#include "connector/base/loop.h"
#include "connector/control/control_private.h"
#include "tests/lib/tmpdir.h"
#include "tests/unit/fake_core.h"

#define PATIENCE_MS 20000 /* of a test for one answer */

struct fixture {
	char *dir;
	char *path;
	struct loop *loop;
	struct control *control;
	struct clock real; /* the loop's own */
	int64_t idle_ms;   /* instead of CONTROL_IDLE_MS; 0: as it is */
	char logged[8][256];
	unsigned lines;
};

static struct fixture f;

static void on_line(void *data, enum log_level level, const struct log_about *about,
                    const char *text)
{
	(void)data;
	(void)level;
	(void)about;
	(void)str_copy(f.logged[f.lines++ % 8], sizeof(f.logged[0]), text);
}

static bool was_logged(const char *text)
{
	for (size_t i = 0; i < 8; i++)
		if (strstr(f.logged[i], text))
			return true;
	return false;
}

/* Lets 30 s pass in f.idle_ms. */
static void start_sooner(struct timer *t, int64_t delay_ms)
{
	f.real.start(t, f.idle_ms && delay_ms == CONTROL_IDLE_MS ? f.idle_ms : delay_ms);
}

static void open_control(void)
{
	const struct control_settings settings = { .runtime_directory = f.dir,
		                                   .control_group = "no-such-group",
		                                   .status_group = "no-such-group",
		                                   .version = "1.2.3" };
	struct err err;

	assert_int_equal(control_open(&f.control, f.loop, &fake, &settings, &err), 0);
}

static int set_up(void **state)
{
	struct err err;

	(void)state;
	memset(&f, 0, sizeof(f));
	log_divert(on_line, NULL);
	f.dir = tmpdir_new();
	f.path = xasprintf("%s/control", f.dir);
	assert_int_equal(chmod(f.dir, 0755), 0);
	assert_int_equal(loop_open(&f.loop, &err), 0);
	f.real = *loop_clock(f.loop);
	loop_clock(f.loop)->start = start_sooner;
	fake_open(loop_clock(f.loop));
	open_control();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	control_close(f.control);
	loop_close(f.loop); /* asserts that uv_loop_close() == 0 */
	log_divert(NULL, NULL);
	tmpdir_free(f.dir);
	free(f.path);
	return 0;
}

/* ---- a client ---- */

static int dial_path(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(str_copy(address.sun_path, sizeof(address.sun_path), path), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int dial(void)
{
	return dial_path(f.path);
}

static void turn(void)
{
	(void)uv_run(loop_uv(f.loop), UV_RUN_NOWAIT);
}

/* Text and its NUL. */
static void say_bytes(int fd, const char *data, size_t len)
{
	uint64_t end = uv_hrtime() + PATIENCE_MS * 1000000ULL;

	while (len && uv_hrtime() < end) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else if (errno != EAGAIN) {
			return; /* hung up: the test sees it when it listens */
		}
		turn();
	}
}

static void say(int fd, const char *text)
{
	say_bytes(fd, text, strlen(text) + 1);
}

/* The next message, or NULL when it hung up. One at a time: no bytes of the next one are taken. */
static cJSON *hear(int fd)
{
	static char text[4 * 1024 * 1024];
	uint64_t end = uv_hrtime() + PATIENCE_MS * 1000000ULL;
	size_t len = 0;

	for (;;) {
		ssize_t n = recv(fd, text + len, 1, 0);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			return NULL;
		if (n > 0 && !text[len]) {
			cJSON *ret = cJSON_Parse(text);

			assert_non_null(ret);
			return ret;
		}
		len += n > 0;
		assert_true(len < sizeof(text));
		assert_true(uv_hrtime() < end);
		if (n < 0)
			turn();
	}
}

static bool hung_up(int fd)
{
	uint64_t end = uv_hrtime() + PATIENCE_MS * 1000000ULL;
	char data[4096];
	ssize_t n;

	do {
		turn();
		n = recv(fd, data, sizeof(data), 0);
	} while ((n > 0 || (n < 0 && errno == EAGAIN)) && uv_hrtime() < end);
	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static cJSON *ask(int fd, const char *method, const char *parameters)
{
	AUTO(free_str)
	char *text = xasprintf("{\"method\":\"%s%s\",\"parameters\":%s}",
	                       strchr(method, '.') ? "" : "org.printconnector.Connector.", method,
	                       parameters);

	say(fd, text);
	return hear(fd);
}

static const char *error_of(const cJSON *reply)
{
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(reply, "error");

	return cJSON_IsString(error) ? error->valuestring : "";
}

static const cJSON *part(const cJSON *reply, const char *name)
{
	const cJSON *p = cJSON_GetObjectItemCaseSensitive(reply, "parameters");

	return cJSON_GetObjectItemCaseSensitive(p, name);
}

static const char *text_of(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsString(item) ? item->valuestring : "";
}

static void expect_error(int fd, const char *method, const char *parameters, const char *error)
{
	cJSON *reply = ask(fd, method, parameters);

	assert_non_null(reply);
	assert_string_equal(error_of(reply), error);
	cJSON_Delete(reply);
}

#define OURS(name) "org.printconnector.Connector." name

/* ---- the interface ---- */

/* Calls each(name, parameters' names) for every method of an IDL. */
static unsigned each_method(const char *idl,
                            void (*each)(const char *name, const char names[16][64], size_t n))
{
	unsigned methods = 0;

	while ((idl = strstr(idl, "\nmethod "))) {
		char name[64], names[16][64];
		const char *end;
		size_t n = 0, len;

		idl += strlen("\nmethod ");
		len = strcspn(idl, "(");
		assert_true(len < sizeof(name));
		memcpy(name, idl, len);
		name[len] = '\0';
		idl += len + 1;
		end = strstr(idl, ") ->");
		assert_non_null(end);
		while (idl < end) {
			size_t skip = strspn(idl, " \n,");

			if (idl + skip >= end)
				break;
			idl += skip;
			len = strcspn(idl, ":");
			assert_true(n < 16 && len < sizeof(names[0]));
			memcpy(names[n], idl, len);
			names[n++][len] = '\0';
			idl += len;
			idl += strcspn(idl, ",\n)");
		}
		each(name, (const char(*)[64])names, n);
		methods++;
	}
	return methods;
}

static const struct method *find_method(const char *name)
{
	const struct method *m;

	for (size_t i = 0; (m = method_at(i)); i++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

static void compare_method(const char *name, const char names[16][64], size_t n)
{
	const struct method *m = find_method(name);
	size_t i = 0;

	assert_non_null(m);
	for (; i < n; i++) {
		assert_non_null(m->parameters[i]);
		assert_string_equal(m->parameters[i], names[i]);
	}
	assert_null(m->parameters[i]);
}

static void test_the_table_of_methods_is_that_of_the_interface(void **state)
{
	unsigned n = 0;

	(void)state;
	n += each_method(method_description("org.printconnector.Connector"), compare_method);
	n += each_method(method_description("org.varlink.service"), compare_method);
	assert_non_null(method_at(n - 1));
	assert_null(method_at(n));
}

/* Names of what a method returns, by the interface. */
static void expect_members(const char *method, const cJSON *parameters)
{
	AUTO(free_str) char *head = xasprintf("\nmethod %s(", method);
	const char *p = strstr(method_description("org.printconnector.Connector"), head);
	const char *end;
	unsigned n = 0;

	assert_non_null(p);
	p = strstr(p, "-> (");
	assert_non_null(p);
	p += strlen("-> (");
	for (end = strchr(p, ')'); p < end;) {
		char name[64];
		size_t len;

		p += strspn(p, " \n,");
		if (p >= end)
			break;
		len = strcspn(p, ":");
		memcpy(name, p, len);
		name[len] = '\0';
		assert_true(cJSON_HasObjectItem(parameters, name));
		n++;
		p += len + strcspn(p + len, ",\n)");
	}
	assert_int_equal(cJSON_GetArraySize(parameters), n);
}

static void call_method(const char *name, const char names[16][64], size_t n)
{
	static const struct {
		const char *name, *value;
	} values[] = { { "id", "11" },
		       { "queue", "\"laser\"" },
		       { "printer", "\"laser\"" },
		       { "dry_run", "false" },
		       { "all", "true" },
		       { "certificate_file", "\"/c.pem\"" },
		       { "key_file", "\"/k.pem\"" },
		       { "password_file", "\"/p\"" },
		       { "cloud_uri", "\"ipps://cloud.example/ipp/1\"" } };
	AUTO(free_str) char *parameters = xstrdup("");
	AUTO(free_str) char *whole = NULL;
	int fd = dial();
	cJSON *reply;

	for (size_t i = 0; i < n; i++) {
		const char *value = "\"one\"";
		char *longer;

		for (size_t k = 0; k < ARRAY_SIZE(values); k++)
			if (strcmp(values[k].name, names[i]) == 0)
				value = values[k].value;
		longer = xasprintf("%s%s\"%s\":%s", parameters, i ? "," : "", names[i], value);
		free(parameters);
		parameters = longer;
	}
	whole = xasprintf("{%s}", parameters);
	reply = ask(fd, name, whole);
	assert_non_null(reply);
	assert_string_equal(error_of(reply), "");
	expect_members(name, cJSON_GetObjectItemCaseSensitive(reply, "parameters"));
	cJSON_Delete(reply);
	(void)close(fd);
}

static void test_each_method_of_the_interface_answers_with_what_it_promises(void **state)
{
	(void)state;
	assert_true(each_method(method_description("org.printconnector.Connector"), call_method) >=
	            9);
}

static void test_the_service_describes_itself(void **state)
{
	int fd = dial();
	cJSON *reply = ask(fd, "org.varlink.service.GetInfo", "{}");

	(void)state;
	assert_string_equal(part(reply, "version")->valuestring, "1.2.3");
	assert_int_equal(cJSON_GetArraySize(part(reply, "interfaces")), 2);
	cJSON_Delete(reply);
	reply = ask(fd, "org.varlink.service.GetInterfaceDescription",
	            "{\"interface\":\"org.printconnector.Connector\"}");
	assert_non_null(strstr(part(reply, "description")->valuestring, "method GetStatus()"));
	cJSON_Delete(reply);
	expect_error(fd, "org.varlink.service.GetInterfaceDescription", "{\"interface\":\"a.b\"}",
	             VARLINK_NO_INTERFACE);
	expect_error(fd, "org.varlink.service.GetInterfaceDescription", "{}", VARLINK_NO_INTERFACE);
	(void)close(fd);
}

static void test_what_is_not_there_is_refused_by_name(void **state)
{
	int fd = dial();

	(void)state;
	expect_error(fd, "Nonsense", "{}", VARLINK_NO_METHOD);
	expect_error(fd, "com.example.GetStatus", "{}", VARLINK_NO_INTERFACE);
	expect_error(fd, "GetStatus", "{\"colour\":1}", VARLINK_INVALID_PARAMETER);
	expect_error(fd, "GetJob", "{\"id\":\"7\"}", VARLINK_INVALID_PARAMETER);
	expect_error(fd, "GetJob", "{\"id\":-7}", VARLINK_INVALID_PARAMETER);
	expect_error(fd, "GetJob", "{}", VARLINK_INVALID_PARAMETER);
	expect_error(fd, "ListJobs", "{\"all\":1}", VARLINK_INVALID_PARAMETER);
	expect_error(fd, "ListJobs", "{\"printer\":[]}", VARLINK_INVALID_PARAMETER);
	expect_error(fd, "Register", "{}", OURS("InvalidArgument"));
	expect_error(fd, "Unregister", "{}", OURS("InvalidArgument"));
	expect_error(fd, "Register", "{\"queue\":\"\"}", OURS("InvalidArgument"));
	expect_error(fd, "Register", "{\"queue\":\"a\\nb\"}", OURS("InvalidArgument"));
	expect_error(fd, "Register", "{\"queue\":\"a\",\"key_file\":\"k\"}",
	             OURS("InvalidArgument"));
	expect_error(fd, "Register", "{\"queue\":\"a\",\"cloud_uri\":\"https://x/\"}",
	             OURS("InvalidArgument"));
	expect_error(fd, "Register", "{\"queue\":\"a\",\"cloud_uri\":\"ipps://u:p@x/\"}",
	             OURS("InvalidArgument"));
	assert_int_equal(fake.registrations, 0);
	(void)close(fd);
}

static void test_a_call_that_wants_no_answer_gets_none(void **state)
{
	int fd = dial();
	cJSON *reply;

	(void)state;
	say(fd, "{\"method\":\"org.printconnector.Connector.Cancel\",\"oneway\":true,"
	        "\"parameters\":{\"id\":11}}");
	reply = ask(fd, "GetStatus", "{}");
	assert_non_null(part(reply, "version"));
	assert_int_equal(fake.canceled_job, 11);
	cJSON_Delete(reply);
	(void)close(fd);
}

/* ---- methods ---- */

static void test_status_counts_and_tells_what_is_wrong(void **state)
{
	int fd = dial();
	cJSON *reply;
	const cJSON *entry;

	(void)state;
	fake.health_count = 1;
	reply = ask(fd, "GetStatus", "{}");
	assert_string_equal(part(reply, "since")->valuestring, "2023-11-14T22:13:20.001Z");
	assert_int_equal(cJSON_GetObjectItem(part(reply, "printers"), "offline")->valueint, 2);
	assert_int_equal(cJSON_GetObjectItem(part(reply, "jobs"), "printing")->valueint, 2);
	assert_null(cJSON_GetObjectItem(part(reply, "jobs"), "done"));
	entry = cJSON_GetArrayItem(part(reply, "health"), 0);
	assert_string_equal(text_of(entry, "code"), "queue-missing");
	assert_string_equal(text_of(entry, "severity"), "error");
	assert_non_null(strstr(text_of(entry, "remedy"), "lpadmin -p office"));
	entry = cJSON_GetArrayItem(part(reply, "clouds"), 1);
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(entry, "reachable")));
	cJSON_Delete(reply);
	(void)close(fd);
}

static void test_open_jobs_come_newest_first_and_finished_ones_when_asked(void **state)
{
	static const int ids[] = { 12, 11, 2, 1 };
	int fd = dial();
	cJSON *reply = ask(fd, "ListJobs", "{}");

	(void)state;
	assert_int_equal(cJSON_GetArraySize(part(reply, "jobs")), 2);
	cJSON_Delete(reply);
	reply = ask(fd, "ListJobs", "{\"all\":true,\"printer\":null}");
	assert_int_equal(cJSON_GetArraySize(part(reply, "jobs")), 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(
			cJSON_GetObjectItem(cJSON_GetArrayItem(part(reply, "jobs"), i), "id")
				->valueint,
			ids[i]);
	assert_string_equal(text_of(cJSON_GetArrayItem(part(reply, "jobs"), 1), "queue"), "laser");
	cJSON_Delete(reply);
	reply = ask(fd, "ListJobs", "{\"all\":true,\"printer\":\"laser\"}");
	assert_int_equal(cJSON_GetArraySize(part(reply, "jobs")), 2);
	cJSON_Delete(reply);
	(void)close(fd);
}

static void test_a_queue_in_two_clouds_is_ambiguous(void **state)
{
	int fd = dial();
	cJSON *reply = ask(fd, "ListJobs", "{\"printer\":\"office\"}");

	(void)state;
	assert_string_equal(error_of(reply), OURS("Ambiguous"));
	assert_int_equal(cJSON_GetArraySize(part(reply, "candidates")), 2);
	cJSON_Delete(reply);
	reply = ask(fd, "ListJobs", "{\"printer\":\"00000000-0000-4000-8000-000000000002\"}");
	assert_string_equal(error_of(reply), "");
	cJSON_Delete(reply);
	reply = ask(fd, "Unregister", "{\"queue\":\"office\"}");
	assert_string_equal(error_of(reply), OURS("Ambiguous"));
	assert_string_equal(cJSON_GetArrayItem(part(reply, "candidates"), 1)->valuestring, "two");
	cJSON_Delete(reply);
	reply = ask(fd, "Unregister", "{\"queue\":\"office\",\"cloud\":\"two\"}");
	assert_string_equal(error_of(reply), "");
	cJSON_Delete(reply);
	fake.config.n_clouds = 2;
	expect_error(fd, "Register", "{\"queue\":\"new\"}", OURS("Ambiguous"));
	assert_int_equal(fake.registrations, 0);
	(void)close(fd);
}

static void test_jobs_of_an_unknown_printer_are_not_found(void **state)
{
	int fd = dial();

	(void)state;
	expect_error(fd, "ListJobs", "{\"printer\":\"nobody\"}", OURS("NotFound"));
	expect_error(fd, "ListJobs", "{\"printer\":\"nobody\",\"all\":true}", OURS("NotFound"));
	/* one that was registered once has an id still */
	expect_error(fd, "ListJobs",
	             "{\"printer\":\"aaaaaaaa-0000-4000-8000-000000000000\",\"all\":true}", "");
	(void)close(fd);
}

static void test_a_job_has_its_time_line(void **state)
{
	int fd = dial();
	cJSON *reply = ask(fd, "GetJob", "{\"id\":2}");

	(void)state;
	assert_int_equal(cJSON_GetArraySize(part(reply, "events")), 2);
	assert_string_equal(text_of(cJSON_GetArrayItem(part(reply, "events"), 1), "source"),
	                    "queue");
	assert_string_equal(text_of(part(reply, "job"), "outcome"), "completed");
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(part(reply, "job"), "user")));
	cJSON_Delete(reply);
	/* an open one that the store has not yet */
	reply = ask(fd, "GetJob", "{\"id\":12}");
	assert_string_equal(text_of(part(reply, "job"), "state"), "printing");
	cJSON_Delete(reply);
	reply = ask(fd, "GetJob", "{\"id\":99}");
	assert_string_equal(error_of(reply), OURS("NotFound"));
	assert_string_equal(part(reply, "subject")->valuestring, "job 99");
	assert_string_equal(part(reply, "remedy")->valuestring,
	                    "print-connector jobs --all lists all");
	cJSON_Delete(reply);
	(void)close(fd);
}

static void test_a_store_that_fails_is_told(void **state)
{
	int fd = dial();
	cJSON *reply;

	(void)state;
	fake.error = "read state.db: disk I/O error";
	fake.error_kind = ERR_TEMPORARY;
	reply = ask(fd, "ListJobs", "{\"all\":true}");
	assert_string_equal(error_of(reply), OURS("Failed"));
	assert_string_equal(part(reply, "kind")->valuestring, "temporary");
	assert_int_equal(part(reply, "code")->valueint, 0x0401);
	cJSON_Delete(reply);
	expect_error(fd, "GetJob", "{\"id\":2}", OURS("Failed"));
	expect_error(fd, "ListQueues", "{}", OURS("Failed"));
	fake.starts_badly = true;
	expect_error(fd, "ListQueues", "{}", OURS("Failed"));
	(void)close(fd);
}

static void test_a_cancel_says_why_it_is_too_late(void **state)
{
	int fd = dial();
	cJSON *reply;

	(void)state;
	fake.error = "job 2 has ended: completed";
	fake.error_kind = ERR_REJECTED;
	reply = ask(fd, "Cancel", "{\"id\":2}");
	assert_string_equal(error_of(reply), OURS("Conflict"));
	cJSON_Delete(reply);
	fake.error_kind = ERR_GONE;
	expect_error(fd, "Cancel", "{\"id\":2}", OURS("NotFound"));
	fake.error = NULL;
	expect_error(fd, "Cancel", "{\"id\":11}", "");
	assert_int_equal(fake.cancels, 1);
	assert_true(was_logged("cancels job 11"));
	(void)close(fd);
}

/* ---- registering ---- */

#define MORE(parameters)                                                                           \
	"{\"method\":\"org.printconnector.Connector.Register\",\"more\":true,\"parameters\":"      \
	"{" parameters "}}"

static void expect_event(int fd, const char *event, bool continues)
{
	cJSON *reply = hear(fd);

	assert_non_null(reply);
	assert_string_equal(error_of(reply), "");
	assert_string_equal(part(reply, "event")->valuestring, event);
	assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(reply, "continues")), continues);
	cJSON_Delete(reply);
}

static void test_a_registration_is_told_event_by_event(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, MORE("\"queue\":\"new\""));
	expect_event(fd, "waiting", true);
	expect_event(fd, "registered", true);
	expect_event(fd, "done", false);
	assert_true(was_logged("registers queue new"));
	fake.error = "no answer; try again";
	fake.error_kind = ERR_TEMPORARY;
	say(fd, MORE("\"queue\":\"new\""));
	expect_event(fd, "waiting", true);
	expect_event(fd, "failed", true);
	expect_event(fd, "done", false);
	fake.starts_badly = true;
	say(fd, MORE("\"queue\":\"new\""));
	expect_event(fd, "failed", true);
	expect_event(fd, "done", false);
	(void)close(fd);
}

static void test_a_registration_without_more_is_one_answer_or_an_error(void **state)
{
	int fd = dial();
	cJSON *reply = ask(fd, "Register", "{\"queue\":\"new\"}");

	(void)state;
	assert_string_equal(part(reply, "event")->valuestring, "registered");
	assert_string_equal(part(reply, "printer")->valuestring, fake.printers[0].id);
	cJSON_Delete(reply);
	reply = ask(fd, "Register", "{\"queue\":\"new\",\"dry_run\":true}");
	assert_true(cJSON_IsNull(part(reply, "printer")));
	cJSON_Delete(reply);
	fake.error = "CUPS has no queue new";
	fake.error_kind = ERR_GONE;
	expect_error(fd, "Register", "{\"queue\":\"new\"}", OURS("NotFound"));
	fake.starts_badly = true;
	fake.error_kind = ERR_DENIED;
	expect_error(fd, "Register", "{\"queue\":\"new\"}", OURS("Failed"));
	(void)close(fd);
}

static void test_who_hangs_up_does_not_register(void **state)
{
	uint64_t end = uv_hrtime() + PATIENCE_MS * 1000000ULL;
	int fd = dial();

	(void)state;
	fake.hangs = true;
	say(fd, MORE("\"queue\":\"new\""));
	expect_event(fd, "waiting", true);
	(void)close(fd);
	while (!fake.abandoned && uv_hrtime() < end)
		turn();
	assert_int_equal(fake.abandoned, 1);
	while (fake.enroll && uv_hrtime() < end)
		turn();
	assert_null(fake.enroll);
}

static void test_closing_waits_for_nothing_that_is_under_way(void **state)
{
	int fd = dial();

	(void)state;
	fake.hangs = true;
	say(fd, MORE("\"queue\":\"new\""));
	expect_event(fd, "waiting", true);
	control_close(f.control);
	f.control = NULL;
	assert_int_equal(access(f.path, F_OK), -1);
	while (fake.enroll)
		turn();
	assert_int_equal(fake.abandoned, 1);
	assert_true(hung_up(fd));
	(void)close(fd);
}

/* ---- peers that do not behave ---- */

static void test_garbage_is_answered_once_and_ends_it(void **state)
{
	static const char *const garbage[] = { "GET / HTTP/1.1\r\n\r\n",
		                               "[]",
		                               "{\"method\":7}",
		                               "{}",
		                               "{\"method\":\"a.B\",\"parameters\":[]}",
		                               "{\"method\":\"\xff.B\"}",
		                               "",
		                               "[[[[[[[[[[[[[[[[[[[[[[[[[[[[" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(garbage); i++) {
		int fd = dial();
		cJSON *reply;

		say(fd, garbage[i]);
		reply = hear(fd);
		assert_non_null(reply);
		assert_string_equal(error_of(reply), OURS("InvalidArgument"));
		cJSON_Delete(reply);
		assert_true(hung_up(fd));
		(void)close(fd);
	}
}

static void test_a_call_may_come_in_pieces_and_many_in_one(void **state)
{
	static const char call[] = "{\"method\":\"org.printconnector.Connector.ListPrinters\"}";
	int fd = dial();

	(void)state;
	for (size_t i = 0; i < sizeof(call); i++)
		say_bytes(fd, call + i, 1);
	cJSON_Delete(hear(fd));
	for (int i = 0; i < 20; i++)
		say_bytes(fd, call, sizeof(call));
	for (int i = 0; i < 20; i++) {
		cJSON *reply = hear(fd);

		assert_int_equal(cJSON_GetArraySize(part(reply, "printers")), 3);
		cJSON_Delete(reply);
	}
	(void)close(fd);
}

static void test_who_stops_sending_still_gets_the_answers(void **state)
{
	int fd = dial();
	cJSON *reply;

	(void)state;
	say(fd, "{\"method\":\"org.printconnector.Connector.ListJobs\",\"parameters\":{\"all\":"
	        "true}}");
	say(fd, "{\"method\":\"org.printconnector.Connector.ListQueues\"}");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	reply = hear(fd);
	assert_non_null(part(reply, "jobs"));
	cJSON_Delete(reply);
	reply = hear(fd);
	assert_int_equal(cJSON_GetArraySize(part(reply, "queues")), 2);
	cJSON_Delete(reply);
	assert_true(hung_up(fd));
	(void)close(fd);
}

static void test_half_a_call_is_the_end_when_no_more_comes(void **state)
{
	int fd = dial();

	(void)state;
	say_bytes(fd, "{\"method\":", 10);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_true(hung_up(fd));
	(void)close(fd);
}

static void test_a_call_of_a_megabyte_is_refused_before_it_is_all_there(void **state)
{
	size_t len = 1024 * 1024;
	AUTO(free_str) char *text = xmalloc(len);
	int fd = dial();

	(void)state;
	memset(text, ' ', len);
	say_bytes(fd, text, len);
	assert_true(hung_up(fd));
	(void)close(fd);
}

static void test_a_call_of_64_kib_is_fine(void **state)
{
	size_t len = VARLINK_CALL_MAX;
	AUTO(free_str) char *text = xmalloc(len + 1);
	static const char call[] = "{\"method\":\"org.printconnector.Connector.ListPrinters\"}";
	int fd = dial();
	cJSON *reply;

	(void)state;
	memset(text, ' ', len);
	memcpy(text, call, sizeof(call) - 1);
	text[len] = '\0';
	say_bytes(fd, text, len + 1);
	reply = hear(fd);
	assert_non_null(reply);
	assert_non_null(part(reply, "printers"));
	cJSON_Delete(reply);
	(void)close(fd);
}

static void test_an_idle_peer_is_dropped(void **state)
{
	int silent, slow, busy;
	cJSON *reply;

	(void)state;
	f.idle_ms = 50;
	silent = dial();
	assert_true(hung_up(silent));
	slow = dial();
	say_bytes(slow, "{\"meth", 7);
	assert_true(hung_up(slow));
	busy = dial();
	fake.hangs = true;
	say(busy, MORE("\"queue\":\"new\""));
	expect_event(busy, "waiting", true);
	(void)close(silent);
	(void)close(slow);
	/* longer than the limit: one that waits for an answer is not idle */
	for (uint64_t end = uv_hrtime() + 200000000; uv_hrtime() < end;)
		turn();
	timer_start(&fake.timer, 0);
	reply = hear(busy);
	assert_string_equal(part(reply, "event")->valuestring, "registered");
	cJSON_Delete(reply);
	(void)close(busy);
}

static void test_a_peer_that_does_not_read_is_dropped(void **state)
{
	static const char call[] = "{\"method\":\"org.printconnector.Connector.ListPrinters\"}";
	uint64_t end = uv_hrtime() + PATIENCE_MS * 1000000ULL;
	int fd = dial(), other;
	ssize_t n = 1;
	cJSON *reply;

	(void)state;
	while ((n > 0 || errno == EAGAIN) && uv_hrtime() < end) {
		n = send(fd, call, sizeof(call), MSG_NOSIGNAL);
		turn();
	}
	assert_int_equal(n, -1);
	assert_int_equal(errno, EPIPE);
	(void)close(fd);
	other = dial();
	reply = ask(other, "GetStatus", "{}");
	assert_string_equal(error_of(reply), "");
	cJSON_Delete(reply);
	(void)close(other);
}

static void test_a_hundred_connections_leave_room_after_they_end(void **state)
{
	int fds[100], served = 0, refused = 0;
	cJSON *reply;

	(void)state;
	for (int i = 0; i < 100; i++) {
		fds[i] = dial();
		turn();
	}
	for (int i = 0; i < 100; i++) {
		reply = ask(fds[i], "GetStatus", "{}");
		assert_non_null(reply);
		served += !*error_of(reply);
		refused += strcmp(error_of(reply), OURS("Failed")) == 0;
		cJSON_Delete(reply);
	}
	assert_int_equal(served, CONTROL_PEERS_PER_UID_MAX);
	assert_int_equal(refused, 100 - CONTROL_PEERS_PER_UID_MAX);
	for (int i = 0; i < 100; i++)
		(void)close(fds[i]);
	for (int i = 0; i < 20; i++)
		turn();
	fds[0] = dial();
	expect_error(fds[0], "GetStatus", "{}", "");
	(void)close(fds[0]);
}

/* ---- who may ---- */

static void test_rights_go_by_uid_and_group(void **state)
{
	struct access a = { .control = { .gid = 500, .exists = true },
		            .status = { .gid = 600, .exists = true } };
	const gid_t both[] = { 7, 600, 500 }, one[] = { 7, 600 };

	(void)state;
	assert_int_equal(access_decide(&a, 100, 0, 0, NULL, 0), RIGHT_CHANGE);
	assert_int_equal(access_decide(&a, 100, 100, 5, NULL, 0), RIGHT_CHANGE);
	assert_int_equal(access_decide(&a, 100, 200, 500, NULL, 0), RIGHT_CHANGE);
	assert_int_equal(access_decide(&a, 100, 200, 5, both, 3), RIGHT_CHANGE);
	assert_int_equal(access_decide(&a, 100, 200, 5, one, 2), RIGHT_READ);
	assert_int_equal(access_decide(&a, 100, 200, 5, one, 1), RIGHT_NONE);
	a.status.exists = false;
	assert_int_equal(access_decide(&a, 100, 200, 600, one, 2), RIGHT_NONE);
	/* a group that does not exist is not group 0 */
	a.control = (struct access_group){ 0 };
	assert_int_equal(access_decide(&a, 100, 200, 0, NULL, 0), RIGHT_NONE);
}

/* In a process of its own: asks as another user and tells whether each call was refused. */
static int ask_as(uid_t uid, gid_t gid, const gid_t *groups, size_t n)
{
	static const char *const methods[] = { "org.varlink.service.GetInfo", OURS("GetStatus"),
		                               OURS("Cancel") };
	uint64_t end = uv_hrtime() + PATIENCE_MS * 1000000ULL;
	int status = -1;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child) {
		struct sockaddr_un address = { .sun_family = AF_UNIX };
		int refused = 0, fd = socket(AF_UNIX, SOCK_STREAM, 0);
		char text[4096];

		(void)str_copy(address.sun_path, sizeof(address.sun_path), f.path);
		if (setgroups(n, groups) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid) ||
		    connect(fd, (struct sockaddr *)&address, sizeof(address)))
			_exit(99);
		for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
			size_t len = 0;

			(void)snprintf(text, sizeof(text), "{\"method\":\"%s\",\"parameters\":%s}",
			               methods[i], i == 2 ? "{\"id\":11}" : "{}");
			if (write(fd, text, strlen(text) + 1) < 0)
				_exit(98);
			do {
				if (len == sizeof(text) || read(fd, text + len, 1) != 1)
					_exit(97);
			} while (text[len++]);
			if (strstr(text, "NotPermitted") &&
			    !(strstr(text, "join group") && strstr(text, "may not")))
				_exit(96);
			refused += (strstr(text, "NotPermitted") != NULL) << i;
		}
		_exit(refused);
	}
	while (waitpid(child, &status, WNOHANG) == 0 && uv_hrtime() < end)
		turn();
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_strangers_are_refused_and_members_are_not(void **state)
{
	const gid_t daemon_group[] = { 1 }, bin_group[] = { 2 };

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(ask_as(12345, 12345, NULL, 0), 6);
	assert_true(was_logged("uid 12345 may not call GetStatus"));
	control_set_groups(f.control, "daemon", "bin");
	assert_int_equal(ask_as(12345, 12345, daemon_group, 1), 0);
	assert_int_equal(ask_as(12345, 12345, bin_group, 1), 4);
	assert_int_equal(ask_as(12345, 1, NULL, 0), 0);
	assert_int_equal(ask_as(12345, 12345, NULL, 0), 6);
	assert_true(was_logged("uid 12345: cancels job 11"));
}

/* ---- the socket ---- */

static int open_again(struct err *err)
{
	const struct control_settings settings = { .runtime_directory = f.dir,
		                                   .control_group = "root",
		                                   .status_group = "root",
		                                   .version = "2" };
	struct control *second;

	return control_open(&second, f.loop, &fake, &settings, err);
}

static void test_the_socket_is_open_to_all_and_goes_with_the_daemon(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(lstat(f.path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0666);
	control_close(f.control);
	f.control = NULL;
	assert_int_equal(lstat(f.path, &st), -1);
}

static void test_a_socket_in_use_is_not_taken_over(void **state)
{
	struct err err;
	int fd;

	(void)state;
	assert_int_equal(open_again(&err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_non_null(strstr(err.text, "another print-connectord answers"));
	fd = dial();
	expect_error(fd, "GetStatus", "{}", "");
	(void)close(fd);
}

static void test_a_socket_left_behind_is_replaced(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	control_close(f.control);
	(void)str_copy(address.sun_path, sizeof(address.sun_path), f.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	(void)close(fd);
	open_control();
	fd = dial();
	expect_error(fd, "GetStatus", "{}", "");
	(void)close(fd);
}

static void test_a_file_of_that_name_is_left_alone(void **state)
{
	struct err err;

	(void)state;
	control_close(f.control);
	f.control = NULL;
	free(tmpdir_put_text(f.dir, "control", "mine"));
	assert_int_equal(open_again(&err), -1);
	assert_non_null(strstr(err.text, "is not a socket"));
	assert_int_equal(access(f.path, F_OK), 0);
}

static void test_somebody_elses_socket_is_not_removed_at_the_end(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(unlink(f.path), 0);
	(void)str_copy(address.sun_path, sizeof(address.sun_path), f.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	control_close(f.control);
	f.control = NULL;
	assert_int_equal(access(f.path, F_OK), 0);
	(void)close(fd);
}

static void test_a_path_too_long_for_a_socket_says_so(void **state)
{
	char name[120];
	struct control_settings settings = { .control_group = "root",
		                             .status_group = "root",
		                             .version = "2" };
	AUTO(free_str) char *dir = NULL;
	struct control *second;
	struct err err;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	dir = xasprintf("%s/%s", f.dir, name);
	settings.runtime_directory = dir;
	assert_int_equal(control_open(&second, f.loop, &fake, &settings, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
}

/* ---- metrics ---- */

static void test_metrics_are_open_metrics(void **state)
{
	int fd = dial();
	cJSON *reply;
	const char *text;

	(void)state;
	reply = ask(fd, "GetMetrics", "{}");
	text = part(reply, "text")->valuestring;
	assert_non_null(strstr(text, "# TYPE print_connector_jobs_finished counter\n"));
	assert_non_null(strstr(text, "\nprint_connector_jobs_finished_total{outcome=\"completed\"} "
	                             "7\n"));
	assert_non_null(strstr(text, "\nprint_connector_printers{state=\"offline\"} 2\n"));
	assert_non_null(strstr(text, "\nprint_connector_jobs{state=\"printing\"} 2\n"));
	assert_non_null(strstr(text, "\nprint_connector_cloud_up{cloud=\"two\"} 0\n"));
	assert_non_null(strstr(text, "\nprint_connector_store_commits_total 42\n"));
	assert_non_null(strstr(text, "\nprint_connector_start_time_seconds 1700000000.001\n"));
	assert_non_null(strstr(text, "_bucket{le=\"+Inf\"} "));
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	cJSON_Delete(reply);
	(void)close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_table_of_methods_is_that_of_the_interface),
		TEST(test_each_method_of_the_interface_answers_with_what_it_promises),
		TEST(test_the_service_describes_itself),
		TEST(test_what_is_not_there_is_refused_by_name),
		TEST(test_a_call_that_wants_no_answer_gets_none),
		TEST(test_status_counts_and_tells_what_is_wrong),
		TEST(test_open_jobs_come_newest_first_and_finished_ones_when_asked),
		TEST(test_a_queue_in_two_clouds_is_ambiguous),
		TEST(test_jobs_of_an_unknown_printer_are_not_found),
		TEST(test_a_job_has_its_time_line),
		TEST(test_a_store_that_fails_is_told),
		TEST(test_a_cancel_says_why_it_is_too_late),
		TEST(test_a_registration_is_told_event_by_event),
		TEST(test_a_registration_without_more_is_one_answer_or_an_error),
		TEST(test_who_hangs_up_does_not_register),
		TEST(test_closing_waits_for_nothing_that_is_under_way),
		TEST(test_garbage_is_answered_once_and_ends_it),
		TEST(test_a_call_may_come_in_pieces_and_many_in_one),
		TEST(test_who_stops_sending_still_gets_the_answers),
		TEST(test_half_a_call_is_the_end_when_no_more_comes),
		TEST(test_a_call_of_a_megabyte_is_refused_before_it_is_all_there),
		TEST(test_a_call_of_64_kib_is_fine),
		TEST(test_an_idle_peer_is_dropped),
		TEST(test_a_peer_that_does_not_read_is_dropped),
		TEST(test_a_hundred_connections_leave_room_after_they_end),
		TEST(test_rights_go_by_uid_and_group),
		TEST(test_strangers_are_refused_and_members_are_not),
		TEST(test_the_socket_is_open_to_all_and_goes_with_the_daemon),
		TEST(test_a_socket_in_use_is_not_taken_over),
		TEST(test_a_socket_left_behind_is_replaced),
		TEST(test_a_file_of_that_name_is_left_alone),
		TEST(test_somebody_elses_socket_is_not_removed_at_the_end),
		TEST(test_a_path_too_long_for_a_socket_says_so),
		TEST(test_metrics_are_open_metrics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
