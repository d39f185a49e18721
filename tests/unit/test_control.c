/* test_control.c - what the methods of the control socket answer. */
#include "tests/unit/control_case.h"

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
		       { "verdict", "\"printed\"" },
		       { "queues", "null" },
		       { "ticket", "[\"sides = x\"]" },
		       { "renew", "false" },
		       { "trust_new_key", "true" },
		       { "dry_run", "false" },
		       { "all", "true" },
		       { "before", "20" },
		       { "limit", "2" },
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
		if (strcmp(name, "Register") == 0 && strcmp(names[i], "all") == 0)
			value = "false"; /* a queue is named */
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

static void expect_page(int fd, const char *parameters, const int ids[], int left)
{
	cJSON *reply = ask(fd, "ListJobs", parameters);
	const cJSON *jobs = part(reply, "jobs");
	int n = 0;

	for (; ids[n]; n++)
		assert_int_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(jobs, n), "id")->valueint,
		                 ids[n]);
	assert_int_equal(cJSON_GetArraySize(jobs), n);
	if (ids[n + 1])
		assert_int_equal(part(reply, "next")->valueint, ids[n + 1]);
	else
		assert_true(cJSON_IsNull(part(reply, "next")));
	if (left >= 0)
		assert_int_equal(part(reply, "left")->valueint, left);
	else
		assert_true(cJSON_IsNull(part(reply, "left")));
	cJSON_Delete(reply);
}

static void test_jobs_come_in_pages(void **state)
{
	int fd = dial();

	(void)state;
	expect_page(fd, "{\"limit\":1}", (const int[]){ 12, 0, 12 }, 1);
	expect_page(fd, "{\"limit\":1,\"before\":12}", (const int[]){ 11, 0, 0 }, -1);
	expect_page(fd, "{\"limit\":2}", (const int[]){ 12, 11, 0, 0 }, 0);
	expect_page(fd, "{\"before\":1}", (const int[]){ 0, 0 }, -1);
	/* rows of the store that core has too are told once, as core has them */
	fake.done[1].id = 11;
	expect_page(fd, "{\"all\":true,\"limit\":1}", (const int[]){ 12, 0, 12 }, 2);
	expect_page(fd, "{\"all\":true,\"before\":12}", (const int[]){ 11, 1, 0, 0 }, -1);
	expect_page(fd, "{\"all\":true,\"limit\":1,\"before\":11}", (const int[]){ 1, 0, 1 }, -1);
	expect_page(fd, "{\"all\":true,\"limit\":1,\"before\":1}", (const int[]){ 0, 0 }, -1);
	expect_error(fd, "ListJobs", "{\"limit\":0}", VARLINK_INVALID_PARAMETER);
	expect_error(fd, "ListJobs", "{\"limit\":1001}", VARLINK_INVALID_PARAMETER);
	expect_error(fd, "ListJobs", "{\"before\":-1}", VARLINK_INVALID_PARAMETER);
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

static void test_a_ticket_is_explained_or_said_to_be_wrong(void **state)
{
	int fd = dial();
	cJSON *reply, *option;

	(void)state;
	reply = ask(fd, "Explain", "{\"queue\":\"laser\",\"ticket\":[\"sides = x\"]}");
	option = cJSON_GetArrayItem(part(reply, "options"), 0);
	assert_string_equal(cJSON_GetObjectItem(option, "fate")->valuestring, "dropped");
	assert_string_equal(cJSON_GetObjectItem(option, "asked")->valuestring, "sides = x?");
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(option, "sent")));
	assert_string_equal(part(reply, "refused")->valuestring, "the job insists");
	assert_string_equal(part(reply, "queue")->valuestring, "laser");
	cJSON_Delete(reply);
	reply = ask(fd, "Explain", "{\"queue\":\"laser\"}");
	assert_true(cJSON_IsNull(part(reply, "refused")));
	assert_int_equal(cJSON_GetArraySize(part(reply, "attributes")), 1);
	cJSON_Delete(reply);
	expect_error(fd, "Explain", "{}", OURS("InvalidArgument"));
	expect_error(fd, "Explain", "{\"queue\":7}", VARLINK_INVALID_PARAMETER);
	expect_error(fd, "Explain", "{\"queue\":\"x\",\"ticket\":\"a\"}", OURS("InvalidArgument"));
	expect_error(fd, "Explain", "{\"queue\":\"x\",\"ticket\":[7]}", OURS("InvalidArgument"));
	expect_error(fd, "Explain", "{\"queue\":\"x\",\"ticket\":[\"wrong\"]}",
	             OURS("InvalidArgument"));
	fake.error = "CUPS has no queue x";
	fake.error_kind = ERR_GONE;
	expect_error(fd, "Explain", "{\"queue\":\"x\"}", OURS("NotFound"));
	fake.error_kind = ERR_TEMPORARY;
	fake.starts_badly = true;
	expect_error(fd, "Explain", "{\"queue\":\"x\"}", OURS("Failed"));
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

