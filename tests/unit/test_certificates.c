/* test_certificates.c - what is said of certificates that expire. */
#include "tests/unit/core_case.h"

#include "common/messages.h"
#include "common/str.h"
#include "connector/base/crypto.h"
#include "connector/base/journal.h"
#include "connector/core/core_private.h"
#include "connector/store/keys.h"
#include "tests/lib/fake_cert.h"
#include "tests/lib/tmpdir.h"

#define DAY  (24 * HOUR)
#define MANY 20

static char *certificate_new(struct fake_world *w, int days)
{
	AUTO(free_str) char *request = fake_cert_request();

	return fake_cert_issue(request, w->clock.wall_ms / 1000, days);
}

/* A printer whose own certificate is good for so many days and half a day more. */
static void put_printer(struct fake_world *w, const char *queue, int days)
{
	struct printer_record *p = &w->printers[fake_printer(w, queue)];
	AUTO(free_str) char *request = fake_cert_request();
	AUTO(free_str)
	char *pem = fake_cert_issue(request, w->clock.wall_ms / 1000 + 12 * 3600, days);
	struct err err;

	p->own_certificate = true;
	assert_int_equal(keys_save_certificate(w->dir, p->id, pem, &err), 0);
}

static struct {
	unsigned n;
	char text[TEXT_SIZE];
	enum health_code code;
} ill;

static void on_health(void *data, const struct core_health *h)
{
	(void)data;
	if (h->code != HEALTH_CERTIFICATE_EXPIRING && h->code != HEALTH_CERTIFICATE_EXPIRED)
		return;
	ill.n++;
	ill.code = h->code;
	(void)str_copy(ill.text, sizeof(ill.text), h->text);
}

static void look(struct fake_world *w)
{
	memset(&ill, 0, sizeof(ill));
	core_health(w->core, on_health, NULL);
}

static unsigned count_warnings(struct fake_world *w)
{
	unsigned n = 0;

	for (size_t i = 0; i < w->line_count; i++)
		n += strncmp(w->lines[i], "log ", 4) == 0 &&
		     strstr(w->lines[i], "the certificate of") != NULL;
	return n;
}

static void test_each_limit_is_said_once_and_status_says_it_always(void **state)
{
	static const struct {
		int day; /* of the printer's life */
		unsigned said;
		const char *health;
	} rows[] = {
		{ 0, 0, "" },
		{ 9, 0, "" },
		{ 11, 1, "expires in 59 days" },
		{ 39, 1, "expires in 31 days" },
		{ 41, 2, "expires in 29 days" },
		{ 64, 3, "expires in 6 days" },
		{ 69, 3, "expires in 1 day" },
		{ 70, 4, "expires within a day" },
		{ 71, 5, "has expired" },
		{ 90, 5, "has expired" },
	};
	struct fake_world *w = *state;
	int day = 0;

	put_printer(w, CUPS, 70);
	fake_start(w);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (; day < rows[i].day; day++)
			fake_run(w, DAY);
		fake_run(w, 1000);
		look(w);
		assert_int_equal(ill.n, *rows[i].health != '\0');
		if (!strstr(ill.text, rows[i].health))
			fail_msg("day %d: %s", day, ill.text);
		if (count_warnings(w) != rows[i].said)
			fail_msg("day %d: said %u times", day, count_warnings(w));
		if (ill.n)
			assert_int_equal(ill.code, day > 70 ? HEALTH_CERTIFICATE_EXPIRED
			                                    : HEALTH_CERTIFICATE_EXPIRING);
	}
	assert_line(w, "log 3 the certificate of laser has expired;");
	assert_line(w, "log 4 the certificate of laser expires in 59 days;");
}

static void test_a_start_says_what_is_so(void **state)
{
	struct fake_world *w = *state;

	put_printer(w, "a", 5);
	put_printer(w, "b", 100);
	fake_start(w);
	fake_run(w, 1000);
	assert_int_equal(count_warnings(w), 1);
	fake_stop(w);
	fake_start(w);
	fake_run(w, 1000);
	assert_int_equal(count_warnings(w), 2);
	look(w);
	assert_int_equal(ill.n, 1);
	assert_string_equal(ill.text, "the certificate of a expires in 5 days");
}

static void test_a_certificate_that_printers_share_is_said_once(void **state)
{
	struct fake_world *w = *state;
	AUTO(free_str) char *pem = certificate_new(w, 20);
	AUTO(free_str) char *path = tmpdir_put_text(w->dir, "shared.pem", pem);

	for (int i = 0; i < 5; i++) {
		char queue[8];
		struct printer_record *p;

		(void)snprintf(queue, sizeof(queue), "q%d", i);
		p = &w->printers[fake_printer(w, queue)];
		p->certificate_file = p->key_file = path;
	}
	fake_start(w);
	fake_run(w, 1000);
	assert_int_equal(count_warnings(w), 1);
	look(w);
	assert_int_equal(ill.n, 1);
}

static void test_a_start_does_not_wait_for_certificates(void **state)
{
	struct fake_world *w = *state;

	for (int i = 0; i < MANY; i++) {
		char queue[8];

		(void)snprintf(queue, sizeof(queue), "q%d", i);
		put_printer(w, queue, 5);
	}
	fake_start(w);
	look(w);
	assert_int_equal(ill.n, 0);
	fake_run(w, 1000);
	look(w);
	assert_int_equal(ill.n, MANY);
}

static void test_printers_without_a_certificate_say_nothing(void **state)
{
	struct fake_world *w = *state;

	(void)fake_printer(w, CUPS);
	fake_start(w);
	fake_run(w, 3 * DAY);
	look(w);
	assert_int_equal(ill.n, 0);
	assert_int_equal(count_warnings(w), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(test_each_limit_is_said_once_and_status_says_it_always),
		in_world(test_a_start_says_what_is_so),
		in_world(test_a_certificate_that_printers_share_is_said_once),
		in_world(test_a_start_does_not_wait_for_certificates),
		in_world(test_printers_without_a_certificate_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
