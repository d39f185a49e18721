/* control_case.h - a control socket with a core of variables behind it and a client of plain
 * sockets before it. Included by one test file at a time. */
#ifndef TESTS_UNIT_CONTROL_CASE_H
#define TESTS_UNIT_CONTROL_CASE_H

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
#include "connector/control/control.h"
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

static inline void on_line(void *data, enum log_level level, const struct log_about *about,
                           const char *text)
{
	(void)data;
	(void)level;
	(void)about;
	(void)str_copy(f.logged[f.lines++ % 8], sizeof(f.logged[0]), text);
}

static inline bool was_logged(const char *text)
{
	for (size_t i = 0; i < 8; i++)
		if (strstr(f.logged[i], text))
			return true;
	return false;
}

/* Lets 30 s pass in f.idle_ms. */
static inline void start_sooner(struct timer *t, int64_t delay_ms)
{
	f.real.start(t, f.idle_ms && delay_ms == CONTROL_IDLE_MS ? f.idle_ms : delay_ms);
}

static inline void open_control(void)
{
	const struct control_settings settings = { .runtime_directory = f.dir,
		                                   .control_group = "no-such-group",
		                                   .status_group = "no-such-group",
		                                   .version = "1.2.3" };
	struct err err;

	assert_int_equal(control_open(&f.control, f.loop, &fake, &settings, &err), 0);
}

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
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

static inline int dial_path(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(str_copy(address.sun_path, sizeof(address.sun_path), path), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static inline int dial(void)
{
	return dial_path(f.path);
}

static inline void turn(void)
{
	(void)uv_run(loop_uv(f.loop), UV_RUN_NOWAIT);
}

/* Text and its NUL. */
static inline void say_bytes(int fd, const char *data, size_t len)
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

static inline void say(int fd, const char *text)
{
	say_bytes(fd, text, strlen(text) + 1);
}

/* The next message, or NULL when it hung up. One at a time: no bytes of the next one are taken. */
static inline cJSON *hear(int fd)
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

static inline bool hung_up(int fd)
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

static inline cJSON *ask(int fd, const char *method, const char *parameters)
{
	AUTO(free_str)
	char *text = xasprintf("{\"method\":\"%s%s\",\"parameters\":%s}",
	                       strchr(method, '.') ? "" : "org.printconnector.Connector.", method,
	                       parameters);

	say(fd, text);
	return hear(fd);
}

static inline const char *error_of(const cJSON *reply)
{
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(reply, "error");

	return cJSON_IsString(error) ? error->valuestring : "";
}

static inline const cJSON *part(const cJSON *reply, const char *name)
{
	const cJSON *p = cJSON_GetObjectItemCaseSensitive(reply, "parameters");

	return cJSON_GetObjectItemCaseSensitive(p, name);
}

static inline const char *text_of(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsString(item) ? item->valuestring : "";
}

static inline void expect_error(int fd, const char *method, const char *parameters,
                                const char *error)
{
	cJSON *reply = ask(fd, method, parameters);

	assert_non_null(reply);
	assert_string_equal(error_of(reply), error);
	cJSON_Delete(reply);
}

#define OURS(name) "org.printconnector.Connector." name

#define MORE(parameters)                                                                           \
	"{\"method\":\"org.printconnector.Connector.Register\",\"more\":true,\"parameters\":"      \
	"{" parameters "}}"

static inline void expect_event(int fd, const char *event, bool continues)
{
	cJSON *reply = hear(fd);

	assert_non_null(reply);
	assert_string_equal(error_of(reply), "");
	assert_string_equal(part(reply, "event")->valuestring, event);
	assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(reply, "continues")), continues);
	cJSON_Delete(reply);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