/* ---- orders ---- */

static void test_a_verdict_reaches_the_job_and_nonsense_does_not(void **state)
{
	static const struct {
		const char *word;
		enum core_verdict verdict;
	} words[] = { { "printed", CORE_PRINTED },
		      { "print-again", CORE_PRINT_AGAIN },
		      { "abort", CORE_ABORT } };
	int fd = dial();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		AUTO(free_str)
		char *text = xasprintf("{\"id\":%zu,\"verdict\":\"%s\"}", i + 1, words[i].word);

		expect_error(fd, "Resolve", text, "");
		assert_int_equal(fake.canceled_job, i + 1);
		assert_int_equal(fake.verdict, words[i].verdict);
	}
	assert_true(was_logged("resolves job 2: print-again"));
	expect_error(fd, "Resolve", "{\"id\":9,\"verdict\":\"maybe\"}", OURS("InvalidArgument"));
	expect_error(fd, "Resolve", "{\"id\":9}", OURS("InvalidArgument"));
	assert_int_equal(fake.canceled_job, 3);
	fake.error = "job 9 is not held, it is printing; print-connector cancel 9 ends it";
	fake.error_kind = ERR_REJECTED;
	expect_error(fd, "Resolve", "{\"id\":9,\"verdict\":\"abort\"}", OURS("Conflict"));
	expect_error(fd, "Retry", "{\"id\":9}", OURS("Conflict"));
	fake.error = NULL;
	expect_error(fd, "Retry", "{\"id\":9}", "");
	assert_int_equal(fake.retries, 1);
	(void)close(fd);
}

static void test_a_printer_is_paused_when_that_is_durable(void **state)
{
	int fd = dial();

	(void)state;
	expect_error(fd, "Pause", "{\"queue\":\"laser\"}", "");
	assert_true(fake.paused);
	assert_true(was_logged("pauses laser"));
	fake.error = "cannot write state.db: disk is full";
	fake.error_kind = ERR_TEMPORARY;
	expect_error(fd, "Resume", "{\"queue\":\"laser\"}", OURS("Failed"));
	fake.error = NULL;
	expect_error(fd, "Resume", "{\"queue\":\"laser\"}", "");
	assert_false(fake.paused);
	expect_error(fd, "Pause", "{}", OURS("InvalidArgument"));
	expect_error(fd, "Pause", "{\"queue\":\"office\"}", OURS("Ambiguous"));
	expect_error(fd, "Pause", "{\"queue\":\"office\",\"cloud\":\"two\"}", "");
	(void)close(fd);
}

static void test_a_drain_is_told_until_nothing_is_on_its_way(void **state)
{
	int fd = dial();
	cJSON *reply;

	(void)state;
	fake.handing_over = 2;
	reply = ask(fd, "Drain", "{}");
	assert_int_equal(part(reply, "handing")->valueint, 2);
	cJSON_Delete(reply);
	assert_true(fake.resting);
	say(fd, "{\"method\":\"org.printconnector.Connector.Drain\",\"more\":true}");
	for (int left = 2; left >= 0; left--) {
		fake.handing_over = (unsigned)left;
		reply = hear(fd);
		assert_int_equal(part(reply, "handing")->valueint, left);
		assert_int_equal(part(reply, "printing")->valueint, 2);
		assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(reply, "continues")), left > 0);
		cJSON_Delete(reply);
	}
	expect_error(fd, "Resume", "{}", "");
	assert_false(fake.resting);
	(void)close(fd);
}

static void test_who_hangs_up_leaves_the_connector_drained(void **state)
{
	int fd = dial();
	cJSON *reply;

	(void)state;
	fake.handing_over = 1;
	say(fd, "{\"method\":\"org.printconnector.Connector.Drain\",\"more\":true}");
	reply = hear(fd);
	cJSON_Delete(reply);
	(void)close(fd);
	fd = dial();
	expect_error(fd, "GetStatus", "{}", "");
	assert_true(fake.resting);
	say(fd, "{\"method\":\"org.printconnector.Connector.Drain\",\"more\":true}");
	reply = hear(fd);
	cJSON_Delete(reply);
	(void)close(fd); /* the daemon goes while it waits */
}

