/* A queue becomes a printer, and ceases to be one. */
#include "tests/unit/core_case.h"

#include "common/config.h"
#include "tests/lib/says.h"

#define URI "ipp://127.0.0.1/ipp/print/1"

struct registering {
	struct core_register op;
	const char *queue;
	struct fake_world *w;
	unsigned done;
	struct printer_record record;
	struct err err;
};

static void on_progress(struct core_register *op, const char *queue, const char *text)
{
	struct registering *r = op->data;

	(void)queue;
	fake_line(r->w, "progress %s", text);
}

static void on_ended(struct core_register *op, const struct core_enrolled *queue)
{
	struct registering *r = op->data;

	if (queue->err)
		r->err = *queue->err;
	else
		r->record = *queue->record;
}

static void on_done(struct core_register *op, const struct err *err)
{
	struct registering *r = op->data;

	r->done++;
	assert_int_equal(op->registered + op->failed, 1);
	if (err)
		r->err = *err;
}

static void prepare(struct registering *r, struct fake_world *w, const char *uri)
{
	*r = (struct registering){ .w = w };
	r->queue = CUPS;
	r->op.queues = &r->queue;
	r->op.count = 1;
	r->op.cloud_uri = uri;
	r->op.data = r;
	r->op.progress = on_progress;
	r->op.ended = on_ended;
	r->op.done = on_done;
}

static int start(struct registering *r)
{
	err_clear(&r->err);
	r->done = 0;
	return core_register(r->w->core, &r->op, &r->err);
}

static void assert_fails(struct registering *r, enum err_kind kind, const char *says)
{
	if (start(r) == 0) {
		fake_run(r->w, 10);
		assert_int_equal(r->done, 1);
	}
	assert_int_equal(r->err.kind, kind);
	assert_says(&r->err, says);
}

