/* up_state.c - settings, registered printers and tokens of Universal Print. */
#include "tests/emulator/up.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "tests/emulator/base64.h"
#include "tests/emulator/buffer.h"
#include "tests/emulator/clock.h"
#include "tests/emulator/jobs.h"
#include "tests/emulator/json.h"
#include "tests/emulator/printers.h"
#include "tests/emulator/record.h"
#include "tests/emulator/uuid.h"

#define HASH_SIZE 1024

TAILQ_HEAD(token_list, up_token);

struct up_settings up;
static TAILQ_HEAD(, up_printer) printers = TAILQ_HEAD_INITIALIZER(printers);
static struct token_list tokens = TAILQ_HEAD_INITIALIZER(tokens);
static struct token_list hash[HASH_SIZE];
static int token_count;

void up_settings_init(void)
{
	size_t i;

	for (i = 0; i < HASH_SIZE; i++)
		TAILQ_INIT(&hash[i]);
#define UP_DEFAULT(name, member, value, text) up.member = value;
	UP_NUMBERS(UP_DEFAULT)
#undef UP_DEFAULT
#define UP_DEFAULT(name, member, value, text) up.member = xstrdup(value);
	UP_STRINGS(UP_DEFAULT)
#undef UP_DEFAULT
}

void up_settings_free(void)
{
#define UP_FREE(name, member, value, text) free_str(&up.member);
	UP_STRINGS(UP_FREE)
#undef UP_FREE
}

static int set_number(int64_t *field, const char *name, const char *value, char **why)
{
	char *end;
	long long n = strtoll(value, &end, 10);

	if (*value == '\0' || *end != '\0') {
		*why = xprintf("%s=%s: want a number", name, value);
		return -1;
	}
	*field = n;
	return 0;
}

int up_set(const char *name, const char *value, char **why)
{
#define UP_SET(each, member, initial, text)                                                        \
	if (strcmp(name, each) == 0)                                                               \
		return set_number(&up.member, name, value, why);
	UP_NUMBERS(UP_SET)
#undef UP_SET
#define UP_SET(each, member, initial, text)                                                        \
	if (strcmp(name, each) == 0) {                                                             \
		job_set_text(&up.member, value);                                                   \
		return 0;                                                                          \
	}
	UP_STRINGS(UP_SET)
#undef UP_SET
	*why = xprintf("%s: no such setting", name);
	return -1;
}

void up_settings_write(struct buffer *b)
{
#define UP_WRITE(name, member, value, text) json_number(b, name, up.member);
	UP_NUMBERS(UP_WRITE)
#undef UP_WRITE
#define UP_WRITE(name, member, value, text) json_string(b, name, up.member);
	UP_STRINGS(UP_WRITE)
#undef UP_WRITE
}

int64_t up_now_us(void)
{
	return clock_us() + up.clock_skew * 1000000;
}