/* ---- registering ---- */

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

/* ---- Diagnose ---- */

static void test_the_doctor_tells_steps_then_findings(void **state)
{
	int fd = dial();
	cJSON *reply;

	(void)state;
	say(fd, "{\"method\":\"org.printconnector.Connector.Diagnose\",\"more\":true,"
	        "\"parameters\":{\"queue\":\"laser\"}}");
	expect_event(fd, "step", true);
	reply = hear(fd);
	assert_string_equal(part(reply, "step")->valuestring, "cups");
	assert_string_equal(part(reply, "mark")->valuestring, "fail");
	assert_true(cJSON_IsNull(part(reply, "remedy")));
	cJSON_Delete(reply);
	reply = hear(fd);
	assert_string_equal(part(reply, "event")->valuestring, "finding");
	assert_string_equal(part(reply, "remedy")->valuestring, "start it");
	cJSON_Delete(reply);
	reply = hear(fd);
	assert_string_equal(part(reply, "event")->valuestring, "done");
	assert_int_equal(part(reply, "passed")->valueint, 1);
	assert_int_equal(part(reply, "failed")->valueint, 1);
	cJSON_Delete(reply);
	assert_string_equal(fake.ordered, "doctor laser");
	fake.error = "laser is not registered";
	fake.error_kind = ERR_GONE;
	expect_error(fd, "Diagnose", "{\"queue\":\"laser\"}", OURS("NotFound"));
	(void)close(fd);
}

/* ---- Rebind and Reset ---- */

static void test_a_printer_is_moved_and_reset(void **state)
{
	int fd = dial();
	cJSON *reply;

	(void)state;
	fake.warning = "queue new is stopped; cupsenable new";
	reply = ask(fd, "Rebind", "{\"printer\":\"laser\",\"queue\":\"new\"}");
	assert_string_equal(fake.ordered, "rebind laser new");
	assert_string_equal(part(reply, "text")->valuestring, fake.warning);
	cJSON_Delete(reply);
	reply = ask(fd, "Reset", "{\"queue\":\"laser\"}");
	assert_string_equal(error_of(reply), "");
	assert_string_equal(fake.ordered, "reset laser");
	cJSON_Delete(reply);
	expect_error(fd, "Rebind", "{\"printer\":\"laser\"}", OURS("InvalidArgument"));
	expect_error(fd, "Reset", "{}", OURS("InvalidArgument"));
	fake.error = "laser has open jobs; wait for them";
	fake.error_kind = ERR_REJECTED;
	expect_error(fd, "Rebind", "{\"printer\":\"laser\",\"queue\":\"new\"}", OURS("Conflict"));
	expect_error(fd, "Reset", "{\"queue\":\"laser\"}", OURS("Conflict"));
	(void)close(fd);
}

/* ---- Watch ---- */

static void expect_open(cJSON *reply, int count)
{
	assert_non_null(reply);
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(reply, "continues")));
	assert_non_null(part(reply, "health"));
	assert_int_equal(cJSON_GetArraySize(part(reply, "open")), count);
	cJSON_Delete(reply);
}

static void test_watching_tells_at_once_and_then_what_changed(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, "{\"method\":\"org.printconnector.Connector.Watch\",\"more\":true}");
	expect_open(hear(fd), 2);
	fake.open_count = 1; /* the next answer is because of it */
	expect_open(hear(fd), 1);
	(void)close(fd);
	for (int i = 0; i < 10; i++)
		turn();
}

static void test_watching_without_more_is_one_answer(void **state)
{
	int fd = dial();
	cJSON *reply = ask(fd, "Watch", "{}");

	(void)state;
	assert_int_equal(cJSON_GetArraySize(part(reply, "open")), 2);
	assert_false(cJSON_IsTrue(cJSON_GetObjectItem(reply, "continues")));
	cJSON_Delete(reply);
	(void)close(fd);
}

