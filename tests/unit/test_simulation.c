/* Lives of many jobs in virtual time, with random failures of all kinds and the daemon killed at
 * random moments. What is promised is looked at when everything is quiet again.
 *
 * CONNECTOR_SEED: of the first run, printed; CONNECTOR_LIVES: how many jobs. What happened is
 * written down only in a run that is done again because something was wrong in it. */
#include "tests/unit/core_case.h"

#include <inttypes.h>
#include <malloc.h>
#include <time.h>

#include "common/config.h"
#include "tests/lib/tmpdir.h"

#define JOBS_PER_RUN 12
#define LIVES        2400

static uint64_t first_seed;
static bool again; /* the run in hand is one in which something was wrong */
static unsigned lives, lived;
static uint64_t faults;

static char *dir;                  /* of all worlds */
static struct config *configs[60]; /* by seed; NULL: not read yet */

struct run {
	struct fake_world *w;
	uint64_t seed;
	enum config_unknown when_unknown;
	bool canceled[FAKE_JOBS_MAX];
	unsigned kills;
	bool jumps, forgets;
};

static const char *const words[] = { "hold", "print-again", "abort" };

static struct config *settings_of(uint64_t seed)
{
	struct config **config = &configs[seed % ARRAY_SIZE(configs)];
	char settings[256], *path;
	struct err err;

	if (*config)
		return *config;
	(void)snprintf(settings, sizeof(settings),
	               "[jobs]\nwhen-unknown = %s\nmax-transfers = %d\nmax-jobs-per-printer = %d\n"
	               "give-up-after = 6h\n"
	               "[cloud c]\ntype = ipp-infra\nuri = ipp://127.0.0.1/ipp/print\n",
	               words[seed % 3], 1 + (int)(seed / 3 % 4), 1 + (int)(seed / 12 % 5));
	path = tmpdir_put_text(dir, "settings", settings);
	assert_int_equal(config_load(path, config, &err), 0);
	free(path);
	return *config;
}

static void run_open(struct run *r, struct fake_world *w, uint64_t seed)
{
	unsigned printers;

	memset(r, 0, sizeof(*r));
	r->w = w;
	r->seed = seed;
	r->when_unknown = (enum config_unknown)(seed % 3);
	fake_world_open_at(w, seed, dir, settings_of(seed));
	w->quiet = !again;
	printers = 1 + (unsigned)fake_random(w, 3);
	for (unsigned i = 0; i < printers; i++)
		(void)fake_printer(w, (const char *[]){ CUPS, IPP, "inkjet" }[i]);
	w->fault_percent = (unsigned)fake_random(w, fake_dice(w, 20) ? 45 : 15);
	w->jitter_ms = 1 + (int64_t)fake_random(w, 800);
	w->abort_percent = w->again_percent = w->vanish_percent = 4;
	w->busy_when_printing = fake_dice(w, 30);
	r->jumps = fake_dice(w, 30);
	r->forgets = fake_dice(w, 30);
	w->offers_ours = fake_dice(w, 30);
	w->accept_again_refused = fake_dice(w, 30);
	w->printers_single = fake_dice(w, 20);
	w->print_ms = 500 + (int64_t)fake_random(w, 60000);
}

static void add_job(struct run *r, int32_t number)
{
	struct fake_world *w = r->w;
	struct fake_cloud_job *j = fake_job(w, (int)fake_random(w, w->printer_count), number);

	j->documents = 1 + (fake_dice(w, 20) ? (int)fake_random(w, 3) : 0);
	if (fake_dice(w, 3))
		(void)snprintf(j->format, sizeof(j->format), "application/postscript");
	if (fake_dice(w, 3)) {
		j->bytes = "%!PS-Adobe-3.0";
		j->len = 14;
	}
	fake_offer(w, j->printer);
}

static struct fake_cloud_job *any_job(struct run *r)
{
	return r->w->job_count ? &r->w->jobs[fake_random(r->w, r->w->job_count)] : NULL;
}

static void cancel(struct run *r, bool here)
{
	struct fake_cloud_job *j = any_job(r);
	const struct job_record *row = j ? fake_row(r->w, j->job) : NULL;
	struct err err;

	if (!j)
		return;
	if (!here && j->hold == FAKE_OURS) {
		r->canceled[j->job] = true;
		fake_cloud_cancel(r->w, j->job);
	} else if (here && row && core_cancel(r->w->core, row->id, &err) == 0) {
		r->canceled[j->job] = true;
	}
}

static void restart(struct run *r, bool killed)
{
	struct fake_world *w = r->w;

	/* at a turn of the loop, or in the middle of one: where memory runs out, say */
	if (killed && fake_dice(w, 60)) {
		w->dies_in = 1 + (unsigned)fake_random(w, 9);
		for (int steps = 0; steps < 200 && !w->ghost; steps++)
			(void)fake_clock_step(&w->clock);
	} else {
		for (uint64_t steps = fake_random(w, 12); steps > 0; steps--)
			(void)fake_clock_step(&w->clock);
	}
	if (killed)
		fake_kill(w);
	else
		fake_stop(w);
	r->kills++;
	fake_line(w, "restart");
	fake_start(w);
}

