#include "connector/core/doctor_findings.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/str.h"
#include "common/util.h"

#define BIT(step) (UINT32_C(1) << DOCTOR_##step)
#define WAY       (BIT(NAME) | BIT(PROXY) | BIT(CONNECT) | BIT(TLS) | BIT(CLOCK) | BIT(ANSWER))

enum scope { EVERYWHERE, SAME_CLOUD, SAME_SUBJECT };

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
	/* subjects of queues differ from that of CUPS; those of IPP printers are never QUEUE */
	{ DOCTOR_QUEUE, EVERYWHERE, BIT(CUPS) },
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

size_t doctor_findings(struct doctor_result *results, size_t n)
{
	struct doctor_result found[DOCTOR_STEP_COUNT];
	unsigned others[DOCTOR_STEP_COUNT] = { 0 };
	bool has[DOCTOR_STEP_COUNT] = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		const struct doctor_result *r = &results[i];

		if (r->mark == DOCTOR_PASS || is_consequence(r, results, n))
			continue;
		if (has[r->step] && strcmp(found[r->step].subject, r->subject) != 0)
			others[r->step]++;
		if (!has[r->step] || r->mark > found[r->step].mark)
			found[r->step] = *r;
		has[r->step] = true;
	}
	for (int mark = DOCTOR_FAIL; mark >= DOCTOR_WARN; mark--)
		for (size_t i = 0; i < DOCTOR_STEP_COUNT; i++)
			if (has[i] && (int)found[i].mark == mark) {
				results[count] = found[i];
				add_others(&results[count++], others[i]);
			}
	return count;
}
