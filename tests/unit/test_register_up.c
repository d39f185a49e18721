/* test_register_up.c - queues become printers of a cloud: the sign-in, certificates, failures and
 * crashes between any two steps. */
#include "tests/unit/core_case.h"

#include "common/buf.h"
#include "common/config.h"
#include "common/fs.h"
#include "common/str.h"
#include "connector/base/crypto.h"
#include "connector/core/core_private.h"
#include "connector/store/keys.h"
#include "tests/lib/tmpdir.h"

#define UP                                                                                         \
	"[cloud c]\ntype = universal-print\nclient-id = app\n[printers]\ninclude = *\n"            \
	"exclude = private-*\n"

/* What a caller of core_register() hears. */
struct asked {
	struct core_register op;
	const char *queues[FAKE_PRINTERS_MAX];
	char code[32], uri[64];
	int64_t expires;
	char words[8192]; /* "queue:ok " or "queue:kind " in the order of their ends */
	char warning[TEXT_SIZE];
	struct err err, last; /* of done(), of the last queue that failed */
	unsigned codes, waits;
	bool done;
};

static void on_code(struct core_register *op, const struct core_code *code)
{
	struct asked *a = op->data;

	a->codes++;
	(void)str_copy(a->code, sizeof(a->code), code->user_code);
	(void)str_copy(a->uri, sizeof(a->uri), code->verification_uri);
	a->expires = code->expires;
}

static void on_progress(struct core_register *op, const char *queue, const char *text)
{
	struct asked *a = op->data;

	(void)queue;
	assert_true(*text);
	a->waits++;
}

static void on_ended(struct core_register *op, const struct core_enrolled *queue)
{
	struct asked *a = op->data;
	size_t len = strlen(a->words);

	assert_int_equal(!queue->err, queue->record != NULL);
	(void)snprintf(a->words + len, sizeof(a->words) - len, "%s:%s ", queue->queue,
	               queue->err ? err_kind_name(queue->err->kind) : "ok");
	if (queue->err)
		a->last = *queue->err;
	(void)str_copy(a->warning, sizeof(a->warning), queue->warning);
}

static void on_done(struct core_register *op, const struct err *err)
{
	struct asked *a = op->data;

	assert_false(a->done);
	a->done = true;
	if (err)
		a->err = *err;
}

static struct asked *ask_new(const char *queue)
{
	struct asked *a = xcalloc(1, sizeof(*a));

	a->op = (struct core_register){
		.queues = a->queues,
		.data = a,
		.code = on_code,
		.progress = on_progress,
		.ended = on_ended,
		.done = on_done,
	};
	if (queue)
		a->queues[a->op.count++] = queue;
	return a;
}

static struct asked *renew_new(const char *queue)
{
	struct asked *a = ask_new(queue);

	a->op.renew = true;
	return a;
}

static void begin(struct fake_world *w, struct asked *a)
{
	struct err err;

	if (core_register(w->core, &a->op, &err) < 0)
		fail_msg("%s", err.text);
	assert_false(a->done);
}

static void finish(struct fake_world *w, struct asked *a)
{
	begin(w, a);
	fake_run(w, 60 * 1000);
	assert_true(a->done);
}

/* Registers and expects what its queues' ends were. */
static void expect(struct fake_world *w, struct asked *a, const char *words)
{
	finish(w, a);
	if (strcmp(a->words, words) != 0) {
		fake_print_lines(w);
		fail_msg("not \"%s\" but \"%s\": %s %s", words, a->words, a->last.text,
		         a->err.text);
	}
	free(a);
}

static struct fake_world *up_world(void **state)
{
	struct fake_world *w = *state;

	fake_world_close(w);
	fake_world_open(w, 1, UP);
	w->wants_sign_in = true;
	w->valid_days = 365;
	fake_start(w);
	return w;
}

static void refuse(struct fake_world *w, struct asked *a, enum err_kind kind, const char *text)
{
	struct err err = { 0 };

	assert_int_equal(core_register(w->core, &a->op, &err), -1);
	assert_int_equal(err.kind, kind);
	if (!strstr(err.text, text))
		fail_msg("%s", err.text);
	free(a);
}

static struct printer_record *row(struct fake_world *w, const char *queue)
{
	for (size_t i = 0; i < w->printer_count; i++)
		if (*w->printers[i].id && strcmp(w->printers[i].queue, queue) == 0)
			return &w->printers[i];
	return NULL;
}

