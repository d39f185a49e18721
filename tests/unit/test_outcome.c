/* What became of a job, as data: what CUPS and printers answered in the cases that were tried, and
 * what that means. */
#include "connector/printer/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "connector/printer/printer_text.h"

static const struct example {
	const char *name;
	bool cups;
	ipp_jstate_t state;
	const char *reason, *message, *printer_message;
	/* expected */
	enum job_outcome outcome;
	bool incoming, stuck;
	const char *text;
} examples[] = {
	{ "open at CUPS", true, IPP_JSTATE_HELD, "job-incoming", NULL, NULL, OUTCOME_NONE, true,
	  false, "" },
	{ "open at CUPS since before its restart", true, IPP_JSTATE_HELD, "none", NULL, NULL,
	  OUTCOME_NONE, true, false, "" },
	{ "held by a printer that does not say why", false, IPP_JSTATE_HELD, "none", NULL, NULL,
	  OUTCOME_NONE, false, false, "" },
	{ "waiting", true, IPP_JSTATE_PENDING, "none", NULL, NULL, OUTCOME_NONE, false, false, "" },
	{ "printing", true, IPP_JSTATE_PROCESSING, "job-printing", NULL,
	  "The printer may not exist or is unavailable at this time.", OUTCOME_NONE, false, false,
	  "The printer may not exist or is unavailable at this time." },
	{ "printed", true, IPP_JSTATE_COMPLETED, "processing-to-stop-point", NULL, "",
	  OUTCOME_COMPLETED, false, false, "" },
	{ "a filter failed", true, IPP_JSTATE_STOPPED, "job-completed-with-errors", NULL,
	  "Filter failed", OUTCOME_ABORTED, false, false, "Filter failed" },
	{ "stopped, will go on", true, IPP_JSTATE_STOPPED, "job-stopped", NULL, NULL, OUTCOME_NONE,
	  false, false, "" },
	{ "a person canceled it", true, IPP_JSTATE_CANCELED, "processing-to-stop-point", NULL, "",
	  OUTCOME_CANCELED, false, false, "" },
	{ "job-cancel-after", true, IPP_JSTATE_CANCELED, "job-canceled-by-user", NULL, "",
	  OUTCOME_CANCELED, false, false, "" },
	{ "the printer aborted it, CUPS says canceled", true, IPP_JSTATE_CANCELED,
	  "processing-to-stop-point", NULL, "Print job canceled at printer.", OUTCOME_ABORTED,
	  false, false, "Print job canceled at printer." },
	{ "CUPS gave up", true, IPP_JSTATE_ABORTED, "processing-to-stop-point", NULL,
	  "backend failed", OUTCOME_ABORTED, false, false, "backend failed" },
	{ "wants a password", true, IPP_JSTATE_HELD, "cups-held-for-authentication", NULL, "",
	  OUTCOME_NONE, false, true, "user name and password" },
	{ "held by somebody", true, IPP_JSTATE_HELD, "job-hold-until-specified", NULL, "",
	  OUTCOME_NONE, false, true, "release it" },
	{ "tried again by CUPS itself", true, IPP_JSTATE_HELD, "resources-are-not-ready", NULL, "",
	  OUTCOME_NONE, false, false, "" },
	{ "accounting", false, IPP_JSTATE_HELD, "account-limit-reached", NULL, NULL, OUTCOME_NONE,
	  false, true, "account" },
	{ "PIN printing", false, IPP_JSTATE_HELD, "job-password-wait", NULL, NULL, OUTCOME_NONE,
	  false, true, "password" },
	{ "open at a printer", false, IPP_JSTATE_HELD, "job-data-insufficient", NULL, NULL,
	  OUTCOME_NONE, true, false, "" },
	{ "out of paper", false, IPP_JSTATE_STOPPED, "printer-stopped", "Out of paper.", NULL,
	  OUTCOME_NONE, false, false, "Out of paper." },
	{ "printed by a printer", false, IPP_JSTATE_COMPLETED, "job-completed-successfully",
	  "Job completed.", NULL, OUTCOME_COMPLETED, false, false, "Job completed." },
	{ "aborted by a printer", false, IPP_JSTATE_ABORTED, "aborted-by-system",
	  "\tcannot\x1b\tprint", NULL, OUTCOME_ABORTED, false, false, "cannot? print" },
	{ "aborted, called canceled", false, IPP_JSTATE_CANCELED, "aborted-by-system", "jam", NULL,
	  OUTCOME_ABORTED, false, false, "jam" },
	{ "canceled at the panel", false, IPP_JSTATE_CANCELED, "job-canceled-at-device", "", NULL,
	  OUTCOME_CANCELED, false, false, "" },
};

static void add_text(ipp_t *m, const char *name, const char *text)
{
	if (text != NULL)
		ippAddString(m, IPP_TAG_JOB, IPP_TAG_TEXT, name, NULL, text);
}

