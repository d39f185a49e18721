/* A registered printer and the core around it: states, looking, stopping. */
#include "tests/unit/core_case.h"

#include <sys/stat.h>

#include "common/config.h"
#include "common/str.h"
#include "tests/lib/tmpdir.h"

static struct core_printer seen;
static char reason[TEXT_SIZE];
static unsigned seen_count;

static void on_printer(void *data, const struct core_printer *p)
{
	(void)data;
	seen = *p;
	if (p->reasons[0]) {
		assert_int_equal(str_copy(reason, sizeof(reason), p->reasons[0]), 0);
		seen.reasons[0] = reason;
	}
	seen_count++;
}

static const char *printer_state(struct fake_world *w)
{
	seen_count = 0;
	core_printers(w->core, on_printer, NULL);
	return seen.state;
}

static struct core_health health[16];
static size_t health_count;
static const char *ill_subject; /* borrowed */

static void on_health(void *data, const struct core_health *h)
{
	(void)data;
	health[health_count++] = *h;
}

static bool is_ill(struct fake_world *w, enum health_code code)
{
	bool found = false;

	health_count = 0;
	core_health(w->core, on_health, NULL);
	for (size_t i = 0; i < health_count; i++) {
		if (health[i].code != code)
			continue;
		found = true;
		ill_subject = health[i].subject;
	}
	return found;
}

static void test_a_printer_is_online_when_cloud_and_queue_are(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);

	assert_string_equal(printer_state(w), "offline");
	fake_run(w, 100);
	assert_string_equal(printer_state(w), "online");
	assert_null(seen.reasons[0]);
	assert_int_equal(seen.jobs, 1);
	assert_false(is_ill(w, HEALTH_QUEUE_STOPPED));
	fake_health(w, 0, QUEUE_STOPPED);
	fake_run(w, 100);
	assert_string_equal(printer_state(w), "offline");
	assert_string_equal(seen.reasons[0], "the queue is away");
	assert_true(is_ill(w, HEALTH_QUEUE_STOPPED));
	fake_health(w, 0, QUEUE_READY);
	fake_channel(w, 0, CHANNEL_REFUSED);
	fake_run(w, 100);
	assert_string_equal(printer_state(w), "refused");
	assert_true(is_ill(w, HEALTH_PRINTER_REFUSED));
	fake_channel(w, 0, CHANNEL_ONLINE);
	fake_run(w, MINUTE);
	assert_string_equal(printer_state(w), "online");
	assert_int_equal(core_counts(w->core).printers_online, 1);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static void test_each_unwell_queue_has_its_entry(void **state)
{
	static const struct {
		enum queue_health health;
		enum health_code code;
	} queues[] = {
		{ QUEUE_STOPPED, HEALTH_QUEUE_STOPPED },
		{ QUEUE_HALTED, HEALTH_PRINTER_STOPPED },
		{ QUEUE_UNREACHABLE, HEALTH_QUEUE_UNREACHABLE },
		{ QUEUE_MISSING, HEALTH_QUEUE_MISSING },
		{ QUEUE_UNTRUSTED, HEALTH_QUEUE_UNTRUSTED },
		{ QUEUE_DOWN, HEALTH_CUPS_DOWN },
	};
	struct fake_world *w = world_begin(state, CUPS);

	for (size_t i = 0; i < ARRAY_SIZE(queues); i++) {
		fake_health(w, 0, queues[i].health);
		fake_run(w, 100);
		assert_true(is_ill(w, queues[i].code));
	}
}

static void test_a_cloud_that_is_down_is_one_entry(void **state)
{
	struct fake_world *w = *state;

	for (int i = 0; i < 3; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "q%d", i);
		(void)fake_printer(w, name);
	}
	fake_start(w);
	fake_run(w, 1000);
	assert_false(is_ill(w, HEALTH_CLOUD_UNREACHABLE));
	for (int i = 0; i < 3; i++)
		fake_channel(w, i, CHANNEL_OFFLINE);
	assert_true(is_ill(w, HEALTH_CLOUD_UNREACHABLE));
	assert_int_equal(health_count, 1);
	assert_int_equal(fake_count(w, "log 4 cloud c does not answer: the cloud is away"), 1);
	fake_channel(w, 0, CHANNEL_ONLINE);
	fake_run(w, 100);
	assert_false(is_ill(w, HEALTH_CLOUD_UNREACHABLE));
}