/* The operation under way. */
static const void *fake_call_of_verb(struct fake_world *w, const char *verb)
{
	for (struct fake_call *c = w->calls; c; c = c->next)
		if (strcmp(c->verb, verb) == 0)
			return c->op;
	fail_msg("nobody asks for %s", verb);
	return NULL;
}

struct seen {
	const char *queue;
	char state[16], reason[TEXT_SIZE], sha256[65];
	int64_t not_after;
	unsigned n;
};

static void on_printer(void *data, const struct core_printer *p)
{
	struct seen *seen = data;

	if (strcmp(p->record->queue, seen->queue) != 0)
		return;
	seen->n++;
	(void)str_copy(seen->state, sizeof(seen->state), p->state);
	(void)str_copy(seen->reason, sizeof(seen->reason), p->reasons[0] ? p->reasons[0] : "");
	(void)str_copy(seen->sha256, sizeof(seen->sha256), p->certificate_sha256);
	seen->not_after = p->not_after;
}

static struct seen look(struct fake_world *w, const char *queue)
{
	struct seen seen = { .queue = queue };

	core_printers(w->core, on_printer, &seen);
	assert_true(seen.n <= 1);
	return seen;
}

static void assert_state(struct fake_world *w, const char *queue, const char *state)
{
	struct seen seen = look(w, queue);

	if (strcmp(seen.state, state) != 0) {
		fake_print_lines(w);
		fail_msg("%s is %s (%s), not %s", queue, seen.state, seen.reason, state);
	}
}

/* Its key and certificate are there and belong together. */
static void assert_pair(struct fake_world *w, const char *queue)
{
	const struct printer_record *r = row(w, queue);
	struct buf key, pem;
	char pair[ID_SIZE];
	struct err err;

	keys_pair_id(r->id, r->second_pair, pair);
	buf_init(&key, 65536);
	buf_init(&pem, 65536);
	if (keys_load(w->dir, pair, &key, &err) < 0 ||
	    keys_load_certificate(w->dir, pair, &pem, &err) < 0 ||
	    crypto_certificate_matches(buf_text(&pem), buf_text(&key), &err) < 0)
		fail_msg("%s", err.text);
	buf_wipe(&key);
	buf_clear(&pem);
}

static bool has_key(struct fake_world *w, const char *id, bool second)
{
	char pair[ID_SIZE], path[URI_SIZE];

	keys_pair_id(id, second, pair);
	keys_path(w->dir, pair, path, sizeof(path));
	return access(path, F_OK) == 0;
}

static unsigned count_keys(struct fake_world *w)
{
	unsigned n = 0;

	for (size_t i = 0; i < w->printer_count; i++)
		n += has_key(w, w->printers[i].id, false) + has_key(w, w->printers[i].id, true);
	return n;
}

/* ---- the happy path ---- */

static void test_one_queue_is_registered(void **state)
{
	struct fake_world *w = up_world(state);
	struct asked *a = ask_new("laser");
	const struct printer_record *r;

	finish(w, a);
	assert_string_equal(a->words, "laser:ok ");
	assert_int_equal(a->op.registered, 1);
	assert_int_equal(a->codes, 1);
	assert_string_equal(a->code, FAKE_USER_CODE);
	assert_string_equal(a->uri, "https://login.example/device");
	assert_int_equal(a->err.kind, ERR_NONE);
	free(a);
	r = row(w, "laser");
	assert_false(r->registering);
	assert_true(r->own_certificate);
	assert_string_equal(r->name, "Second floor");
	assert_string_equal(r->identity.registration_id, "");
	assert_string_equal(r->identity.token_url, "https://login.example/t/token");
	assert_memory_equal(r->identity.device, "d-", 2);
	assert_string_equal(r->identity.device + 2, r->id);
	assert_pair(w, "laser");
	assert_state(w, "laser", "online");
	assert_int_equal(w->sessions, 0); /* signed out */
	fake_stop(w);
	fake_start(w);
	fake_run(w, 1000);
	assert_state(w, "laser", "online");
}

static void test_the_code_is_not_logged(void **state)
{
	struct fake_world *w = up_world(state);

	expect(w, ask_new("laser"), "laser:ok ");
	for (size_t i = 0; i < w->line_count; i++)
		assert_null(strstr(w->lines[i], FAKE_USER_CODE));
	assert_line(w, "log 6 registered queue laser");
}

