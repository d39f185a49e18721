#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <cups/cups.h>
#include <string.h>

#include "common/util.h"
#include "connector/cloud/dialect.h"

static void test_facts_of_the_infrastructure_printer_are_withheld(void **state)
{
	static const char *const withheld[] = { "printer-uuid",
		                                "printer-uri-supported",
		                                "uri-security-supported",
		                                "uri-authentication-supported",
		                                "notify-events-supported",
		                                "oauth-authorization-server-uri",
		                                "printer-mode-configured",
		                                "multiple-operation-time-out",
		                                "multiple-operation-time-out-action",
		                                "which-jobs-supported",
		                                "attributes-charset" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(withheld); i++)
		if (dialect_takes(&dialect_ipp_infra, withheld[i]))
			fail_msg("%s is told", withheld[i]);
}

static void test_facts_of_the_device_are_told(void **state)
{
	static const char *const told[] = { "printer-state",        "printer-make-and-model",
		                            "media-col-database",   "printer-supply",
		                            "printer-info",         "charset-supported",
		                            "urf-supported",        "ipp-versions-supported",
		                            "printer-current-time", "uri-supported" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		if (!dialect_takes(&dialect_ipp_infra, told[i]))
			fail_msg("%s is withheld", told[i]);
}

static void test_ipp_infra_lives_with_both_servers(void **state)
{
	const struct dialect *d = &dialect_ipp_infra;

	(void)state;
	assert_true(d->fetchable_states & 1u << IPP_JSTATE_PENDING);
	assert_true(d->fetchable_states & 1u << IPP_JSTATE_STOPPED);
	assert_false(d->fetchable_states & 1u << IPP_JSTATE_CANCELED);
	assert_true(d->refusal_ends_job);
	assert_true(d->canceled_is_checked);
	assert_string_equal(d->compressions[0], "none");
}

static void test_the_end_of_a_job_is_subscribed_to(void **state)
{
	bool completed = false, fetchable = false;

	(void)state;
	for (const char *const *e = dialect_ipp_infra.events; *e; e++) {
		completed = completed || strcmp(*e, "job-completed") == 0;
		fetchable = fetchable || strcmp(*e, "job-fetchable") == 0;
	}
	assert_true(completed && fetchable); /* cancels come as job-completed */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts_of_the_infrastructure_printer_are_withheld),
		cmocka_unit_test(test_facts_of_the_device_are_told),
		cmocka_unit_test(test_ipp_infra_lives_with_both_servers),
		cmocka_unit_test(test_the_end_of_a_job_is_subscribed_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
