/* test_control_json.c - records as the control socket shows them. */
#include "connector/control/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/str.h"
#include "common/util.h"

static struct job_record example(void)
{
	struct job_record job = { .id = 12,
		                  .cloud_job = 7,
		                  .state = JOB_PRINTING,
		                  .attempt = 2,
		                  .impressions = -1,
		                  .sheets = -1,
		                  .received = 1700000000123 };

	(void)str_copy(job.uuid, sizeof(job.uuid), "u-u");
	(void)str_copy(job.job_name, sizeof(job.job_name), "pay slip");
	(void)str_copy(job.user_name, sizeof(job.user_name), "anna");
	return job;
}

static void expect_json(cJSON *object, const char *text)
{
	char *printed = cJSON_PrintUnformatted(object);

	assert_string_equal(printed, text);
	cJSON_free(printed);
	cJSON_Delete(object);
}

static void test_what_is_not_known_of_a_job_is_null(void **state)
{
	const struct job_record job = example();

	(void)state;
	expect_json(json_job(&job, NULL, NULL, CONFIG_NAMES_HIDDEN),
	            "{\"id\":12,\"uuid\":\"u-u\",\"queue\":null,\"cloud\":null,\"cloud_job\":7,"
	            "\"name\":null,\"user\":null,\"state\":\"printing\",\"outcome\":null,"
	            "\"local_job\":null,\"bytes\":null,\"impressions\":null,\"attempts\":2,"
	            "\"error\":null,\"dropped\":[],\"times\":{\"received\":"
	            "\"2023-11-14T22:13:20.123Z\",\"acknowledged\":null,\"handed\":null,"
	            "\"finished\":null,\"reported\":null}}");
}

static void test_a_job_shows_all_that_is_known(void **state)
{
	struct job_record job = example();
	const cJSON *error;
	cJSON *object;

	(void)state;
	job.state = JOB_DONE;
	job.outcome = OUTCOME_ABORTED;
	job.local_job = 34;
	job.bytes = 5000000000;
	job.impressions = 0;
	job.error_kind = ERR_REJECTED;
	job.error_code = 0x40a;
	(void)str_copy(job.error_text, sizeof(job.error_text), "no such format");
	(void)str_copy(job.dropped, sizeof(job.dropped), "sides: one side only\n\nmedia: no A3\n");
	object = json_job(&job, "laser", "office", CONFIG_NAMES_SHOWN);
	assert_string_equal(cJSON_GetObjectItem(object, "outcome")->valuestring, "aborted");
	assert_true(cJSON_GetObjectItem(object, "bytes")->valuedouble == 5e9);
	assert_int_equal(cJSON_GetObjectItem(object, "impressions")->valueint, 0);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(object, "dropped")), 2);
	assert_string_equal(cJSON_GetObjectItem(object, "name")->valuestring, "pay slip");
	assert_string_equal(cJSON_GetObjectItem(object, "user")->valuestring, "anna");
	error = cJSON_GetObjectItem(object, "error");
	assert_string_equal(cJSON_GetObjectItem(error, "kind")->valuestring, "rejected");
	assert_int_equal(cJSON_GetObjectItem(error, "code")->valueint, 0x40a);
	cJSON_Delete(object);
}

static void test_names_are_hidden_hashed_or_shown(void **state)
{
	struct job_record job = example();
	cJSON *a, *b;

	(void)state;
	a = json_job(&job, "q", "c", CONFIG_NAMES_HASHED);
	(void)str_copy(job.job_name, sizeof(job.job_name), "anna");
	b = json_job(&job, "q", "c", CONFIG_NAMES_HASHED);
	/* the same person is the same hash, another text is not */
	assert_string_equal(cJSON_GetObjectItem(a, "user")->valuestring,
	                    cJSON_GetObjectItem(b, "user")->valuestring);
	assert_string_equal(cJSON_GetObjectItem(b, "name")->valuestring,
	                    cJSON_GetObjectItem(b, "user")->valuestring);
	assert_string_not_equal(cJSON_GetObjectItem(a, "name")->valuestring,
	                        cJSON_GetObjectItem(b, "name")->valuestring);
	assert_int_equal(cJSON_GetObjectItem(a, "user")->valuestring[0], '#');
	assert_null(strstr(cJSON_GetObjectItem(a, "user")->valuestring, "anna"));
	cJSON_Delete(a);
	cJSON_Delete(b);
	*job.user_name = '\0';
	a = json_job(&job, "q", "c", CONFIG_NAMES_HASHED);
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(a, "user")));
	cJSON_Delete(a);
}

static void test_texts_from_outside_are_made_safe(void **state)
{
	struct job_record job = example();
	cJSON *object;

	(void)state;
	(void)str_copy(job.job_name, sizeof(job.job_name), "a\033[2Jb\xff");
	object = json_job(&job, "q", "c", CONFIG_NAMES_SHOWN);
	assert_string_equal(cJSON_GetObjectItem(object, "name")->valuestring, "a?[2Jb?");
	cJSON_Delete(object);
}

static void expect_trust(const struct core_printer *printer, const char *trust)
{
	cJSON *json = json_printer(printer);

	assert_string_equal(cJSON_GetObjectItem(json, "trust")->valuestring, trust);
	cJSON_Delete(json);
}