static void test_many_queues_need_one_sign_in_and_go_32_at_a_time(void **state)
{
	enum { COUNT = FAKE_PRINTERS_MAX - 2, TOGETHER = 32 };
	static char names[COUNT][8];
	struct fake_world *w = up_world(state);
	struct asked *a = ask_new(NULL);
	int64_t began;

	for (size_t i = 0; i < COUNT; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "q%02zu", i);
		w->names[i] = names[i];
	}
	w->names[COUNT] = "private-1";
	a->op.all = true;
	began = w->clock.now_ms;
	begin(w, a);
	while (!a->done)
		assert_int_not_equal(fake_clock_step(&w->clock), 0);
	assert_true(w->clock.now_ms - began < 10000);
	assert_int_equal(a->op.registered, COUNT);
	assert_int_equal(a->op.failed, 0);
	assert_int_equal(a->codes, 1);
	assert_int_equal(w->sign_ins, 1);
	assert_int_equal(w->most_enrolling, TOGETHER);
	assert_null(row(w, "private-1"));
	for (size_t i = 0; i < COUNT; i++)
		assert_pair(w, names[i]);
	free(a);
	/* again: there is nothing left, nobody is asked */
	a = ask_new(NULL);
	a->op.all = true;
	finish(w, a);
	assert_int_equal(a->op.registered + a->op.failed + a->codes, 0);
	assert_int_equal(a->err.kind, ERR_NONE);
	free(a);
}

static void test_a_dry_run_asks_nobody_and_changes_nothing(void **state)
{
	struct fake_world *w = up_world(state);
	struct asked *a = ask_new("laser");

	a->op.dry_run = true;
	a->op.code = NULL;
	expect(w, a, "laser:ok ");
	assert_int_equal(w->sign_ins, 0);
	assert_null(row(w, "laser"));
	assert_no_line(w, "> cloud.enroll");
}

static void test_a_printer_without_certificate_service_is_probed(void **state)
{
	struct fake_world *w = *state;
	struct asked *a = ask_new("laser");

	fake_start(w);
	a->op.cloud_uri = "ipp://127.0.0.1/ipp/print/9";
	expect(w, a, "laser:ok ");
	assert_state(w, "laser", "online");
	assert_string_equal(row(w, "laser")->cloud_uri, "ipp://127.0.0.1/ipp/print/9");
	assert_no_line(w, "> cloud.sign_in");
	a = ask_new("office"); /* at the system-uri */
	w->valid_days = 10;
	expect(w, a, "office:ok ");
	assert_pair(w, "office");
	assert_no_line(w, "> cloud.sign_in");
	a = ask_new("third");
	a->op.cloud_uri = "ipp://127.0.0.1/ipp/print/9";
	expect(w, a, "third:rejected ");
	assert_int_equal(w->printer_count, 2);
}

/* Whose tokens, for which host, signed with which key. */
static void assert_connected(struct fake_world *w, const char *queue, size_t from)
{
	const struct printer_record *r = row(w, queue);
	char line[300], pair[ID_SIZE];

	keys_pair_id(r->id, r->second_pair, pair);
	(void)snprintf(line, sizeof(line),
	               "channel.open %ld https://print.print.microsoft.com/printers/%s as %s with "
	               "%s.pem",
	               (long)(r - w->printers), r->identity.device, r->identity.device, pair);
	if (fake_find(w, line, from) < 0) {
		fake_print_lines(w);
		fail_msg("no line \"%s\"", line);
	}
}

static void test_its_channel_is_its_own(void **state)
{
	struct fake_world *w = up_world(state);
	size_t from;

	expect(w, ask_new("laser"), "laser:ok ");
	assert_connected(w, "laser", 0);
	from = w->line_count;
	expect(w, renew_new("laser"), "laser:ok ");
	assert_connected(w, "laser", from); /* with the new key, at once */
	fake_stop(w);
	from = w->line_count;
	fake_start(w);
	assert_connected(w, "laser", from);
}

static void test_a_new_certificate_waits_for_jobs_that_ask_the_cloud(void **state)
{
	struct fake_world *w = up_world(state);
	size_t from;

	expect(w, ask_new("laser"), "laser:ok ");
	(void)fake_fail(w, "cloud.accept", 7, ERR_TEMPORARY, FAKE_NEVER);
	(void)fake_job(w, 0, 7);
	fake_offer(w, 0);
	fake_until(w, "> cloud.accept 7");
	from = w->line_count;
	expect(w, renew_new("laser"), "laser:ok ");
	assert_int_equal(fake_find(w, "channel.open", from), -1);
	fake_call_cancel(w, fake_call_of_verb(w, "cloud.accept"));
	fake_run(w, 60 * 1000);
	assert_connected(w, "laser", from);
	assert_int_equal(fake_cloud_job(w, 7)->told, CLOUD_JOB_COMPLETED);
}

