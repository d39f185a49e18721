/* json_read.h - JSON from outside as a tree. Strict: no comments, no name twice in an object. */
#ifndef TESTS_EMULATOR_JSON_READ_H
#define TESTS_EMULATOR_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	char *key; /* in an object */
	char *text;
	double number;
	bool boolean;
	struct json *first, *next;
};

struct json *json_read(const char *text, size_t len); /* NULL: not JSON */
void json_free(struct json *v);                       /* NULL is fine */
void json_free_at(struct json **v);                   /* for the cleanup attribute */
const struct json *json_find(const struct json *object, const char *key);
const char *json_find_string(const struct json *object, const char *key); /* NULL: none */
double json_find_number(const struct json *object, const char *key, double absent);

#endif