static void test_a_stopped_queue_takes_no_job(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);

	fake_health(w, 0, QUEUE_STOPPED);
	fake_run(w, HOUR);
	assert_no_line(w, "> cloud.fetch 7");
	fake_health(w, 0, QUEUE_READY);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static void test_a_paused_printer_takes_no_job_and_prints_none(void **state)
{
	struct fake_world *w = *state;

	w->printers[fake_printer(w, CUPS)].paused = true;
	(void)fake_job(w, 0, 7);
	(void)fake_job(w, 0, 8);
	(void)fake_old_row(w, 0, 8, JOB_WAITING);
	fake_start(w);
	fake_run(w, HOUR);
	assert_no_line(w, "> cloud.fetch 7");
	assert_no_line(w, "> queue.create 8");
	assert_string_equal(printer_state(w), "paused");
	assert_non_null(strstr(seen.reasons[0], "resume"));
}

static void test_the_state_of_another_machine_is_only_looked_at(void **state)
{
	struct fake_world *w = *state;
	static const enum job_state states[] = { JOB_CLAIMING, JOB_HANDING, JOB_PRINTING,
		                                 JOB_WAITING,  JOB_HELD,    JOB_REPORTING };
	unsigned before;
	struct err err;

	(void)fake_printer(w, CUPS);
	(void)snprintf(w->printers[0].owner, sizeof(w->printers[0].owner), "another");
	for (int i = 0; i < 6; i++) {
		(void)fake_job(w, 0, i + 1);
		fake_old_row(w, 0, i + 1, states[i])->local_job = 50 + i;
	}
	before = w->commits;
	fake_start(w);
	assert_int_equal(core_cancel(w->core, id_of(w, 4), &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_non_null(strstr(err.text, "--takeover"));
	fake_run(w, 10 * (int64_t)DAY);
	for (size_t i = 0; i < w->line_count; i++)
		if (strncmp(w->lines[i], "> ", 2) == 0 &&
		    strncmp(w->lines[i], "> store.trim", 12) != 0)
			fail_msg("it did \"%s\"", w->lines[i]);
	assert_int_equal(w->commits, before);
	assert_string_equal(printer_state(w), "offline");
	assert_non_null(strstr(seen.reasons[0], "--takeover"));
	assert_true(is_ill(w, HEALTH_STATE_READ_ONLY));
}

/* One cause is one entry, whose text and remedy name the directory and the cloud, not a queue. */
static void test_what_all_printers_lack_is_one_entry(void **state)
{
	struct fake_world *w = *state;

	for (int i = 0; i < 5; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "q%d", i);
		(void)fake_printer(w, name);
		if (i < 3)
			(void)snprintf(w->printers[i].owner, sizeof(w->printers[i].owner),
			               "another");
		else
			(void)snprintf(w->printers[i].cloud, sizeof(w->printers[i].cloud), "gone");
	}
	fake_start(w);
	assert_true(is_ill(w, HEALTH_STATE_READ_ONLY));
	assert_string_equal(ill_subject, w->dir);
	assert_true(is_ill(w, HEALTH_CLOUD_NOT_CONFIGURED));
	assert_string_equal(ill_subject, "gone");
	assert_int_equal(health_count, 2);
}

static void test_a_state_that_was_set_aside_shows_until_it_is_taken_away(void **state)
{
	struct fake_world *w = *state;

	(void)fake_printer(w, CUPS);
	w->damage = "state.db.damaged-20260101T000000Z";
	fake_start(w);
	assert_true(is_ill(w, HEALTH_STATE_DAMAGED));
	w->damage = NULL;
	assert_false(is_ill(w, HEALTH_STATE_DAMAGED));
}

static void test_a_printer_of_a_cloud_that_is_not_configured_waits(void **state)
{
	struct fake_world *w = *state;

	(void)fake_printer(w, CUPS);
	(void)snprintf(w->printers[0].cloud, sizeof(w->printers[0].cloud), "gone");
	(void)fake_job(w, 0, 7);
	(void)fake_old_row(w, 0, 7, JOB_HANDING);
	fake_start(w);
	fake_run(w, HOUR);
	assert_true(is_ill(w, HEALTH_CLOUD_NOT_CONFIGURED));
	assert_int_equal(state_of(w, 7), JOB_HANDING);
	assert_no_line(w, "> queue.create 7");
}

static void test_a_printer_without_its_password_is_offline_with_that_reason(void **state)
{
	struct fake_world *w = *state;
	char name[128], *path;

	(void)fake_printer(w, CUPS);
	(void)snprintf(name, sizeof(name), "%s/password", w->dir);
	w->printers[0].password_file = name;
	(void)fake_job(w, 0, 7);
	fake_start(w);
	fake_run(w, MINUTE);
	assert_string_equal(printer_state(w), "offline");
	assert_non_null(strstr(seen.reasons[0], name));
	/* a reload tries again */
	core_reload(w->core, w->config);
	fake_run(w, MINUTE);
	assert_string_equal(printer_state(w), "offline");
	path = tmpdir_put_text(w->dir, "password", "secret\n");
	assert_int_equal(chmod(path, 0600), 0);
	free(path);
	core_reload(w->core, w->config);
	fake_run(w, MINUTE);
	assert_string_equal(printer_state(w), "online");
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static void count_job(void *data, const struct job_record *job)
{
	*(unsigned *)data += 1;
	assert_true(job->id > 0);
}

static void count_cloud(void *data, const struct core_cloud *c)
{
	*(unsigned *)data += c->reachable;
}

static void test_open_jobs_and_clouds_can_be_looked_at(void **state)
{
	struct fake_world *w = *state;
	unsigned jobs = 0, clouds = 0;

	w->manual = true;
	world_begin(state, CUPS);
	fake_until(w, "store.lazy 7 printing");
	core_jobs(w->core, count_job, &jobs);
	core_clouds(w->core, count_cloud, &clouds);
	assert_int_equal(jobs, 1);
	assert_int_equal(clouds, 1);
	assert_int_equal(core_job(w->core, id_of(w, 7))->cloud_job, 7);
	assert_null(core_job(w->core, 99));
	assert_int_equal(core_counts(w->core).jobs[JOB_PRINTING], 1);
	assert_true(core_is_registered(w->core, CUPS));
	assert_false(core_is_registered(w->core, "other"));
	assert_ptr_equal(core_config(w->core), w->config);
}

static void test_a_printer_identifies_itself_once_at_a_time(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);
	struct channel *ch = &w->channels[0];

	fake_run(w, 100);
	(void)fake_fail(w, "queue.identify", 0, ERR_REJECTED, FAKE_BEFORE);
	ch->listener.identify(ch->listener.data, "flash", "here");
	ch->listener.identify(ch->listener.data, "flash", "here");
	fake_run(w, 100);
	assert_int_equal(fake_count(w, "> queue.identify 0"), 1);
	ch->listener.identify(ch->listener.data, "flash", "here");
	fake_stop(w); /* waits for its end */
	assert_int_equal(fake_count(w, "> queue.identify 0"), 2);
}

static void test_a_reload_in_the_middle_of_a_transfer_leaves_nothing_behind(void **state)
{
	static const char *const moments[] = { "cloud.accept 7 ok", "> cloud.document 7",
		                               "> queue.send 7", "prints 7" };

	for (size_t i = 0; i < 2 * ARRAY_SIZE(moments); i++) {
		struct fake_world *w = world_begin(state, i % 2 ? IPP : CUPS);
		struct config *old = w->config;
		char path[128];
		struct err err;

		(void)snprintf(path, sizeof(path), "%s/settings", w->dir);
		fake_until(w, moments[i / 2]);
		assert_int_equal(config_load(path, &w->config, &err), 0);
		core_reload(w->core, w->config);
		config_free(old);
		fake_run(w, 10 * MINUTE);
		assert_told(w, 7, CLOUD_JOB_COMPLETED);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

/* ---- stopping ---------------------------------------------------------------------------------
 */

static void test_a_stop_in_each_step_loses_and_doubles_nothing(void **state)
{
	static const char *const moments[] = {
		"> cloud.fetch 7",   "> store.add 7",         "> cloud.accept 7",
		"> queue.create 7",  "> cloud.document 7",    "> queue.send 7",
		"> queue.finish 7",  "store.lazy 7 printing", "store.save 7 printing",
		"prints 7",          "> cloud.report 7",      "> cloud.check 7",
		"store.lazy 7 done",
	};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(moments); i++) {
		struct fake_world *w;

		if (i % 2 && (strcmp(moments[i / 2], "> queue.finish 7") == 0 ||
		              strcmp(moments[i / 2], "> queue.create 7") == 0 ||
		              strcmp(moments[i / 2], "store.lazy 7 printing") == 0))
			continue; /* Print-Job has none of them */
		if (i % 2 == 0 && strcmp(moments[i / 2], "store.save 7 printing") == 0)
			continue; /* and CUPS not this */
		w = world_begin(state, i % 2 ? IPP : CUPS);
		fake_until(w, moments[i / 2]);
		fake_stop(w);
		fake_start(w);
		fake_run(w, 10 * MINUTE);
		assert_told(w, 7, CLOUD_JOB_COMPLETED);
		assert_int_equal(fake_closed(w, 7), 1);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_a_stop_lets_hand_overs_finish_and_takes_nothing_more(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);

	fake_until(w, "> queue.create 7");
	(void)fake_job(w, 0, 8);
	fake_drain(w, MINUTE);
	fake_offer(w, 0);
	fake_run(w, 1000);
	assert_true(w->drained);
	assert_line(w, "queue.finish 7 ok");
	assert_no_line(w, "> cloud.fetch 8");
	fake_stop(w);
}

static void test_a_stop_does_not_wait_for_ever(void **state)
{
	static const char *const verbs[] = { "cloud.fetch",  "cloud.accept", "cloud.document",
		                             "queue.create", "queue.send",   "queue.finish",
		                             "cloud.report", "cloud.check" };

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		struct fake_world *w = world_begin(state, CUPS);

		fake_fail(w, verbs[i], 7, ERR_TEMPORARY, FAKE_NEVER)->times = 5;
		fake_run(w, MINUTE);
		fake_drain(w, 5000);
		fake_run(w, 6000);
		assert_true(w->drained);
		fake_stop(w);
		fake_start(w);
		for (size_t k = 0; k < FAKE_RULES_MAX; k++)
			w->rules[k].times = 0;
		fake_run(w, 10 * MINUTE);
		assert_told(w, 7, CLOUD_JOB_COMPLETED);
		assert_int_equal(fake_closed(w, 7), 1);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_a_stop_ends_while_the_store_fails_or_is_trimmed(void **state)
{
	struct fake_world *w = world_begin(state, CUPS);

	fake_until(w, "> queue.create 7");
	w->store_down = true;
	fake_run(w, MINUTE - 50);
	fake_drain(w, 1000);
	fake_run(w, 2000);
	assert_true(w->drained);
	fake_stop(w);
	w->store_down = false;
	fake_start(w);
	fake_until(w, "> store.trim 0");
	fake_drain(w, 1000);
	fake_run(w, 10);
	assert_true(w->drained);
	fake_stop(w);
}

static void test_a_stop_without_printers_ends(void **state)
{
	struct fake_world *w = *state;

	fake_start(w);
	fake_drain(w, HOUR);
	fake_run(w, 0);
	assert_true(w->drained);
	fake_stop(w);
}

static void test_a_stop_with_a_job_that_waits_ends_at_once(void **state)
{
	struct fake_world *w = *state;

	(void)fake_printer(w, CUPS);
	(void)fake_job(w, 0, 7);
	(void)fake_job(w, 0, 8);
	fake_old_row(w, 0, 7, JOB_WAITING)->next_try = w->clock.wall_ms + HOUR;
	(void)fake_old_row(w, 0, 8, JOB_HELD);
	fake_start(w);
	fake_run(w, MINUTE);
	fake_drain(w, HOUR);
	fake_run(w, 100);
	assert_true(w->drained);
	fake_stop(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(test_a_printer_is_online_when_cloud_and_queue_are),
		in_world(test_each_unwell_queue_has_its_entry),
		in_world(test_a_cloud_that_is_down_is_one_entry),
		in_world(test_a_stopped_queue_takes_no_job),
		in_world(test_a_paused_printer_takes_no_job_and_prints_none),
		in_world(test_the_state_of_another_machine_is_only_looked_at),
		in_world(test_a_state_that_was_set_aside_shows_until_it_is_taken_away),
		in_world(test_what_all_printers_lack_is_one_entry),
		in_world(test_a_printer_of_a_cloud_that_is_not_configured_waits),
		in_world(test_a_printer_without_its_password_is_offline_with_that_reason),
		in_world(test_open_jobs_and_clouds_can_be_looked_at),
		in_world(test_a_printer_identifies_itself_once_at_a_time),
		in_world(test_a_reload_in_the_middle_of_a_transfer_leaves_nothing_behind),
		in_world(test_a_stop_in_each_step_loses_and_doubles_nothing),
		in_world(test_a_stop_lets_hand_overs_finish_and_takes_nothing_more),
		in_world(test_a_stop_does_not_wait_for_ever),
		in_world(test_a_stop_ends_while_the_store_fails_or_is_trimmed),
		in_world(test_a_stop_without_printers_ends),
		in_world(test_a_stop_with_a_job_that_waits_ends_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