static ipp_t *new_answer(const struct example *e)
{
	ipp_t *m = ippNew();

	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-id", 7);
	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_ENUM, "job-state", (int)e->state);
	ippAddString(m, IPP_TAG_JOB, IPP_TAG_KEYWORD, "job-state-reasons", NULL, e->reason);
	add_text(m, "job-state-message", e->message);
	add_text(m, "job-printer-state-message", e->printer_message);
	return m;
}

static void test_each_ending_is_what_it_really_was(void **state)
{
	struct local_job job;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(examples); i++) {
		const struct example *e = &examples[i];
		ipp_t *m = new_answer(e);

		print_message("%s\n", e->name);
		assert_true(outcome_read(m, e->cups, &job));
		assert_int_equal(job.id, 7);
		assert_false(job.unconfirmed);
		assert_int_equal(job.state, e->state);
		assert_int_equal(job.outcome, e->outcome);
		assert_int_equal(job.incoming, e->incoming);
		assert_int_equal(job.stuck, e->stuck);
		if (e->text[0] == '\0')
			assert_string_equal(job.message, "");
		else
			assert_non_null(strstr(job.message, e->text));
		ippDelete(m);
	}
}

static void test_what_an_lpd_printer_has_not_confirmed_is_in_doubt(void **state)
{
	static const char *const messages[] = {
		"The printer did not respond.",
		"Remote host did not accept data file (32).",
		"Remote host did not accept data file (104).",
	};
	struct example e = { .cups = true,
		             .state = IPP_JSTATE_COMPLETED,
		             .reason = "processing-to-stop-point" };
	struct local_job job;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(messages); i++) {
		ipp_t *m;

		e.printer_message = messages[i];
		m = new_answer(&e);
		assert_true(outcome_read(m, true, &job));
		assert_int_equal(job.outcome, OUTCOME_COMPLETED);
		assert_true(job.unconfirmed);
		assert_non_null(
			strstr(job.message, "unknown whether it printed: the printer hung"));
		assert_true(outcome_read(m, false, &job)); /* a printer's own word */
		assert_false(job.unconfirmed);
		ippDelete(m);
	}
	e.printer_message = "Data file sent successfully.";
	{
		ipp_t *m = new_answer(&e);

		assert_true(outcome_read(m, true, &job));
		assert_false(job.unconfirmed);
		ippDelete(m);
	}
}

static void test_counts_and_times_that_are_not_there_are_unknown(void **state)
{
	ipp_t *m = new_answer(&examples[3]);
	struct local_job job;

	(void)state;
	ippAddOutOfBand(m, IPP_TAG_JOB, IPP_TAG_NOVALUE, "time-at-processing");
	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "time-at-creation", 1700000000);
	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-impressions-completed", 0);
	assert_true(outcome_read(m, true, &job));
	assert_int_equal(job.created_at, 1700000000);
	assert_int_equal(job.processing_at, 0);
	assert_int_equal(job.completed_at, 0);
	assert_int_equal(job.impressions, -1);
	assert_int_equal(job.sheets, -1);
	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-media-sheets-completed", 3);
	assert_true(outcome_read(m, true, &job));
	assert_int_equal(job.sheets, 3);
	ippDelete(m);
}

/* As cupsd 2.4.2 answers when a document came for a job that was canceled before it. */
static void test_a_canceled_job_that_cups_has_opened_again_is_canceled(void **state)
{
	static const struct {
		ipp_jstate_t job_state;
		const char *reason;
		bool cups, started;
		enum job_outcome outcome;
	} cases[] = {
		{ IPP_JSTATE_HELD, "job-incoming", true, false, OUTCOME_CANCELED },
		{ IPP_JSTATE_PENDING, "none", true, false, OUTCOME_CANCELED },
		{ IPP_JSTATE_PENDING, "none", true, true, OUTCOME_NONE }, /* by lp -H restart */
		{ IPP_JSTATE_PENDING, "none", false, false, OUTCOME_NONE },
		{ IPP_JSTATE_PROCESSING, "none", true, false, OUTCOME_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct example e = { .state = cases[i].job_state, .reason = cases[i].reason };
		ipp_t *m = new_answer(&e);
		struct local_job job;

		ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "time-at-completed", 1700000000);
		if (cases[i].started)
			ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "time-at-processing",
			              1700000000);
		assert_true(outcome_read(m, cases[i].cups, &job));
		assert_int_equal(job.outcome, cases[i].outcome);
		assert_false(job.incoming);
		ippDelete(m);
	}
}

static void test_the_uuid_belongs_to_whom_gave_it(void **state)
{
	ipp_t *m = new_answer(&examples[1]);
	struct local_job job;

	(void)state;
	ippAddString(m, IPP_TAG_JOB, IPP_TAG_URI, "job-uuid", NULL, "urn:uuid:1");
	assert_true(outcome_read(m, true, &job));
	assert_string_equal(job.job_uuid, "urn:uuid:1");
	assert_string_equal(job.own_uuid, "");
	assert_true(outcome_read(m, false, &job));
	assert_string_equal(job.job_uuid, "");
	assert_string_equal(job.own_uuid, "urn:uuid:1");
	ippDelete(m);
}

