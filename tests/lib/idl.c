#include "tests/lib/idl.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"

struct scan {
	const char *at;
	unsigned line;
	const char *problem; /* the first; everything fails after it */
};

static bool fail(struct scan *s, const char *problem)
{
	static char text[160];

	if (!s->problem) {
		(void)snprintf(text, sizeof(text), "line %u: %s", s->line, problem);
		s->problem = text;
	}
	return false;
}

static void skip(struct scan *s)
{
	for (; *s->at; s->at++) {
		if (*s->at == '#')
			s->at += strcspn(s->at, "\n");
		if (*s->at == '\n')
			s->line++;
		else if (*s->at != ' ' && *s->at != '\t')
			return;
	}
}

/* The next characters, with space before them. */
static bool next(struct scan *s, const char *word)
{
	skip(s);
	if (strncmp(s->at, word, strlen(word)) != 0)
		return false;
	s->at += strlen(word);
	return true;
}

static bool take(struct scan *s, size_t len, char *ret, size_t size)
{
	if (!len || len >= size)
		return fail(s, "a name is missing or too long");
	memcpy(ret, s->at, len);
	ret[len] = '\0';
	s->at += len;
	return true;
}

static size_t word_len(const char *text)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]))
		len++;
	return len;
}

/* Upper case first, then letters and digits. */
static bool member_name(struct scan *s, char *ret, size_t size)
{
	skip(s);
	if (!isupper((unsigned char)*s->at))
		return fail(s, "a name must begin with a capital");
	return take(s, word_len(s->at), ret, size);
}

/* Letters and digits, with single underscores between them. */
static bool field_name(struct scan *s, char *ret, size_t size)
{
	size_t len = 0;

	skip(s);
	if (!isalpha((unsigned char)*s->at))
		return fail(s, "a field must begin with a letter");
	while (isalnum((unsigned char)s->at[len]) ||
	       (s->at[len] == '_' && isalnum((unsigned char)s->at[len + 1])))
		len++;
	return take(s, len, ret, size);
}

static bool type_name(struct scan *s, char *ret, size_t size)
{
	size_t len = 0;

	skip(s);
	if (s->at[len] == '?')
		len++;
	while (s->at[len] == '[')
		len += strncmp(s->at + len, "[string]", 8) == 0 ? 8 : 2;
	if (len >= 2 && s->at[len - 1] != ']' && s->at[len - 1] != '?')
		return fail(s, "a list must be [] or [string]");
	if (!word_len(s->at + len))
		return fail(s, "a type is missing");
	return take(s, len + word_len(s->at + len), ret, size);
}

static bool fields(struct scan *s, struct idl_fields *ret)
{
	struct idl_field *field;

	if (!next(s, "("))
		return fail(s, "( is missing");
	if (next(s, ")"))
		return true;
	do {
		if (ret->n == ARRAY_SIZE(ret->items))
			return fail(s, "too many fields");
		field = &ret->items[ret->n];
		if (!field_name(s, field->name, sizeof(field->name)))
			return false;
		if (idl_field(ret, field->name))
			return fail(s, "a field is there twice");
		if (!next(s, ":"))
			return fail(s, ": is missing");
		if (!type_name(s, field->type, sizeof(field->type)))
			return false;
		ret->n++;
	} while (next(s, ","));
	return next(s, ")") || fail(s, ") is missing");
}

static bool member(struct scan *s, struct idl *idl)
{
	struct idl_member *m;

	if (idl->n == ARRAY_SIZE(idl->members))
		return fail(s, "too many members");
	m = &idl->members[idl->n];
	if (next(s, "type "))
		m->kind = IDL_TYPE;
	else if (next(s, "method "))
		m->kind = IDL_METHOD;
	else if (next(s, "error "))
		m->kind = IDL_ERROR;
	else
		return fail(s, "neither type, method nor error");
	if (!member_name(s, m->name, sizeof(m->name)) || !fields(s, &m->in))
		return false;
	for (size_t i = 0; i < idl->n; i++)
		if (strcmp(idl->members[i].name, m->name) == 0)
			return fail(s, "a name is there twice");
	if (m->kind == IDL_METHOD) {
		if (!next(s, "->"))
			return fail(s, "-> is missing");
		if (!fields(s, &m->out))
			return false;
	}
	idl->n++;
	return true;
}

const char *idl_parse(const char *text, struct idl *ret)
{
	struct scan s = { .at = text, .line = 1 };

	memset(ret, 0, sizeof(*ret));
	if (!next(&s, "interface "))
		(void)fail(&s, "interface is missing");
	else
		(void)take(&s,
		           strspn(s.at, "abcdefghijklmnopqrstuvwxyz"
		                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"),
		           ret->interface, sizeof(ret->interface));
	for (skip(&s); !s.problem && *s.at; skip(&s))
		(void)member(&s, ret);
	for (size_t i = 0; !s.problem && i < ret->n; i++) {
		const struct idl_fields *sides[] = { &ret->members[i].in, &ret->members[i].out };

		for (size_t side = 0; side < ARRAY_SIZE(sides); side++)
			for (size_t j = 0; j < sides[side]->n; j++)
				if (!idl_knows(ret, sides[side]->items[j].type))
					(void)fail(&s, "a type is not defined");
	}
	return s.problem;
}

const struct idl_member *idl_find(const struct idl *idl, enum idl_kind kind, const char *name)
{
	for (size_t i = 0; i < idl->n; i++)
		if (idl->members[i].kind == kind && strcmp(idl->members[i].name, name) == 0)
			return &idl->members[i];
	return NULL;
}

const struct idl_field *idl_field(const struct idl_fields *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	return NULL;
}

int idl_knows(const struct idl *idl, const char *type)
{
	static const char *const built_in[] = { "bool", "int", "float", "string", "object" };
	const char *bracket = strrchr(type, ']');

	if (bracket)
		type = bracket + 1;
	else if (*type == '?')
		type++;
	for (size_t i = 0; i < ARRAY_SIZE(built_in); i++)
		if (strcmp(type, built_in[i]) == 0)
			return 1;
	return idl_find(idl, IDL_TYPE, type) != NULL;
}