static void test_a_printer_at_rest_takes_few_kilobytes(void **state)
{
	(void)state;
	assert_true(sizeof(struct printer_record) < 4096);
	assert_true(sizeof(struct printer) < 5120);
}

/* ---- what is wrong from the start ---- */

static void test_options_that_make_no_sense_are_refused(void **state)
{
	struct fake_world *w = up_world(state);
	struct asked *a = ask_new("laser");

	a->op.cloud = "nowhere";
	refuse(w, a, ERR_GONE, "no [cloud nowhere]");
	a = ask_new("laser");
	a->op.cloud_uri = "ipps://h/1";
	refuse(w, a, ERR_REJECTED, "leave --cloud-uri");
	a = ask_new("laser");
	a->op.key_file = "/k";
	refuse(w, a, ERR_REJECTED, "--certificate and --key go together");
	a = ask_new("laser");
	a->queues[a->op.count++] = "office";
	a->op.name = "x";
	refuse(w, a, ERR_REJECTED, "--name is for one queue");
	a = ask_new("laser");
	a->op.code = NULL;
	refuse(w, a, ERR_REJECTED, "call Register with more");
	a = ask_new("laser");
	a->op.renew = true;
	a->op.name = "x";
	refuse(w, a, ERR_REJECTED, "--renew changes key and certificate only");
	refuse(w, ask_new(NULL), ERR_REJECTED, "no queue is named");
	a = ask_new("laser");
	a->op.renew = true;
	expect(w, a, "laser:gone ");
	assert_int_equal(w->sign_ins, 0);
}

static void test_a_registered_queue_is_not_registered_twice(void **state)
{
	struct fake_world *w = up_world(state);
	struct asked *a;

	expect(w, ask_new("laser"), "laser:ok ");
	expect(w, ask_new("laser"), "laser:rejected ");
	a = ask_new("office");
	begin(w, a);
	fake_run(w, 100);
	expect(w, ask_new("office"), "office:rejected ");
	fake_run(w, 60000);
	assert_true(a->done);
	assert_string_equal(a->words, "office:ok ");
	free(a);
	assert_int_equal(fake_devices(w), 2);
}

/* ---- the sign-in ---- */

static void test_a_sign_in_that_fails_is_told_once_and_leaves_nothing(void **state)
{
	static const enum fake_how hows[] = { FAKE_AFTER,
		                              FAKE_START }; /* also before keys are made */
	struct fake_world *w = up_world(state);

	for (size_t n = 0; n < ARRAY_SIZE(hows); n++) {
		struct asked *a = ask_new(NULL);

		for (size_t i = 0; i < 12; i++)
			a->queues[a->op.count++] =
				(const char *const[]){ "a", "b", "c", "d", "e", "f",
				                       "g", "h", "i", "j", "k", "l" }[i];
		(void)fake_fail(w, "cloud.sign_in", 0, ERR_REJECTED, hows[n]);
		finish(w, a);
		assert_string_equal(a->words, "");
		assert_int_equal(a->err.kind, ERR_REJECTED);
		assert_int_equal(a->op.failed, 12);
		assert_int_equal(w->printer_count, 0);
		free(a);
	}
	expect(w, ask_new("a"), "a:ok ");
}

static void test_a_cancel_while_nobody_signs_in_leaves_nothing(void **state)
{
	struct fake_world *w = up_world(state);
	struct asked *a = ask_new("laser");

	w->never_signed_in = true;
	begin(w, a);
	fake_run(w, 60 * 1000);
	assert_int_equal(a->codes, 1);
	assert_false(a->done);
	core_register_cancel(&a->op);
	core_register_cancel(&a->op);
	fake_run(w, 1000);
	assert_true(a->done);
	assert_int_equal(a->err.kind, ERR_CANCELED);
	assert_int_equal(w->printer_count, 0);
	assert_line(w, "> cancel cloud.sign_in");
	free(a);
}

static void test_nobody_is_asked_to_sign_in_for_queues_that_cannot_be_registered(void **state)
{
	struct fake_world *w = up_world(state);

	(void)fake_fail(w, "queue.probe", 0, ERR_GONE, FAKE_BEFORE);
	expect(w, ask_new("nosuch"), "nosuch:gone ");
	assert_no_line(w, "> cloud.sign_in");
	assert_int_equal(w->printer_count, 0);
}