/* The cloud restarts without its memory; what it had given out is nobody's. */
static void forget(struct run *r)
{
	struct fake_world *w = r->w;

	for (size_t i = 0; i < w->job_count; i++)
		if (w->jobs[i].hold != FAKE_FINAL && fake_dice(w, 50)) {
			w->jobs[i].hold = FAKE_FORGOTTEN;
			w->faults++;
		}
	for (size_t i = 0; i < w->printer_count; i++)
		fake_channel(w, (int)i, CHANNEL_OFFLINE);
}

/* CUPS is killed or restarted: what prints is gone, or begins anew. */
static void restart_cups(struct run *r)
{
	struct fake_world *w = r->w;

	for (size_t i = 0; i < w->local_count; i++) {
		struct fake_local *l = &w->locals[i];

		if (l->outcome || l->vanished || !l->timer.armed)
			continue;
		w->faults++;
		if (fake_dice(w, 30)) {
			fake_vanish(l);
		} else if (l->processing_at) {
			l->printed_again = true;
			fake_begin(l);
		}
	}
}

/* Back or forward, by seconds to years. */
static void jump(struct run *r)
{
	static const int64_t most[] = { MINUTE, DAY, 400 * (int64_t)DAY };
	int64_t range = most[fake_random(r->w, ARRAY_SIZE(most))];

	r->w->clock.wall_ms += (int64_t)fake_random(r->w, 2 * (uint64_t)range) - range;
	r->w->faults++;
}

static void something_happens(struct run *r)
{
	struct fake_world *w = r->w;
	int printer = (int)fake_random(w, w->printer_count);

	switch (fake_random(w, 19)) {
	case 16:
		if (r->jumps)
			jump(r);
		return;
	case 17:
		if (r->forgets && fake_dice(w, 30))
			forget(r);
		return;
	case 18:
		restart_cups(r);
		return;
	case 0:
	case 1:
	case 2:
		restart(r, true);
		return;
	case 3:
		restart(r, false);
		return;
	case 4:
		w->cloud_down = !w->cloud_down;
		return;
	case 5:
		w->queue_down = !w->queue_down;
		return;
	case 6:
		w->store_down = !w->store_down;
		return;
	case 7:
		cancel(r, false);
		return;
	case 8:
		cancel(r, true);
		return;
	case 9:
		fake_channel(w, printer, CHANNEL_OFFLINE);
		return;
	case 10:
		fake_channel(w, printer, CHANNEL_ONLINE);
		return;
	case 11:
		fake_health(w, printer, fake_dice(w, 50) ? QUEUE_STOPPED : QUEUE_READY);
		return;
	default:
		w->cloud_down = w->cloud_down && fake_dice(w, 50);
		w->store_down = w->store_down && fake_dice(w, 50);
		fake_offer(w, printer);
		return;
	}
}

static bool some_are_told(struct fake_world *w)
{
	for (size_t i = 0; i < w->job_count; i++)
		if (fake_row(w, w->jobs[i].job) &&
		    fake_row(w, w->jobs[i].job)->state == JOB_REPORTING)
			return true;
	return false;
}

/* Nothing fails any more: all that can end ends, also what gives up in the last moment. */
static void calm(struct run *r)
{
	struct fake_world *w = r->w;
	struct err err;

	w->cloud_down = w->queue_down = w->store_down = w->offers_ours = false;
	w->fault_percent = w->abort_percent = w->again_percent = w->vanish_percent = 0;
	for (size_t i = 0; i < w->printer_count; i++) {
		fake_channel(w, (int)i, CHANNEL_ONLINE);
		fake_health(w, (int)i, QUEUE_READY);
	}
	/* an outcome whose telling was quarantined is told when somebody says so */
	for (size_t i = 0; i < w->job_count; i++)
		if (fake_row(w, w->jobs[i].job) &&
		    fake_row(w, w->jobs[i].job)->state == JOB_REPORTING)
			(void)core_retry(w->core, fake_row(w, w->jobs[i].job)->id, &err);
	for (int i = 0; i < 30 || (i < 40 && some_are_told(w)); i++) {
		for (size_t p = 0; p < w->printer_count; p++)
			fake_offer(w, (int)p);
		fake_run(w, 5 * MINUTE);
	}
}

static void simulate(struct fake_world *w, uint64_t seed);