static void test_a_printer_shows_its_reasons_and_certificate(void **state)
{
	struct printer_record record = { 0 };
	struct core_printer printer = {
		.record = &record, .state = "offline", .reasons = { "one", "two" }, .jobs = 3
	};

	(void)state;
	(void)str_copy(record.id, sizeof(record.id), "id");
	(void)str_copy(record.queue, sizeof(record.queue), "laser");
	(void)str_copy(record.cloud, sizeof(record.cloud), "office");
	expect_json(json_printer(&printer),
	            "{\"id\":\"id\",\"queue\":\"laser\",\"name\":null,\"cloud\":\"office\",\"cloud_"
	            "printer\":"
	            "null,\"state\":\"offline\",\"reasons\":[\"one\",\"two\"],\"since\":null,"
	            "\"jobs\":3,\"certificate\":null,\"trust\":null}");
	(void)str_copy(record.queue, sizeof(record.queue), "ipp://p/");
	(void)str_copy(record.name, sizeof(record.name), "P");
	(void)str_copy(record.cloud_uri, sizeof(record.cloud_uri), "ipps://x/1");
	printer.reasons[0] = NULL;
	printer.since = 1;
	printer.not_after = 1800000000;
	printer.certificate_sha256 = "ab";
	expect_json(json_printer(&printer),
	            "{\"id\":\"id\",\"queue\":\"ipp://p/"
	            "\",\"name\":\"P\",\"cloud\":\"office\",\"cloud_printer\":"
	            "\"ipps://x/1\",\"state\":\"offline\",\"reasons\":[],\"since\":"
	            "\"1970-01-01T00:00:00.001Z\",\"jobs\":3,\"certificate\":{\"not_after\":"
	            "\"2027-01-15T08:00:00.000Z\",\"sha256\":\"ab\"},"
	            "\"trust\":\"none\"}");
	(void)str_copy(record.queue, sizeof(record.queue), "ipps://p/");
	expect_trust(&printer, "authority");
	(void)str_copy(record.pinned_key, sizeof(record.pinned_key), "sha256//AAAA");
	expect_trust(&printer, "key");
}

static void test_a_cloud_that_was_not_asked_is_neither_reachable_nor_not(void **state)
{
	struct core_cloud cloud = { .name = "office", .type = "ipp-infra" };

	(void)state;
	expect_json(json_cloud(&cloud), "{\"name\":\"office\",\"type\":\"ipp-infra\",\"reachable\":"
	                                "null,\"since\":null,\"error\":null}");
	cloud.error = "no route";
	cloud.since = 1000;
	expect_json(json_cloud(&cloud),
	            "{\"name\":\"office\",\"type\":\"ipp-infra\",\"reachable\":false,\"since\":"
	            "\"1970-01-01T00:00:01.000Z\",\"error\":\"no route\"}");
}

static void test_health_has_words_of_its_own_or_those_of_its_code(void **state)
{
	struct core_health health = { .code = HEALTH_QUEUE_MISSING, .subject = "laser" };
	cJSON *object = json_health(&health);

	(void)state;
	assert_string_equal(cJSON_GetObjectItem(object, "text")->valuestring,
	                    "queue laser does not exist any more");
	cJSON_Delete(object);
	health.text = "CUPS has no queue laser";
	object = json_health(&health);
	assert_string_equal(cJSON_GetObjectItem(object, "text")->valuestring,
	                    "CUPS has no queue laser");
	assert_string_equal(cJSON_GetObjectItem(object, "severity")->valuestring, "error");
	cJSON_Delete(object);
	health.code = HEALTH_QUEUE_STOPPED;
	health.text = "queue laser is stopped: no paper; cupsenable laser";
	object = json_health(&health);
	assert_string_equal(cJSON_GetObjectItem(object, "text")->valuestring,
	                    "queue laser is stopped: no paper");
	assert_string_equal(cJSON_GetObjectItem(object, "remedy")->valuestring, "cupsenable laser");
	cJSON_Delete(object);
}

static void test_counts_name_each_state(void **state)
{
	struct core_counts n = { .printers_online = 2 };

	(void)state;
	n.jobs[JOB_HELD] = 1;
	expect_json(json_printer_counts(&n),
	            "{\"online\":2,\"offline\":0,\"paused\":0,\"refused\":0,\"registering\":0}");
	expect_json(json_job_counts(&n),
	            "{\"claiming\":0,\"handing\":0,\"printing\":0,\"waiting\":0,\"held\":1,"
	            "\"reporting\":0}");
}

static void test_an_event_has_time_source_and_text(void **state)
{
	const struct job_event event = { 1500, "queue", "printing" };

	(void)state;
	expect_json(json_event(&event), "{\"time\":\"1970-01-01T00:00:01.500Z\",\"source\":"
	                                "\"queue\",\"text\":\"printing\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_not_known_of_a_job_is_null),
		cmocka_unit_test(test_a_job_shows_all_that_is_known),
		cmocka_unit_test(test_names_are_hidden_hashed_or_shown),
		cmocka_unit_test(test_texts_from_outside_are_made_safe),
		cmocka_unit_test(test_a_printer_shows_its_reasons_and_certificate),
		cmocka_unit_test(test_a_cloud_that_was_not_asked_is_neither_reachable_nor_not),
		cmocka_unit_test(test_health_has_words_of_its_own_or_those_of_its_code),
		cmocka_unit_test(test_counts_name_each_state),
		cmocka_unit_test(test_an_event_has_time_source_and_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