static void test_the_end_of_all_queues_ends_the_sign_in(void **state)
{
	struct fake_world *w = up_world(state);
	struct asked *a = ask_new("laser");

	w->never_signed_in = true;
	begin(w, a);
	fake_run(w, 1000);
	fake_stop(w); /* a restart does not wait for people */
	assert_true(a->done);
	assert_int_equal(a->err.kind, ERR_CANCELED);
	free(a);
	assert_int_equal(w->printer_count, 0);
}

static void test_who_may_not_register_printers_is_told_once(void **state)
{
	struct fake_world *w = up_world(state);
	struct asked *a = ask_new(NULL);

	for (size_t i = 0; i < 10; i++)
		a->queues[a->op.count++] = (const char *const[]){ "a", "b", "c", "d", "e",
			                                          "f", "g", "h", "i", "j" }[i];
	for (size_t i = 0; i < 10; i++)
		(void)fake_fail(w, "cloud.enroll", 0, ERR_DENIED, FAKE_BEFORE);
	finish(w, a);
	assert_string_equal(a->words, "");
	assert_int_equal(a->err.kind, ERR_DENIED);
	assert_int_equal(a->op.failed, 10);
	assert_int_equal(a->op.registered, 0);
	free(a);
	for (size_t i = 0; i < w->printer_count; i++)
		assert_string_equal(w->printers[i].id, "");
	assert_int_equal(count_keys(w), 0);
}

/* ---- one queue of several fails ---- */

static void test_a_failure_in_the_middle_leaves_what_succeeded(void **state)
{
	struct fake_world *w = up_world(state);
	struct asked *a = ask_new("a");

	a->queues[a->op.count++] = "b";
	a->queues[a->op.count++] = "c";
	(void)fake_fail(w, "queue.probe", 0, ERR_REJECTED, FAKE_BEFORE);
	(void)fake_fail(w, "cloud.enroll", 0, ERR_REJECTED, FAKE_BEFORE);
	finish(w, a);
	assert_int_equal(a->op.registered, 1);
	assert_int_equal(a->op.failed, 2);
	assert_int_equal(a->err.kind, ERR_NONE);
	free(a);
	assert_int_equal(count_keys(w), 1);
	w->names[0] = "a";
	w->names[1] = "b";
	w->names[2] = "c";
	a = ask_new(NULL);
	a->op.all = true;
	finish(w, a);
	assert_int_equal(a->op.registered, 2);
	free(a);
	assert_int_equal(count_keys(w), 3);
	assert_int_equal(fake_devices(w), 3);
}

static void test_a_certificate_for_another_key_is_refused(void **state)
{
	struct fake_world *w = up_world(state);

	w->wrong_key = true;
	expect(w, ask_new("laser"), "laser:rejected ");
	assert_null(row(w, "laser"));
	assert_int_equal(count_keys(w), 0);
	w->wrong_key = false;
	expect(w, ask_new("laser"), "laser:ok ");
}

static void test_each_operation_that_fails_leaves_what_the_next_run_finishes(void **state)
{
	static const struct {
		const char *verb;
		enum err_kind kind;
		enum fake_how how;
		unsigned skip; /* how often it works before */
		bool stays;    /* as registering */
	} rows[] = {
		{ "queue.probe", ERR_TEMPORARY, FAKE_START, 0, false },
		{ "queue.probe", ERR_TEMPORARY, FAKE_BEFORE, 0, false },
		{ "cloud.sign_in", ERR_TEMPORARY, FAKE_START, 0, false },
		{ "cloud.sign_in", ERR_REJECTED, FAKE_AFTER, 0, false },
		{ "store.printer", ERR_TEMPORARY, FAKE_BEFORE, 0, false },
		{ "work", ERR_TEMPORARY, FAKE_BEFORE, 0, false },
		{ "cloud.enroll", ERR_TEMPORARY, FAKE_START, 0, false },
		{ "cloud.enroll", ERR_TEMPORARY, FAKE_BEFORE, 0, true },
		{ "cloud.enroll", ERR_TEMPORARY, FAKE_MIDDLE, 0, true },
		{ "cloud.enroll", ERR_TEMPORARY, FAKE_AFTER, 0, true },
		{ "cloud.enroll", ERR_REJECTED, FAKE_MIDDLE, 0, false },
		{ "store.printer", ERR_TEMPORARY, FAKE_BEFORE, 2, true },
		{ "work", ERR_TEMPORARY, FAKE_BEFORE, 1, false },
		{ "work", ERR_TEMPORARY, FAKE_BEFORE, 2, true },
	};
	struct fake_world *w = up_world(state);
	char queue[16], words[32];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct asked *a;
		struct fake_rule *rule;

		(void)snprintf(queue, sizeof(queue), "q%zu", i);
		(void)snprintf(words, sizeof(words), "%s:ok ", queue);
		rule = fake_fail(w, rows[i].verb, 0, rows[i].kind, rows[i].how);
		rule->skip = rows[i].skip;
		a = ask_new(queue);
		finish(w, a);
		if (a->op.failed != 1 || rule->times != 0) {
			fake_print_lines(w);
			fail_msg("row %zu: %u failed", i, a->op.failed);
		}
		assert_int_equal(a->op.registered, 0);
		free(a);
		assert_int_equal(row(w, queue) != NULL, rows[i].stays);
		if (rows[i].stays) {
			assert_state(w, queue, "registering");
			assert_non_null(strstr(look(w, queue).reason, "goes on with it"));
		}
		expect(w, ask_new(queue), words);
		assert_state(w, queue, "online");
		assert_pair(w, queue);
		assert_false(row(w, queue)->registering);
	}
	for (size_t i = 0; i < w->printer_count; i++)
		if (*w->printers[i].id)
			assert_int_equal(has_key(w, w->printers[i].id, false), true);
}

