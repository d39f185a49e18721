#include "connector/core/doctor_findings.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/util.h"

#define BIT(step) (UINT32_C(1) << DOCTOR_##step)
#define WAY       (BIT(NAME) | BIT(PROXY) | BIT(CONNECT) | BIT(TLS) | BIT(CLOCK) | BIT(ANSWER))

enum scope { EVERYWHERE, SAME_CLOUD, SAME_SUBJECT, QUEUES_OF_CUPS };

/* What is no cause of its own while one of these is wrong, for the same cloud, the same subject or
 * anywhere. */
static const struct {
	enum doctor_step step;
	enum scope scope;
	uint32_t causes;
} consequences[] = {
	/* a certificate that is not valid yet: the clock */
	{ DOCTOR_TLS, EVERYWHERE, BIT(CLOCK) },
	{ DOCTOR_PRINTER, SAME_CLOUD, WAY | BIT(SIGN_IN) },
	{ DOCTOR_TOKEN, SAME_CLOUD, WAY | BIT(SIGN_IN) },
	{ DOCTOR_CHANNEL, SAME_CLOUD, WAY | BIT(SIGN_IN) | BIT(NOTIFICATION) },
	{ DOCTOR_PRINTER, SAME_SUBJECT, BIT(CERTIFICATE) },
	{ DOCTOR_TOKEN, SAME_SUBJECT, BIT(CERTIFICATE) },
	{ DOCTOR_CHANNEL, SAME_SUBJECT, BIT(CERTIFICATE) },
	/* subjects of queues differ from that of CUPS */
	{ DOCTOR_QUEUE, QUEUES_OF_CUPS, BIT(CUPS) },
	{ DOCTOR_VALIDATE, SAME_SUBJECT, BIT(QUEUE) | BIT(DEVICE) },
};

static const struct {
	const char *name, *remedy;
} steps[] = {
#define X(id, name, remedy) [DOCTOR_##id] = { name, remedy },
	DOCTOR_STEPS(X)
#undef X
};

const char *doctor_step_name(enum doctor_step step)
{
	return steps[step].name;
}

const char *doctor_mark_name(enum doctor_mark mark)
{
	static const char *const names[] = { "pass", "warn", "fail" };

	return names[mark];
}

void doctor_remedy(enum doctor_step step, const char *subject, char *ret, size_t size)
{
	const char *pattern = steps[step].remedy, *place;
	char clean[NAME_SIZE];
	size_t used = 0;

	str_clean(subject, clean, sizeof(clean));
	for (; used + 1 < size && (place = strstr(pattern, "{}")); pattern = place + 2) {
		(void)snprintf(ret + used, size - used, "%.*s%s", (int)(place - pattern), pattern,
		               clean);
		used += strlen(ret + used);
	}
	(void)str_copy(ret + used, size - used, pattern);
}

static bool is_caused_by(const struct doctor_result *r, const struct doctor_result *other)
{
	if (other->mark != DOCTOR_FAIL)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(consequences); i++) {
		if (consequences[i].step != r->step ||
		    !(consequences[i].causes & UINT32_C(1) << other->step))
			continue;
		switch (consequences[i].scope) {
		case EVERYWHERE:
			return true;
		case QUEUES_OF_CUPS:
			if (!strstr(r->subject, "://"))
				return true;
			break;
		case SAME_CLOUD:
			if (strcmp(r->cloud, other->cloud) == 0)
				return true;
			break;
		case SAME_SUBJECT:
			if (strcmp(r->subject, other->subject) == 0)
				return true;
			break;
		}
	}
	return false;
}

static bool is_consequence(const struct doctor_result *r, const struct doctor_result *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (&all[i] != r && is_caused_by(r, &all[i]))
			return true;
	return false;
}

static void add_others(struct doctor_result *r, unsigned others)
{
	size_t len = strlen(r->text);

	if (others && len + sizeof(" (and 4294967295 more)") <= sizeof(r->text))
		(void)snprintf(r->text + len, sizeof(r->text) - len, " (and %u more)", others);
}

/* Whether the same helps: what differs but for the subject is another cause. */
static bool is_same_cause(const struct doctor_result *a, const struct doctor_result *b)
{
	const char *x = a->remedy, *y = b->remedy;
	size_t x_len = strlen(a->subject), y_len = strlen(b->subject);

	if (a->step != b->step)
		return false;
	for (;;) {
		if (x_len && y_len && strncmp(x, a->subject, x_len) == 0 &&
		    strncmp(y, b->subject, y_len) == 0) {
			x += x_len;
			y += y_len;
		} else if (*x != *y) {
			return false;
		} else if (!*x) {
			return true;
		} else {
			x++;
			y++;
		}
	}
}

struct cause {
	const struct doctor_result *result;
	unsigned others;
};

static size_t find_causes(const struct doctor_result *results, size_t n, struct cause *causes)
{
	size_t count = 0, at;

	for (size_t i = 0; i < n; i++) {
		const struct doctor_result *r = &results[i];

		if (r->mark == DOCTOR_PASS || is_consequence(r, results, n))
			continue;
		for (at = 0; at < count && !is_same_cause(causes[at].result, r); at++)
			;
		if (at == count)
			causes[count++].result = r;
		else if (strcmp(causes[at].result->subject, r->subject) != 0)
			causes[at].others++;
		if (r->mark > causes[at].result->mark)
			causes[at].result = r;
	}
	return count;
}

size_t doctor_findings(struct doctor_result *results, size_t n)
{
	struct cause *causes = xcalloc(n + 1, sizeof(*causes));
	size_t count = find_causes(results, n, causes), told = 0;
	struct doctor_result *found = xcalloc(count + 1, sizeof(*found));

	for (int mark = DOCTOR_FAIL; mark >= DOCTOR_WARN; mark--)
		for (int step = 0; step < DOCTOR_STEP_COUNT; step++)
			for (size_t i = 0; i < count; i++)
				if ((int)causes[i].result->mark == mark &&
				    (int)causes[i].result->step == step) {
					found[told] = *causes[i].result;
					add_others(&found[told++], causes[i].others);
				}
	for (size_t i = 0; i < told; i++)
		results[i] = found[i];
	free(found);
	free(causes);
	return told;
}