static void test_values_of_a_wrong_kind_are_ignored(void **state)
{
	ipp_t *m = ippNew();
	struct local_job job;

	(void)state;
	assert_false(outcome_read(m, true, &job));
	ippAddString(m, IPP_TAG_OPERATION, IPP_TAG_TEXT, "status-message", NULL, "ok");
	assert_false(outcome_read(m, true, &job));
	ippAddString(m, IPP_TAG_JOB, IPP_TAG_KEYWORD, "job-state", NULL, "completed");
	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-state-reasons", 3);
	ippAddBoolean(m, IPP_TAG_JOB, "job-id", 1);
	assert_true(outcome_read(m, true, &job));
	assert_int_equal(job.state, 0);
	assert_int_equal(job.id, 0);
	assert_int_equal(job.outcome, OUTCOME_NONE);
	assert_string_equal(job.reasons, "");
	ippDelete(m);
	m = ippNew();
	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_ENUM, "job-state", 99);
	assert_true(outcome_read(m, true, &job));
	assert_int_equal(job.state, 0);
	ippDelete(m);
}

static void count_jobs(void *data, const struct local_job *job)
{
	char *list = data;

	(void)snprintf(list + strlen(list), 64 - strlen(list), "%d ", job->id);
}

static void test_every_group_is_a_job(void **state)
{
	ipp_t *m = ippNew();
	char list[64] = "";
	int i;

	(void)state;
	ippAddString(m, IPP_TAG_OPERATION, IPP_TAG_TEXT, "status-message", NULL, "ok");
	for (i = 1; i < 4; i++) {
		ippAddSeparator(m);
		ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-id", i);
		ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_ENUM, "job-state", 3);
	}
	ippAddSeparator(m);
	outcome_each(m, true, count_jobs, list);
	assert_string_equal(list, "1 2 3 ");
	ippDelete(m);
}

static void test_a_thousand_reasons_fit_or_are_left_out(void **state)
{
	ipp_t *m = ippNew();
	ipp_attribute_t *attr;
	struct local_job job;
	char word[64];
	int i;

	(void)state;
	attr = ippAddString(m, IPP_TAG_JOB, IPP_TAG_KEYWORD, "job-state-reasons", NULL, "first");
	for (i = 1; i < 1000; i++) {
		(void)snprintf(word, sizeof(word), "reason-number-%d", i);
		ippSetString(m, &attr, i, word);
	}
	assert_true(outcome_read(m, true, &job));
	assert_true(strlen(job.reasons) < sizeof(job.reasons));
	assert_true(printer_text_has(job.reasons, "first"));
	assert_true(printer_text_has(job.reasons, "reason-number-1"));
	assert_false(printer_text_has(job.reasons, "reason-number"));
	ippDelete(m);
}

static void test_text_is_cut_at_a_whole_character(void **state)
{
	char out[6];

	(void)state;
	printer_text_copy(out, sizeof(out), "abcd\xc3\xa9");
	assert_string_equal(out, "abcd");
	printer_text_copy(out, sizeof(out), "abc\xc3\xa9");
	assert_string_equal(out, "abc\xc3\xa9");
	printer_text_copy(out, sizeof(out), NULL);
	assert_string_equal(out, "");
	printer_text_set(out, sizeof(out), "%d\n%d", 12, 34567);
	assert_string_equal(out, "12 34");
}

static void test_a_difference_in_anything_is_a_change(void **state)
{
	struct local_job a = { .id = 1, .state = 5 }, b = a;

	(void)state;
	assert_true(outcome_equal(&a, &b));
	b.impressions = 2;
	assert_false(outcome_equal(&a, &b));
	b = a;
	(void)snprintf(b.message, sizeof(b.message), "page 2");
	assert_false(outcome_equal(&a, &b));
	b = a;
	b.printed_again = true;
	assert_false(outcome_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_ending_is_what_it_really_was),
		cmocka_unit_test(test_what_an_lpd_printer_has_not_confirmed_is_in_doubt),
		cmocka_unit_test(test_counts_and_times_that_are_not_there_are_unknown),
		cmocka_unit_test(test_a_canceled_job_that_cups_has_opened_again_is_canceled),
		cmocka_unit_test(test_the_uuid_belongs_to_whom_gave_it),
		cmocka_unit_test(test_values_of_a_wrong_kind_are_ignored),
		cmocka_unit_test(test_every_group_is_a_job),
		cmocka_unit_test(test_a_thousand_reasons_fit_or_are_left_out),
		cmocka_unit_test(test_text_is_cut_at_a_whole_character),
		cmocka_unit_test(test_a_difference_in_anything_is_a_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