void up_http_date(char ret[40])
{
	time_t now = (time_t)(up_now_us() / 1000000);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(ret, 40, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

struct up_printer *up_printers_first(void)
{
	return TAILQ_FIRST(&printers);
}

int up_printers_count(void)
{
	struct up_printer *p;
	int n = 0;

	TAILQ_FOREACH(p, &printers, entry)
	n += p->printer != NULL;
	return n;
}

struct up_printer *up_printer_find(const char *id)
{
	struct printer *listed = printers_find(id, strlen(id));
	struct up_printer *p;

	if (listed != NULL && listed->up != NULL)
		return listed->up;
	TAILQ_FOREACH(p, &printers, entry)
	{
		if (p->printer == NULL && strcasecmp(p->id, id) == 0)
			return p;
	}
	return NULL;
}

struct up_printer *up_printer_of_device(const char *device_id)
{
	struct up_printer *p;

	TAILQ_FOREACH(p, &printers, entry)
	{
		if (p->printer != NULL && strcmp(p->device_id, device_id) == 0)
			return p;
	}
	return NULL;
}

struct up_printer *up_printer_add(const char *device_id)
{
	struct up_printer *p = xcalloc(1, sizeof(*p));
	char uuid[46];
	char *why = NULL;

	uuid_make(uuid);
	p->id = xstrdup(uuid + strlen("urn:uuid:"));
	p->device_id = xstrdup(device_id);
	p->registered_us = clock_us();
	if (printers_add(p->id, &p->printer, &why) < 0)
		abort(); /* a random name */
	free(p->printer->path);
	p->printer->path = xprintf("/printers/%s", p->id);
	memcpy(p->printer->uuid, uuid, sizeof(uuid));
	p->printer->up = p;
	TAILQ_INSERT_TAIL(&printers, p, entry);
	return p;
}

void up_printer_delete(struct up_printer *p)
{
	if (p->printer == NULL)
		return;
	p->printer->up = NULL;
	printer_remove(p->printer);
	p->printer = NULL;
	free_str(&p->share);
}

void up_printers_write(struct buffer *b)
{
	struct up_printer *p;

	json_open(b, "printers", '[');
	TAILQ_FOREACH(p, &printers, entry)
	{
		json_open(b, NULL, '{');
		json_string(b, "id", p->id);
		json_string(b, "device_id", p->device_id);
		json_string(b, "name", p->name);
		json_string(b, "manufacturer", p->manufacturer);
		json_string(b, "model", p->model);
		json_bool(b, "deleted", p->printer == NULL);
		json_string(b, "share", p->share);
		json_string(b, "fingerprint", p->fingerprint);
		json_string(b, "certificate", p->certificate);
		json_number(b, "certificates", p->certificates);
		json_number(b, "requests", p->requests);
		json_time(b, "registered", p->registered_us);
		json_time(b, "seen", p->seen_us);
		json_close(b, '}');
	}
	json_close(b, ']');
}

void up_printers_free(void)
{
	struct up_printer *p;

	while ((p = TAILQ_FIRST(&printers)) != NULL) {
		TAILQ_REMOVE(&printers, p, entry);
		free(p->id);
		free(p->device_id);
		free(p->name);
		free(p->manufacturer);
		free(p->model);
		free(p->certificate);
		free(p->fingerprint);
		free(p->uri);
		free(p->share);
		free(p);
	}
}

static struct token_list *hash_slot(const char *text)
{
	unsigned int h = 5381;

	for (; *text != '\0'; text++)
		h = h * 33 + (unsigned char)*text;
	return &hash[h % HASH_SIZE];
}

static void token_free(struct up_token *t)
{
	TAILQ_REMOVE(&tokens, t, entry);
	TAILQ_REMOVE(hash_slot(t->text), t, hash_entry);
	free(t->text);
	free(t);
	token_count--;
}

struct up_token *up_token_make(enum up_token_kind kind, struct up_printer *p)
{
	struct up_token *t = xcalloc(1, sizeof(*t));
	int64_t life = kind == UP_TOKEN_USER ? up.user_token_life : up.token_life;

	t->kind = kind;
	t->printer = p;
	t->text = base64_random(up.token_bytes < 16 ? 16 : (size_t)up.token_bytes);
	t->made_us = clock_us();
	t->expires_us = t->made_us + life * 1000000;
	TAILQ_INSERT_TAIL(&tokens, t, entry);
	TAILQ_INSERT_TAIL(hash_slot(t->text), t, hash_entry);
	token_count++;
	record_changes++;
	return t;
}

struct up_token *up_token_find(const char *text)
{
	struct up_token *t;

	TAILQ_FOREACH(t, hash_slot(text), hash_entry)
	{
		if (strcmp(t->text, text) == 0)
			return t;
	}
	return NULL;
}

bool up_token_lives(const struct up_token *t)
{
	return !t->revoked && clock_us() < t->expires_us;
}

int up_tokens_revoke(enum up_token_kind kind, const struct up_printer *p)
{
	struct up_token *t;
	int n = 0;

	TAILQ_FOREACH(t, &tokens, entry)
	{
		if (t->kind != kind || (p != NULL && t->printer != p) || t->revoked)
			continue;
		t->revoked = true;
		n++;
	}
	return n;
}

void up_tokens_write(struct buffer *b)
{
	struct up_token *t;

	json_open(b, "tokens", '[');
	TAILQ_FOREACH(t, &tokens, entry)
	{
		json_open(b, NULL, '{');
		json_string(b, "kind", t->kind == UP_TOKEN_USER ? "user" : "printer");
		json_string(b, "printer", t->printer ? t->printer->id : NULL);
		json_string(b, "token", t->text);
		json_time(b, "made", t->made_us);
		json_time(b, "expires", t->expires_us);
		json_bool(b, "revoked", t->revoked);
		json_number(b, "uses", t->uses);
		json_close(b, '}');
	}
	json_close(b, ']');
}

void up_tokens_free(void)
{
	while (!TAILQ_EMPTY(&tokens))
		token_free(TAILQ_FIRST(&tokens));
}

const char *up_bearer(const char *header)
{
	return header != NULL && strncmp(header, "Bearer ", 7) == 0 && header[7] != '\0'
	               ? header + 7
	               : NULL;
}
