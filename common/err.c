#include "common/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
#define X(name, text) [ERR_##name] = text,
	ERR_KINDS(X)
#undef X
};

int err_set(struct err *err, enum err_kind kind, int code, const char *fmt, ...)
{
	va_list ap;

	err_clear(err);
	err->kind = kind;
	err->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -1;
}

static enum err_kind kind_of_errno(int number)
{
	switch (number) {
	case EACCES:
	case EPERM:
		return ERR_DENIED;
	case ENOENT:
		return ERR_GONE;
	case ECANCELED:
		return ERR_CANCELED;
	case EINVAL:
	case ENAMETOOLONG:
	case ELOOP:
		return ERR_REJECTED;
	default:
		return ERR_TEMPORARY;
	}
}

int err_errno(struct err *err, const char *fmt, ...)
{
	int number = errno;
	va_list ap;
	size_t len;

	err_clear(err);
	err->kind = kind_of_errno(number);
	err->code = number;
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	(void)snprintf(err->text + len, sizeof(err->text) - len, ": %s", strerrordesc_np(number));
	return -1;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char inner[sizeof(err->text)];
	va_list ap;
	size_t len;

	memcpy(inner, err->text, sizeof(inner));
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	(void)snprintf(err->text + len, sizeof(err->text) - len, ": %s", inner);
	return -1;
}

void err_clear(struct err *err)
{
	memset(err, 0, sizeof(*err));
}

const char *err_kind_name(enum err_kind kind)
{
	return kind_names[kind];
}

enum err_kind err_kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof(kind_names) / sizeof(*kind_names); i++)
		if (strcmp(kind_names[i], name) == 0)
			return (enum err_kind)i;
	return ERR_NONE;
}