static void test_the_daemon_stops_while_somebody_watches(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, "{\"method\":\"org.printconnector.Connector.Watch\",\"more\":true}");
	expect_open(hear(fd), 2);
	control_close(TAKE(f.control));
	assert_true(hung_up(fd));
	(void)close(fd);
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
	assert_non_null(strstr(text, "\nprint_connector_cloud_up{cloud=\"one\"} 1\n"));
	assert_null(strstr(text, "cloud_up{cloud=\"two\"}")); /* not asked yet */
	assert_non_null(strstr(text, "\nprint_connector_store_commits_total 42\n"));
	assert_non_null(strstr(text, "\nprint_connector_start_time_seconds 1700000000.001\n"));
	assert_non_null(strstr(text, "\nprint_connector_job_retries_total 3\n"));
	assert_non_null(strstr(text, "\nprint_connector_stage_seconds_bucket{stage=\"queue\",le="
	                             "\"0.001\"} 0\nprint_connector_stage_seconds_bucket{stage="
	                             "\"queue\",le=\"0.0025\"} 1\n"));
	assert_non_null(strstr(text, "\nprint_connector_stage_seconds_sum{stage=\"queue\"} 4.0015\n"
	                             "print_connector_stage_seconds_count{stage=\"queue\"} 2\n"));
	assert_non_null(strstr(text, "\nprint_connector_cloud_requests_total{cloud=\"one\","
	                             "result=\"ok\"} 12\n"));
	assert_non_null(strstr(text, "{cloud=\"one\",result=\"gone\"} 2\n"));
	assert_non_null(strstr(text, "\nprint_connector_store_commit_seconds_count 0\n"));
	assert_non_null(strstr(text, "_bucket{le=\"+Inf\"} "));
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	cJSON_Delete(reply);
	(void)close(fd);
}

/* ---- Register with several queues and a sign-in ---- */

static cJSON *next_event(int fd, const char *event)
{
	cJSON *reply = hear(fd);

	assert_non_null(reply);
	assert_string_equal(error_of(reply), "");
	assert_string_equal(part(reply, "event")->valuestring, event);
	return reply;
}

static void test_the_code_goes_to_the_one_who_asked(void **state)
{
	int fd = dial();
	cJSON *reply;

	(void)state;
	fake.asks_to_sign_in = true;
	fake.warning = "queue a is stopped";
	say(fd, MORE("\"queues\":[\"a\",\"b\"],\"renew\":true"));
	reply = next_event(fd, "code");
	assert_string_equal(part(reply, "user_code")->valuestring, "ABCD-1234");
	assert_string_equal(part(reply, "verification_uri")->valuestring,
	                    "https://login.example/d");
	assert_string_equal(part(reply, "expires_at")->valuestring, "2023-11-14T22:28:20.000Z");
	assert_true(cJSON_IsNull(part(reply, "queue")));
	cJSON_Delete(reply);
	reply = next_event(fd, "waiting");
	assert_true(cJSON_IsNull(part(reply, "user_code")));
	cJSON_Delete(reply);
	reply = next_event(fd, "registered");
	assert_string_equal(part(reply, "queue")->valuestring, "a");
	assert_string_equal(part(reply, "text")->valuestring, "queue a is stopped");
	assert_string_equal(part(reply, "printer")->valuestring, fake.printers[0].id);
	cJSON_Delete(reply);
	cJSON_Delete(next_event(fd, "registered"));
	reply = next_event(fd, "done");
	assert_int_equal(part(reply, "registered")->valueint, 2);
	assert_int_equal(part(reply, "failed")->valueint, 0);
	cJSON_Delete(reply);
	assert_true(fake.asked.renew);
	assert_false(fake.asked.all);
	(void)close(fd);
}

static void test_what_all_queues_meet_is_told_once(void **state)
{
	int fd = dial();
	cJSON *reply;

	(void)state;
	fake.error = "declined; try again";
	fake.error_kind = ERR_REJECTED;
	fake.stops_early = true;
	say(fd, MORE("\"all\":true"));
	cJSON_Delete(next_event(fd, "waiting"));
	reply = next_event(fd, "failed");
	assert_true(cJSON_IsNull(part(reply, "queue")));
	assert_string_equal(part(reply, "text")->valuestring, "declined");
	assert_string_equal(part(reply, "remedy")->valuestring, "try again");
	cJSON_Delete(reply);
	cJSON_Delete(next_event(fd, "done"));
	assert_true(fake.asked.all);
	(void)close(fd);
}

static void test_one_of_several_queues_fails_by_itself(void **state)
{
	int fd = dial();
	cJSON *reply;

	(void)state;
	fake.error = "no such queue";
	fake.error_kind = ERR_GONE;
	say(fd, MORE("\"queues\":[\"a\",\"b\"]"));
	cJSON_Delete(next_event(fd, "waiting"));
	cJSON_Delete(next_event(fd, "registered"));
	reply = next_event(fd, "failed");
	assert_string_equal(part(reply, "queue")->valuestring, "b");
	cJSON_Delete(reply);
	reply = next_event(fd, "done");
	assert_int_equal(part(reply, "registered")->valueint, 1);
	assert_int_equal(part(reply, "failed")->valueint, 1);
	cJSON_Delete(reply);
	(void)close(fd);
}

