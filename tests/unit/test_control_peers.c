/* test_control_peers.c - who may use the control socket, and those who misuse it. */
#include "tests/unit/control_case.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