static void test_a_registration_that_was_begun_is_gone_on_with(void **state)
{
	struct fake_world *w = up_world(state);
	char id[ID_SIZE];

	(void)fake_fail(w, "cloud.enroll", 0, ERR_TEMPORARY, FAKE_MIDDLE);
	expect(w, ask_new("laser"), "laser:temporary ");
	assert_string_equal(row(w, "laser")->identity.registration_id, "reg-1");
	(void)str_copy(id, sizeof(id), row(w, "laser")->id);
	fake_stop(w);
	fake_start(w);
	fake_run(w, 1000);
	assert_state(w, "laser", "registering");
	expect(w, ask_new("laser"), "laser:ok ");
	assert_int_equal(w->registration_count, 1); /* no second POST */
	assert_string_equal(row(w, "laser")->id, id);
	assert_pair(w, "laser");
}

static void test_a_registration_that_the_cloud_forgot_begins_anew_with_the_same_device(void **state)
{
	struct fake_world *w = up_world(state);

	(void)fake_fail(w, "cloud.enroll", 0, ERR_TEMPORARY, FAKE_MIDDLE);
	expect(w, ask_new("laser"), "laser:temporary ");
	(void)snprintf(w->registrations[0].id, sizeof(w->registrations[0].id), "other");
	expect(w, ask_new("laser"), "laser:ok ");
	assert_int_equal(w->registration_count, 2);
	assert_int_equal(fake_devices(w), 1);
	assert_pair(w, "laser");
}

static void test_a_cancel_after_the_cloud_was_asked_can_be_gone_on_with(void **state)
{
	struct fake_world *w = up_world(state);
	struct asked *a = ask_new("laser");

	begin(w, a);
	fake_until(w, "> cloud.enroll");
	fake_run(w, 10);
	core_register_cancel(&a->op);
	fake_run(w, 5000);
	assert_true(a->done);
	assert_int_equal(a->err.kind, ERR_CANCELED);
	free(a);
	assert_state(w, "laser", "registering");
	expect(w, ask_new("laser"), "laser:ok ");
	assert_int_equal(fake_devices(w), 1);
}

static void on_forgotten(struct core_unregister *op, const struct err *err)
{
	*(int *)op->data = err ? -1 : 1;
}

static void test_an_unfinished_registration_can_be_forgotten(void **state)
{
	struct fake_world *w = up_world(state);
	int ended = 0;
	struct core_unregister forget = { .data = &ended, .done = on_forgotten };
	struct asked *a = ask_new("laser");
	char id[ID_SIZE];
	struct err err;

	begin(w, a);
	fake_until(w, "> cloud.enroll");
	/* not while it is under way */
	assert_int_equal(core_unregister(w->core, &forget, "laser", NULL, &err), -1);
	core_register_cancel(&a->op);
	fake_run(w, 1000);
	free(a);
	(void)str_copy(id, sizeof(id), row(w, "laser")->id);
	assert_true(has_key(w, id, false));
	assert_int_equal(core_unregister(w->core, &forget, "laser", NULL, &err), 0);
	fake_run(w, 1000);
	assert_int_equal(ended, 1);
	assert_null(row(w, "laser"));
	assert_false(has_key(w, id, false));
	assert_int_equal(look(w, "laser").n, 0);
	expect(w, ask_new("laser"), "laser:ok ");
}