static void complain(struct run *r, const struct fake_cloud_job *j, const char *what)
{
	const struct job_record *row = fake_row(r->w, j->job);
	char number[16];

	if (!again) {
		again = true;
		simulate(xcalloc(1, sizeof(struct fake_world)), r->seed);
	}
	(void)snprintf(number, sizeof(number), " %d ", j->job);
	for (size_t i = 0; i < r->w->line_count; i++) {
		char line[600];

		(void)snprintf(line, sizeof(line), "%s ", r->w->lines[i]);
		if (strstr(line, number) || strstr(line, "restart") || strstr(line, "log "))
			(void)printf("  %s\n", r->w->lines[i]);
	}
	fail_msg("CONNECTOR_SEED=%" PRIu64 ": job %d: %s (row %s, told %d, held %d, closed %u)",
	         r->seed, j->job, what, row ? job_state_name(row->state) : "-", (int)j->told,
	         (int)j->hold, fake_closed(r->w, j->job));
}

static unsigned printed(const struct run *r, int32_t job)
{
	unsigned n = 0;

	for (size_t i = 0; i < r->w->local_count; i++)
		if (r->w->locals[i].cloud_job == job)
			n += (unsigned)r->w->locals[i].printed;
	return n;
}

static void check_job(struct run *r, const struct fake_cloud_job *j)
{
	const struct job_record *row = fake_row(r->w, j->job);

	/* one that was quarantined while it was claimed waits for the administrator */
	if ((j->hold == FAKE_FETCHABLE && (!row || row->state != JOB_HELD)) ||
	    j->hold == FAKE_TAKEN)
		complain(r, j, "was never taken");
	if (j->hold == FAKE_OURS && (!row || row->state != JOB_HELD))
		complain(r, j, "was forgotten");
	if (j->hold == FAKE_FINAL && row && row->state != JOB_DONE)
		complain(r, j, "does not end");
	if (r->when_unknown != CONFIG_UNKNOWN_PRINT_AGAIN && fake_closed(r->w, j->job) > 1)
		complain(r, j, "was handed over twice");
	if (j->finals && j->told == CLOUD_JOB_COMPLETED && !printed(r, j->job))
		complain(r, j, "did not print, but the cloud was told so");
	if (j->finals && j->told == CLOUD_JOB_CANCELED && !r->canceled[j->job])
		complain(r, j, "was called canceled, and nobody had asked");
	if (j->finals > 1)
		complain(r, j, "ended twice");
	if (j->never_acknowledged && fake_closed(r->w, j->job))
		complain(r, j, "was refused, but printed");
}

static void check(struct run *r)
{
	for (size_t i = 0; i < r->w->job_count; i++)
		check_job(r, &r->w->jobs[i]);
	assert_int_equal(r->w->transit_files, 0);
	assert_int_equal(core_counts(r->w->core).transfers, 0);
}

static void simulate(struct fake_world *w, uint64_t seed)
{
	struct run r;

	run_open(&r, w, seed);
	fake_start(w);
	for (int32_t job = 1; job <= JOBS_PER_RUN; job++) {
		add_job(&r, job);
		for (uint64_t n = fake_random(w, 6); n > 0; n--) {
			fake_run(w, (int64_t)fake_random(w, fake_dice(w, 70) ? 3000 : 60000));
			something_happens(&r);
		}
	}
	calm(&r);
	check(&r);
	/* held jobs end at give-up-after */
	w->quiet = true;
	fake_run(w, 6 * (int64_t)HOUR);
	w->quiet = !again;
	for (size_t i = 0; i < w->job_count; i++)
		if (w->jobs[i].hold == FAKE_OURS)
			complain(&r, &w->jobs[i], "is held for ever");
	lived += JOBS_PER_RUN;
	faults += r.kills + r.w->faults;
	fake_world_close(w);
}

static void test_the_promise_holds_whatever_happens(void **state)
{
	struct fake_world *w = xcalloc(1, sizeof(*w));

	(void)state;
	dir = tmpdir_new();
	for (unsigned run = 0; run * JOBS_PER_RUN < lives; run++)
		simulate(w, first_seed + run);
	free(w);
	for (size_t i = 0; i < ARRAY_SIZE(configs); i++)
		config_free(configs[i]);
	tmpdir_free(dir);
	(void)printf("%u lives, %" PRIu64 " faults\n", lived, faults);
}

static uint64_t number_of(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : fallback;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_promise_holds_whatever_happens),
	};

	/* memory that is given back after each transfer has to be asked for again */
	(void)mallopt(M_TRIM_THRESHOLD, 64 << 20);
	(void)mallopt(M_TOP_PAD, 4 << 20);
	(void)mallopt(M_MMAP_THRESHOLD, 4 << 20);
	(void)setvbuf(stdout, NULL, _IOLBF, 0); /* seeds are told before an assertion ends it */
	first_seed = number_of("CONNECTOR_SEED", (uint64_t)time(NULL));
	lives = (unsigned)number_of("CONNECTOR_LIVES", LIVES);
	(void)printf("CONNECTOR_SEED=%" PRIu64 " CONNECTOR_LIVES=%u\n", first_seed, lives);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