static void test_a_queue_is_bound_to_a_given_printer_and_served_at_once(void **state)
{
	struct fake_world *w = *state;
	struct registering r;

	fake_start(w);
	prepare(&r, w, URI);
	assert_int_equal(start(&r), 0);
	assert_int_equal(r.done, 0);
	fake_run(w, 1000);
	assert_int_equal(r.done, 1);
	assert_int_equal(r.err.kind, ERR_NONE);
	assert_string_equal(r.record.queue, CUPS);
	assert_string_equal(r.record.name, "Second floor");
	assert_string_equal(r.record.cloud_uri, URI);
	assert_string_equal(r.record.cloud_printer, "urn:uuid:cloud-printer");
	assert_string_equal(r.record.owner, w->settings.machine);
	assert_int_equal(r.record.epoch, 1);
	assert_true(core_is_registered(w->core, CUPS));
	assert_before(w, "cloud.probe 0 ok", "> store.printer 0");
	(void)fake_job(w, 0, 7);
	fake_offer(w, 0);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static void test_a_queue_is_registered_with_a_key_of_its_own(void **state)
{
	struct fake_world *w = *state;
	struct registering r;

	fake_start(w);
	prepare(&r, w, NULL);
	r.op.name = "Copier";
	assert_int_equal(start(&r), 0);
	fake_run(w, 1000);
	assert_int_equal(r.done, 1);
	assert_int_equal(r.err.kind, ERR_NONE);
	assert_string_equal(r.record.name, "Copier");
	assert_non_null(strstr(r.record.cloud_uri, r.record.id));
	assert_before(w, "> store.printer 0", "> cloud.enroll 0"); /* as registering */
	assert_before(w, "progress making a key", "> cloud.enroll 0");
	assert_int_equal(fake_count(w, "> store.printer 0"), 3);
}

static void test_a_certificate_of_another_key_is_not_taken(void **state)
{
	struct fake_world *w = *state;
	struct registering r;

	w->wrong_key = true;
	fake_start(w);
	prepare(&r, w, NULL);
	assert_int_equal(start(&r), 0);
	fake_run(w, 1000);
	assert_int_equal(r.done, 1);
	assert_int_not_equal(r.err.kind, ERR_NONE);
	assert_string_equal(w->printers[0].id, ""); /* its key: test_register_up.c */
}

static void test_each_step_that_fails_ends_it_with_its_reason(void **state)
{
	static const struct {
		const char *verb;
		bool given;
	} steps[] = { { "queue.probe", true },   { "cloud.probe", true }, { "store.printer", true },
		      { "queue.probe", false },  { "work", false },       { "cloud.enroll", false },
		      { "store.printer", false } };
	static const enum err_kind kinds[] = { ERR_TEMPORARY, ERR_DENIED, ERR_REJECTED };

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct fake_world *w = *state;
		struct registering r;

		fake_start(w);
		(void)fake_fail(w, steps[i].verb, 0, kinds[i % 3], FAKE_BEFORE);
		prepare(&r, w, steps[i].given ? URI : NULL);
		assert_int_equal(start(&r), 0);
		fake_run(w, 1000);
		assert_int_equal(r.done, 1);
		assert_int_equal(r.err.kind, kinds[i % 3]);
		assert_false(core_is_registered(w->core, CUPS));
		/* and it can be tried again */
		fake_run(w, MINUTE);
		prepare(&r, w, URI);
		assert_int_equal(start(&r), 0);
		fake_run(w, 1000);
		assert_int_equal(r.err.kind, ERR_NONE);
		assert_int_equal(r.done, 1);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_a_step_that_cannot_start_ends_it_too(void **state)
{
	static const char *const verbs[] = { "cloud.probe", "cloud.enroll" };

	for (size_t i = 0; i < 2; i++) {
		struct fake_world *w = *state;
		struct registering r;

		fake_start(w);
		(void)fake_fail(w, verbs[i], 0, ERR_REJECTED, FAKE_START);
		prepare(&r, w, i ? NULL : URI);
		assert_int_equal(start(&r), 0);
		fake_run(w, 1000);
		assert_int_equal(r.done, 1);
		assert_int_equal(r.err.kind, ERR_REJECTED);
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_wrong_requests_are_refused_at_once(void **state)
{
	struct fake_world *w = *state;
	struct registering r;
	char missing[128];

	(void)fake_printer(w, CUPS);
	fake_start(w);
	prepare(&r, w, URI);
	assert_fails(&r, ERR_REJECTED, "registered with cloud c already");
	r.op.renew = true; /* whether its cloud could make new ones or not */
	r.op.cloud_uri = NULL;
	assert_fails(&r, ERR_REJECTED, "has no certificate");
	prepare(&r, w, URI);
	r.queue = "other";
	assert_fails(&r, ERR_REJECTED, "bound to queue laser already");
	r.op.cloud_uri = NULL;
	r.op.cloud = "nowhere";
	assert_fails(&r, ERR_GONE, "[cloud nowhere]");
	r.op.cloud = "c";
	r.op.key_file = "/key";
	assert_fails(&r, ERR_REJECTED, "go together");
	r.op.key_file = NULL;
	r.op.username = "ada";
	assert_fails(&r, ERR_REJECTED, "needs a password file");
	(void)snprintf(missing, sizeof(missing), "%s/missing", w->dir);
	r.op.password_file = missing;
	assert_fails(&r, ERR_GONE, missing);
	r.op.username = r.op.password_file = NULL;
	(void)fake_fail(w, "queue.probe", 0, ERR_REJECTED, FAKE_START);
	assert_fails(&r, ERR_REJECTED, "by script");
	core_register_cancel(&r.op); /* nothing to cancel */
}

static void test_a_queue_that_is_being_registered_is_not_registered_twice(void **state)
{
	struct fake_world *w = *state;
	struct registering a, b;

	fake_start(w);
	prepare(&a, w, URI);
	prepare(&b, w, "ipp://127.0.0.1/ipp/print/2");
	w->delay_ms = 100;
	assert_int_equal(start(&a), 0);
	assert_fails(&b, ERR_REJECTED, "being registered");
	b.queue = "other";
	b.op.cloud_uri = URI;
	assert_fails(&b, ERR_REJECTED, "being registered");
	fake_run(w, 1000);
	assert_int_equal(a.done, 1);
}

static void test_a_dry_run_changes_nothing(void **state)
{
	static const char *const uris[] = { URI, NULL };

	for (size_t i = 0; i < 2; i++) {
		struct fake_world *w = *state;
		struct registering r;

		fake_start(w);
		prepare(&r, w, uris[i]);
		r.op.dry_run = true;
		assert_int_equal(start(&r), 0);
		fake_run(w, 1000);
		assert_int_equal(r.done, 1);
		assert_int_equal(r.err.kind, ERR_NONE);
		assert_no_line(w, "> store.printer 0");
		assert_no_line(w, "> cloud.enroll 0");
		assert_false(core_is_registered(w->core, CUPS));
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_a_cancel_ends_each_step(void **state)
{
	static const struct {
		const char *line;
		bool given, stays;
	} moments[] = { { "> queue.probe 0", true, false },
		        { "> cloud.probe 0", true, false },
		        { "> store.printer 0", false, false },
		        { "> work 0", false, false },
		        { "> cloud.enroll 0", false, true } };

	for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
		struct fake_world *w = *state;
		struct registering r;

		fake_start(w);
		prepare(&r, w, moments[i].given ? URI : NULL);
		assert_int_equal(start(&r), 0);
		fake_until(w, moments[i].line);
		core_register_cancel(&r.op);
		fake_run(w, 1000);
		assert_int_equal(r.done, 1);
		assert_int_equal(r.err.kind, ERR_CANCELED);
		/* once the cloud may know of it the next run goes on with it */
		assert_int_equal(*w->printers[0].id != '\0', moments[i].stays);
		assert_true(!moments[i].stays || w->printers[0].registering);
		assert_false(core_is_registered(w->core, CUPS));
		(void)world_teardown(state);
		(void)world_setup(state);
	}
}

static void test_a_stop_ends_a_registration(void **state)
{
	struct fake_world *w = *state;
	struct registering r;

	fake_start(w);
	prepare(&r, w, NULL);
	assert_int_equal(start(&r), 0);
	fake_until(w, "> work 0");
	fake_stop(w);
	assert_int_equal(r.done, 1);
	assert_int_equal(r.err.kind, ERR_CANCELED);
	fake_start(w);
	fake_drain(w, 1000);
	prepare(&r, w, URI);
	assert_fails(&r, ERR_TEMPORARY, "stopping");
}

static void test_a_cloud_that_went_with_a_reload_ends_a_registration(void **state)
{
	struct fake_world *w = *state;
	struct config *old = w->config;
	struct registering r;
	struct err err;
	char path[128];
	FILE *f;

	fake_start(w);
	prepare(&r, w, URI);
	assert_int_equal(start(&r), 0);
	(void)snprintf(path, sizeof(path), "%s/empty", w->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fclose(f);
	assert_int_equal(config_load(path, &w->config, &err), 0);
	core_reload(w->core, w->config);
	config_free(old);
	fake_run(w, 1000);
	assert_int_equal(r.done, 1);
	assert_int_equal(r.err.kind, ERR_GONE);
}

/* ---- unregister -------------------------------------------------------------------------------
 */

static unsigned gone;
static enum err_kind gone_kind;

static void on_gone(struct core_unregister *op, const struct err *err)
{
	(void)op;
	gone++;
	gone_kind = err ? err->kind : ERR_NONE;
}

static void test_a_printer_with_open_jobs_stays(void **state)
{
	struct fake_world *w = *state;
	struct core_unregister op = { .done = on_gone };
	struct err err;

	w->manual = true;
	world_begin(state, CUPS);
	fake_until(w, "store.lazy 7 printing");
	gone = 0;
	assert_int_equal(core_unregister(w->core, &op, CUPS, NULL, &err), -1);
	assert_int_equal(err.kind, ERR_REJECTED);
	assert_non_null(strstr(err.text, "open jobs"));
	fake_end(fake_local(w, 7), OUTCOME_COMPLETED);
	fake_run(w, MINUTE);
	assert_int_equal(core_unregister(w->core, &op, CUPS, "c", &err), 0);
	/* meanwhile nothing is taken, nothing remembered, and nobody else may do it */
	(void)fake_job(w, 0, 8);
	fake_offer(w, 0);
	w->channels[0].listener.assigned(w->channels[0].listener.data, 9);
	assert_int_equal(core_unregister(w->core, &op, CUPS, NULL, &err), -1);
	fake_run(w, 100);
	assert_int_equal(gone, 1);
	assert_int_equal(gone_kind, ERR_NONE);
	assert_false(core_is_registered(w->core, CUPS));
	assert_no_line(w, "> cloud.fetch 8");
	assert_int_equal(core_unregister(w->core, &op, CUPS, NULL, &err), -1);
	assert_int_equal(err.kind, ERR_GONE);
}

static void test_an_unregistering_that_is_not_committed_changes_nothing(void **state)
{
	struct fake_world *w = *state;
	struct core_unregister op = { .done = on_gone };
	struct err err;

	(void)fake_printer(w, CUPS);
	fake_start(w);
	fake_run(w, 100);
	(void)fake_fail(w, "store.unprinter", 0, ERR_TEMPORARY, FAKE_BEFORE);
	gone = 0;
	assert_int_equal(core_unregister(w->core, &op, w->printers[0].id, NULL, &err), 0);
	fake_run(w, 100);
	assert_int_equal(gone, 1);
	assert_int_equal(gone_kind, ERR_TEMPORARY);
	assert_true(core_is_registered(w->core, CUPS));
	(void)fake_job(w, 0, 7);
	fake_offer(w, 0);
	fake_run(w, MINUTE);
	assert_told(w, 7, CLOUD_JOB_COMPLETED);
}

static void test_a_stop_waits_for_an_unregistering(void **state)
{
	struct fake_world *w = *state;
	struct core_unregister op = { .done = on_gone };
	struct err err;

	(void)fake_printer(w, CUPS);
	fake_start(w);
	fake_run(w, 100);
	w->delay_ms = 500;
	gone = 0;
	assert_int_equal(core_unregister(w->core, &op, CUPS, NULL, &err), 0);
	fake_stop(w);
	assert_int_equal(gone, 1);
}

static void test_a_printer_that_identifies_itself_can_be_unregistered(void **state)
{
	struct fake_world *w = *state;
	struct core_unregister op = { .done = on_gone };
	struct err err;

	(void)fake_printer(w, CUPS);
	fake_start(w);
	fake_run(w, 100);
	w->jitter_ms = 5000;
	w->channels[0].listener.identify(w->channels[0].listener.data, "flash", "");
	assert_int_equal(core_unregister(w->core, &op, CUPS, NULL, &err), 0);
	fake_run(w, MINUTE);
	assert_false(core_is_registered(w->core, CUPS));
}

static void on_listed(struct local_op *op, const struct err *err)
{
	assert_null(err);
	*(bool *)op->data = true;
}

static void on_name(void *data, const char *name, const char *info, const char *make_and_model)
{
	(void)info;
	(void)make_and_model;
	assert_string_equal(name, CUPS);
	*(bool *)data = true;
}

static void test_queues_that_could_be_registered_are_listed(void **state)
{
	struct fake_world *w = *state;
	bool listed = false, named = false;
	struct local_op op = { .user_name = "print-connector", .data = &listed, .done = on_listed };
	struct err err;

	fake_start(w);
	assert_int_equal(core_list_queues(w->core, &op, on_name, &named, &err), 0);
	fake_run(w, 100);
	assert_true(listed && named);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(test_a_queue_is_bound_to_a_given_printer_and_served_at_once),
		in_world(test_a_queue_is_registered_with_a_key_of_its_own),
		in_world(test_a_certificate_of_another_key_is_not_taken),
		in_world(test_each_step_that_fails_ends_it_with_its_reason),
		in_world(test_a_step_that_cannot_start_ends_it_too),
		in_world(test_wrong_requests_are_refused_at_once),
		in_world(test_a_queue_that_is_being_registered_is_not_registered_twice),
		in_world(test_a_dry_run_changes_nothing),
		in_world(test_a_cancel_ends_each_step),
		in_world(test_a_stop_ends_a_registration),
		in_world(test_a_cloud_that_went_with_a_reload_ends_a_registration),
		in_world(test_a_printer_with_open_jobs_stays),
		in_world(test_an_unregistering_that_is_not_committed_changes_nothing),
		in_world(test_a_stop_waits_for_an_unregistering),
		in_world(test_a_printer_that_identifies_itself_can_be_unregistered),
		in_world(test_queues_that_could_be_registered_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