/* ---- crashes ---- */

static void test_a_crash_at_any_moment_leaves_what_the_next_run_finishes(void **state)
{
	struct fake_world *w = up_world(state);
	unsigned crashed = 0, registering = 0;
	char queue[16], words[32];
	bool whole = false;

	for (unsigned steps = 1; !whole; steps++) {
		struct asked *a;

		(void)snprintf(queue, sizeof(queue), "q%u", steps);
		(void)snprintf(words, sizeof(words), "%s:ok ", queue);
		a = ask_new(queue);
		begin(w, a);
		for (unsigned i = 0; i < steps && !a->done; i++)
			(void)fake_clock_step(&w->clock);
		whole = a->done;
		fake_kill(w);
		free(a);
		fake_start(w);
		fake_run(w, 5000);
		crashed += !whole;
		if (row(w, queue) && row(w, queue)->registering) {
			registering++;
			assert_state(w, queue, "registering");
		}
		if (!row(w, queue) || row(w, queue)->registering)
			expect(w, ask_new(queue), words);
		assert_state(w, queue, "online");
		assert_pair(w, queue);
		assert_true(steps < 35);
	}
	assert_true(crashed > 8);
	assert_true(registering > 3);
	/* no printer of the cloud's is left without one of ours */
	assert_int_equal(fake_devices(w), crashed + 1);
}

/* ---- renewal ---- */

static void test_a_renewal_changes_key_and_certificate_and_nothing_else(void **state)
{
	struct fake_world *w = up_world(state);
	struct printer_record before;
	struct seen first, second;

	expect(w, ask_new("laser"), "laser:ok ");
	first = look(w, "laser");
	before = *row(w, "laser");
	w->valid_days = 700;
	expect(w, renew_new("laser"), "laser:ok ");
	second = look(w, "laser");
	assert_string_not_equal(first.sha256, second.sha256);
	assert_true(second.not_after > first.not_after);
	assert_string_equal(second.state, "online");
	assert_string_equal(row(w, "laser")->id, before.id);
	assert_string_equal(row(w, "laser")->identity.device, before.identity.device);
	assert_true(row(w, "laser")->second_pair);
	assert_pair(w, "laser");
	assert_false(has_key(w, before.id, false));
	assert_int_equal(w->sign_ins, 2);
	expect(w, renew_new("laser"), "laser:ok "); /* and back */
	assert_false(row(w, "laser")->second_pair);
	assert_pair(w, "laser");
	assert_int_equal(count_keys(w), 1);
	assert_line(w, "log 6 printer laser has a new key and certificate");
	fake_stop(w);
	fake_start(w);
	fake_run(w, 1000);
	assert_state(w, "laser", "online");
}

static void test_a_renewal_that_fails_leaves_the_old_pair_in_use(void **state)
{
	static const struct {
		const char *verb;
		enum err_kind kind;
		enum fake_how how;
		unsigned skip;
	} rows[] = {
		{ "work", ERR_TEMPORARY, FAKE_BEFORE, 0 },
		{ "cloud.enroll", ERR_DENIED, FAKE_BEFORE, 0 },
		{ "cloud.enroll", ERR_REJECTED, FAKE_MIDDLE, 0 },
		{ "cloud.enroll", ERR_TEMPORARY, FAKE_MIDDLE, 0 },
		{ "work", ERR_TEMPORARY, FAKE_BEFORE, 1 },
		{ "work", ERR_TEMPORARY, FAKE_BEFORE, 2 },
		{ "store.printer", ERR_TEMPORARY, FAKE_BEFORE, 1 },
	};
	struct fake_world *w = up_world(state);
	char sha256[65];

	expect(w, ask_new("laser"), "laser:ok ");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct asked *a = renew_new("laser");
		struct fake_rule *rule = fake_fail(w, rows[i].verb, 0, rows[i].kind, rows[i].how);

		rule->skip = rows[i].skip;
		(void)str_copy(sha256, sizeof(sha256), look(w, "laser").sha256);
		finish(w, a);
		assert_int_equal(a->op.failed, 1);
		assert_int_equal(rule->times, 0);
		free(a);
		assert_string_equal(look(w, "laser").sha256, sha256);
		assert_state(w, "laser", "online");
		assert_pair(w, "laser");
		fake_stop(w);
		fake_start(w);
		fake_run(w, 1000);
		assert_string_equal(look(w, "laser").sha256, sha256);
		expect(w, renew_new("laser"), "laser:ok ");
		assert_string_not_equal(look(w, "laser").sha256, sha256);
		assert_int_equal(count_keys(w), 1);
	}
	assert_int_equal(fake_devices(w), 1);
}

