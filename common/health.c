#include "common/health.h"

#include <string.h>

#include "common/str.h"

static const char *const severities[] = {
#define X(name, text) [HEALTH_SEVERITY_##name] = text,
	HEALTH_SEVERITIES(X)
#undef X
};

static const struct {
	const char *name;
	enum health_severity severity;
	const char *text;
	const char *remedy;
} codes[] = {
#define X(id, name, severity, text, remedy)                                                        \
	[HEALTH_##id] = { name, HEALTH_SEVERITY_##severity, text, remedy },
	HEALTH_CODES(X)
#undef X
};

const char *health_severity_name(enum health_severity severity)
{
	return severities[severity];
}

const char *health_code_name(enum health_code code)
{
	return codes[code].name;
}

enum health_severity health_severity(enum health_code code)
{
	return codes[code].severity;
}

static void fill_in(const char *pattern, const char *subject, char *ret, size_t size)
{
	const char *place;
	char clean[256];
	size_t used = 0;

	str_clean(subject, clean, sizeof(clean));
	for (; used + 1 < size && (place = strstr(pattern, "{}")); pattern = place + 2) {
		size_t len = (size_t)(place - pattern);

		len = len < size - used - 1 ? len : size - used - 1;
		memcpy(ret + used, pattern, len);
		used += len;
		(void)str_copy(ret + used, size - used, clean);
		used += strlen(ret + used);
	}
	(void)str_copy(ret + used, size - used, pattern);
}

void health_text(enum health_code code, const char *subject, char *ret, size_t size)
{
	fill_in(codes[code].text, subject, ret, size);
}

void health_remedy(enum health_code code, const char *subject, char *ret, size_t size)
{
	fill_in(codes[code].remedy, subject, ret, size);
}
