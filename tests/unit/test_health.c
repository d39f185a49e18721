#include "common/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/messages.h"
#include "common/metrics.h"
#include "common/util.h"

static bool is_of(const char *text, const char *set)
{
	return *text && !text[strspn(text, set)];
}

static void test_every_code_is_a_word_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < HEALTH_CODE_COUNT; i++) {
		const char *name = health_code_name((enum health_code)i);

		assert_true(is_of(name, "abcdefghijklmnopqrstuvwxyz-"));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(name, health_code_name((enum health_code)j));
		assert_non_null(health_severity_name(health_severity((enum health_code)i)));
	}
}

static void test_every_code_has_text_and_remedy_that_fit_a_line(void **state)
{
	char text[192], remedy[256];

	(void)state;
	for (int i = 0; i < HEALTH_CODE_COUNT; i++) {
		health_text((enum health_code)i, "office-2", text, sizeof(text));
		health_remedy((enum health_code)i, "office-2", remedy, sizeof(remedy));
		assert_true(strlen(text) > 10 && strlen(text) < sizeof(text) - 1);
		assert_true(strlen(remedy) > 10 && strlen(remedy) < sizeof(remedy) - 1);
		assert_non_null(strstr(text, "office-2"));
		assert_null(strstr(text, "{}"));
		assert_null(strstr(remedy, "{}"));
	}
}

static void test_the_subject_is_put_in_everywhere(void **state)
{
	char text[128];

	(void)state;
	health_text(HEALTH_QUEUE_STOPPED, "q", text, sizeof(text));
	assert_string_equal(text, "queue q is stopped or rejects jobs");
	health_remedy(HEALTH_QUEUE_STOPPED, "q", text, sizeof(text));
	assert_string_equal(text, "cupsenable q; cupsaccept q");
	assert_int_equal(health_severity(HEALTH_QUEUE_STOPPED), HEALTH_SEVERITY_WARNING);
	assert_string_equal(health_severity_name(HEALTH_SEVERITY_ERROR), "error");
}

static void test_a_subject_from_outside_is_made_safe(void **state)
{
	char text[128];

	(void)state;
	health_text(HEALTH_CLOUD_UNREACHABLE, "c\033[2J\n", text, sizeof(text));
	assert_string_equal(text, "cloud c?[2J? does not answer");
	health_text(HEALTH_CLOUD_UNREACHABLE, "{}", text, sizeof(text));
	assert_string_equal(text, "cloud {} does not answer");
}

static void test_a_long_text_is_cut(void **state)
{
	char whole[256], text[256];

	(void)state;
	health_remedy(HEALTH_QUEUE_STOPPED, "quéue", whole, sizeof(whole));
	for (size_t size = 1; size <= strlen(whole); size++) {
		memset(text, 'x', sizeof(text));
		health_remedy(HEALTH_QUEUE_STOPPED, "quéue", text, size);
		assert_true(strlen(text) < size);
		assert_int_equal(text[size], 'x');
	}
}

static void test_message_ids_are_different_and_of_the_journals_form(void **state)
{
	(void)state;
	assert_int_equal(MESSAGE_COUNT, 23);
	for (int i = 0; i < MESSAGE_COUNT; i++) {
		const char *id = message_id((enum message)i);

		assert_int_equal(strlen(id), 32);
		assert_true(is_of(id, "0123456789abcdef"));
		assert_true(strlen(message_subject((enum message)i)) > 0);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(id, message_id((enum message)j));
	}
}

static void test_metrics_are_named_as_openmetrics_wants(void **state)
{
	static const struct {
		const char *name;
		int type;
		const char *labels, *help;
	} metrics[] = {
#define X(id, name, type, labels, help) { name, METRIC_TYPE_##type, labels, help },
		METRICS(X)
#undef X
	};

	(void)state;
	assert_int_equal(ARRAY_SIZE(metrics), METRIC_COUNT);
	for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
		size_t len = strlen(metrics[i].name);

		assert_memory_equal(metrics[i].name, "print_connector_", 16);
		assert_true(is_of(metrics[i].name, "abcdefghijklmnopqrstuvwxyz_"));
		assert_string_not_equal(metrics[i].name + len - 6, "_total");
		assert_int_equal(metrics[i].help[strlen(metrics[i].help) - 1], '.');
		assert_true(!*metrics[i].labels ||
		            is_of(metrics[i].labels, "abcdefghijklmnopqrstuvwxyz,"));
		if (metrics[i].type == METRIC_TYPE_HISTOGRAM)
			assert_string_equal(metrics[i].name + len - 8, "_seconds");
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(metrics[i].name, metrics[j].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_code_is_a_word_of_its_own),
		cmocka_unit_test(test_every_code_has_text_and_remedy_that_fit_a_line),
		cmocka_unit_test(test_the_subject_is_put_in_everywhere),
		cmocka_unit_test(test_a_subject_from_outside_is_made_safe),
		cmocka_unit_test(test_a_long_text_is_cut),
		cmocka_unit_test(test_message_ids_are_different_and_of_the_journals_form),
		cmocka_unit_test(test_metrics_are_named_as_openmetrics_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