static void test_a_crash_in_a_renewal_leaves_one_whole_pair_in_use(void **state)
{
	struct fake_world *w = up_world(state);
	bool whole = false;

	expect(w, ask_new("laser"), "laser:ok ");
	for (unsigned steps = 1; !whole; steps++) {
		struct asked *a = renew_new("laser");

		begin(w, a);
		for (unsigned i = 0; i < steps && !a->done; i++)
			(void)fake_clock_step(&w->clock);
		whole = a->done;
		fake_kill(w);
		free(a);
		fake_start(w);
		fake_run(w, 5000);
		assert_state(w, "laser", "online");
		assert_pair(w, "laser");
		assert_false(row(w, "laser")->registering);
		assert_true(steps < 60);
	}
	expect(w, renew_new("laser"), "laser:ok ");
	assert_int_equal(count_keys(w), 1);
	assert_int_equal(fake_devices(w), 1);
}

static void test_another_printer_in_place_of_a_new_certificate_is_refused(void **state)
{
	struct fake_world *w = up_world(state);
	struct asked *a;

	expect(w, ask_new("laser"), "laser:ok ");
	w->other_device = true;
	a = renew_new("laser");
	finish(w, a);
	assert_string_equal(a->words, "laser:rejected ");
	assert_non_null(strstr(a->last.text, "the cloud made another printer (x-"));
	free(a);
	assert_pair(w, "laser");
	assert_int_equal(count_keys(w), 1);
	assert_memory_equal(row(w, "laser")->identity.device, "d-", 2);
}

static void test_a_certificate_that_was_given_is_not_ours_to_renew(void **state)
{
	struct fake_world *w = *state;
	struct printer_record *p = &w->printers[fake_printer(w, "laser")];
	AUTO(free_str) char *path = tmpdir_put_text(w->dir, "given.pem", "");
	struct asked *a;

	p->certificate_file = p->key_file = path;
	fake_start(w);
	a = renew_new("laser");
	finish(w, a);
	assert_string_equal(a->words, "laser:rejected ");
	assert_non_null(strstr(a->last.text, "replace its file"));
	free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(test_one_queue_is_registered),
		in_world(test_the_code_is_not_logged),
		in_world(test_many_queues_need_one_sign_in_and_go_32_at_a_time),
		in_world(test_a_dry_run_asks_nobody_and_changes_nothing),
		in_world(test_a_printer_without_certificate_service_is_probed),
		in_world(test_its_channel_is_its_own),
		in_world(test_a_new_certificate_waits_for_jobs_that_ask_the_cloud),
		cmocka_unit_test(test_a_printer_at_rest_takes_few_kilobytes),
		in_world(test_options_that_make_no_sense_are_refused),
		in_world(test_a_registered_queue_is_not_registered_twice),
		in_world(test_a_sign_in_that_fails_is_told_once_and_leaves_nothing),
		in_world(test_a_cancel_while_nobody_signs_in_leaves_nothing),
		in_world(test_nobody_is_asked_to_sign_in_for_queues_that_cannot_be_registered),
		in_world(test_the_end_of_all_queues_ends_the_sign_in),
		in_world(test_who_may_not_register_printers_is_told_once),
		in_world(test_a_failure_in_the_middle_leaves_what_succeeded),
		in_world(test_a_certificate_for_another_key_is_refused),
		in_world(test_each_operation_that_fails_leaves_what_the_next_run_finishes),
		in_world(test_a_registration_that_was_begun_is_gone_on_with),
		in_world(
			test_a_registration_that_the_cloud_forgot_begins_anew_with_the_same_device),
		in_world(test_a_cancel_after_the_cloud_was_asked_can_be_gone_on_with),
		in_world(test_an_unfinished_registration_can_be_forgotten),
		in_world(test_a_crash_at_any_moment_leaves_what_the_next_run_finishes),
		in_world(test_a_renewal_changes_key_and_certificate_and_nothing_else),
		in_world(test_a_renewal_that_fails_leaves_the_old_pair_in_use),
		in_world(test_a_crash_in_a_renewal_leaves_one_whole_pair_in_use),
		in_world(test_another_printer_in_place_of_a_new_certificate_is_refused),
		in_world(test_a_certificate_that_was_given_is_not_ours_to_renew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