static void test_queues_are_named_in_one_way_only(void **state)
{
	int fd = dial();

	(void)state;
	expect_error(fd, "Register", "{\"queue\":\"a\",\"all\":true}", OURS("InvalidArgument"));
	expect_error(fd, "Register", "{\"queue\":\"a\",\"queues\":[\"b\"]}",
	             OURS("InvalidArgument"));
	expect_error(fd, "Register", "{\"queues\":[]}", OURS("InvalidArgument"));
	expect_error(fd, "Register", "{\"queues\":[1]}", OURS("InvalidArgument"));
	expect_error(fd, "Register", "{\"queues\":[\"\"]}", OURS("InvalidArgument"));
	expect_error(fd, "Register", "{\"queues\":[\"a\\n\"]}", OURS("InvalidArgument"));
	expect_error(fd, "Register", "{\"queues\":\"a\"}", OURS("InvalidArgument"));
	/* several answers need more */
	expect_error(fd, "Register", "{\"queues\":[\"a\",\"b\"]}", OURS("InvalidArgument"));
	expect_error(fd, "Register", "{\"all\":true}", OURS("InvalidArgument"));
	expect_error(fd, "Register", "{\"queues\":[\"a\"],\"all\":false}", "");
	assert_int_equal(fake.registrations, 1);
	assert_true(fake.asked.code == NULL); /* nobody to show one to */
	(void)close(fd);
}

static void test_unregister_says_what_is_left_to_do_in_the_portal(void **state)
{
	int fd = dial();
	cJSON *reply;

	(void)state;
	(void)str_copy(fake.printers[0].identity.device, 64, "0d15ea5e");
	reply = ask(fd, "Unregister", "{\"queue\":\"laser\"}");
	assert_non_null(strstr(part(reply, "text")->valuestring,
	                       "Azure portal, Universal Print, Printers, 0d15ea5e, Delete"));
	cJSON_Delete(reply);
	*fake.printers[0].identity.device = '\0';
	fake.printers[0].registering = true;
	reply = ask(fd, "Unregister", "{\"queue\":\"laser\"}");
	assert_non_null(strstr(part(reply, "text")->valuestring, "was not finished"));
	cJSON_Delete(reply);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_code_goes_to_the_one_who_asked),
		TEST(test_what_all_queues_meet_is_told_once),
		TEST(test_one_of_several_queues_fails_by_itself),
		TEST(test_queues_are_named_in_one_way_only),
		TEST(test_unregister_says_what_is_left_to_do_in_the_portal),
		TEST(test_the_table_of_methods_is_that_of_the_interface),
		TEST(test_each_method_of_the_interface_answers_with_what_it_promises),
		TEST(test_the_service_describes_itself),
		TEST(test_what_is_not_there_is_refused_by_name),
		TEST(test_a_call_that_wants_no_answer_gets_none),
		TEST(test_status_counts_and_tells_what_is_wrong),
		TEST(test_open_jobs_come_newest_first_and_finished_ones_when_asked),
		TEST(test_jobs_come_in_pages),
		TEST(test_a_queue_in_two_clouds_is_ambiguous),
		TEST(test_jobs_of_an_unknown_printer_are_not_found),
		TEST(test_a_job_has_its_time_line),
		TEST(test_a_store_that_fails_is_told),
		TEST(test_a_ticket_is_explained_or_said_to_be_wrong),
		TEST(test_a_cancel_says_why_it_is_too_late),
		TEST(test_a_verdict_reaches_the_job_and_nonsense_does_not),
		TEST(test_a_printer_is_paused_when_that_is_durable),
		TEST(test_a_drain_is_told_until_nothing_is_on_its_way),
		TEST(test_who_hangs_up_leaves_the_connector_drained),
		TEST(test_a_registration_is_told_event_by_event),
		TEST(test_a_registration_without_more_is_one_answer_or_an_error),
		TEST(test_who_hangs_up_does_not_register),
		TEST(test_closing_waits_for_nothing_that_is_under_way),
		TEST(test_the_doctor_tells_steps_then_findings),
		TEST(test_a_printer_is_moved_and_reset),
		TEST(test_watching_tells_at_once_and_then_what_changed),
		TEST(test_watching_without_more_is_one_answer),
		TEST(test_the_daemon_stops_while_somebody_watches),
		TEST(test_metrics_are_open_metrics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
