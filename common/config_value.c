#include "common/config_value.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/config.h"
#include "common/config_table.h"
#include "common/fs.h"
#include "common/str.h"
#include "common/uri.h"
#include "common/util.h"

#define LIST_MAX 64 /* members of a list */

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

static void add(struct buf *out, const char *text)
{
	(void)buf_append(out, text, strlen(text));
}

/* ---- texts ------------------------------------------------------------------------------------
 */

static bool fits(const struct config_item *item, const char *text)
{
	return !item->max || strlen(text) <= (size_t)strtoul(item->max, NULL, 10);
}

static int text_set(const char *text, void *field)
{
	char **p = field;

	free(*p);
	*p = xstrdup(text);
	return 0;
}

static int text_parse(const struct config_item *item, const char *text, void *field)
{
	char shown[512];

	str_clean(text, shown, sizeof(shown));
	if (!fits(item, text) || strcmp(shown, text) != 0)
		return -1;
	return text_set(text, field);
}

static void text_format(const struct config_item *item, const void *field, struct buf *out)
{
	(void)item;
	add(out, *(char *const *)field);
}

static void text_clear(void *field)
{
	free(*(char **)field);
}

static void text_allowed(const struct config_item *item, struct buf *out)
{
	(void)buf_printf(out, "text of at most %s bytes", item->max);
}

const struct config_kind config_text = { text_parse, text_format, text_clear, text_allowed };

static int path_parse(const struct config_item *item, const char *text, void *field)
{
	if (*text && (*text != '/' || !fits(item, text)))
		return -1;
	return text_set(text, field);
}

static void path_allowed(const struct config_item *item, struct buf *out)
{
	(void)buf_printf(out, "an absolute path of at most %s bytes", item->max);
}

const struct config_kind config_path = { path_parse, text_format, text_clear, path_allowed };

static int secret_parse(const struct config_item *item, const char *text, void *field)
{
	if (*text && (!fs_is_secret_path(text) || !fits(item, text)))
		return -1;
	return text_set(text, field);
}

static void secret_allowed(const struct config_item *item, struct buf *out)
{
	(void)buf_printf(out, "an absolute path of at most %s bytes, or credential:NAME",
	                 item->max);
}

const struct config_kind config_secret = { secret_parse, text_format, text_clear, secret_allowed };

/* schemes ends with NULL. */
static int uri_check(const char *text, const char *const *schemes, struct uri *ret)
{
	if (uri_parse(text, ret) < 0 || ret->userinfo)
		return -1;
	for (; *schemes; schemes++)
		if (strcmp(ret->scheme, *schemes) == 0)
			return 0;
	return -1;
}

static int uri_value_parse(const struct config_item *item, const char *text, void *field)
{
	static const char *const schemes[] = { "ipps", "ipp", "https", "http", NULL };
	struct uri uri;

	(void)item;
	if (*text && uri_check(text, schemes, &uri) < 0)
		return -1;
	return text_set(text, field);
}

static void uri_allowed(const struct config_item *item, struct buf *out)
{
	(void)item;
	add(out, "like ipps://HOST/PATH, without a user name in it (see username and "
	         "password-file)");
}

const struct config_kind config_uri = { uri_value_parse, text_format, text_clear, uri_allowed };

/* A base, to which a path is appended. */
static int url_parse(const struct config_item *item, const char *text, void *field)
{
	static const char *const schemes[] = { "https", "http", NULL };
	AUTO(free_str) char *base = xstrdup(text);
	size_t len = strlen(base);
	struct uri uri;

	(void)item;
	while (len && base[len - 1] == '/')
		base[--len] = '\0';
	if (*text && (len > 255 || strpbrk(base, "?#") || uri_check(base, schemes, &uri) < 0))
		return -1;
	return text_set(base, field);
}

static void url_allowed(const struct config_item *item, struct buf *out)
{
	(void)item;
	add(out, "like https://HOST or https://HOST:PORT/PATH, of at most 255 bytes");
}

const struct config_kind config_url = { url_parse, text_format, text_clear, url_allowed };

static int id_parse(const struct config_item *item, const char *text, void *field)
{
	if (!fits(item, text) || text[strspn(text, NAME_CHARS)])
		return -1;
	return text_set(text, field);
}

static void id_allowed(const struct config_item *item, struct buf *out)
{
	(void)buf_printf(out, "at most %s letters, digits, . _ or -", item->max);
}

const struct config_kind config_id = { id_parse, text_format, text_clear, id_allowed };

static int proxy_parse(const struct config_item *item, const char *text, void *field)
{
	static const char *const schemes[] = { "http", "https", "socks5h", NULL };
	struct uri uri;

	(void)item;
	if (*text && strcmp(text, "none") != 0 &&
	    (uri_check(text, schemes, &uri) < 0 || (*uri.path && uri.path[1])))
		return -1;
	return text_set(text, field);
}

static void proxy_allowed(const struct config_item *item, struct buf *out)
{
	(void)item;
	add(out, "none, or like http://HOST:PORT (http, https or socks5h, without a user name)");
}

const struct config_kind config_proxy = { proxy_parse, text_format, text_clear, proxy_allowed };

/* The longest path that fits a socket's address. */
#define SOCKET_PATH_MAX 107

static int server_parse(const struct config_item *item, const char *text, void *field)
{
	AUTO(free_str) char *as_uri = xasprintf("ipp://%s", text);
	struct uri uri;

	(void)item;
	if (*text == '/') {
		if (strlen(text) > SOCKET_PATH_MAX)
			return -1;
	} else if (uri_parse(as_uri, &uri) < 0 || uri.userinfo || !uri.port || *uri.path) {
		return -1;
	}
	return text_set(text, field);
}

static void server_allowed(const struct config_item *item, struct buf *out)
{
	(void)item;
	(void)buf_printf(out, "the path of a socket (at most %d bytes) or HOST:PORT",
	                 SOCKET_PATH_MAX);
}

const struct config_kind config_server = { server_parse, text_format, text_clear, server_allowed };

static int group_parse(const struct config_item *item, const char *text, void *field)
{
	if (*text == '-' || !fits(item, text) || text[strspn(text, NAME_CHARS)])
		return -1;
	return text_set(text, field);
}

static void group_allowed(const struct config_item *item, struct buf *out)
{
	(void)item;
	add(out, "the name or number of a group");
}

const struct config_kind config_group = { group_parse, text_format, text_clear, group_allowed };

/* ---- numbers ----------------------------------------------------------------------------------
 */

typedef int number_reader(const char *text, int64_t *ret);

static int number_read(const char *text, int64_t *ret)
{
	return str_number_parse(text, INT64_MIN, INT64_MAX, ret);
}

static int within(const struct config_item *item, number_reader *reader, const char *text,
                  void *field)
{
	int64_t n, min = 0, max = 0;

	if (reader(item->min, &min) < 0 || reader(item->max, &max) < 0)
		abort(); /* the table is wrong */
	if (reader(text, &n) < 0 || n < min || n > max)
		return -1;
	*(int64_t *)field = n;
	return 0;
}

static int number_parse(const struct config_item *item, const char *text, void *field)
{
	return within(item, number_read, text, field);
}

static void number_format(const struct config_item *item, const void *field, struct buf *out)
{
	(void)item;
	(void)buf_printf(out, "%lld", (long long)*(const int64_t *)field);
}

static void number_allowed(const struct config_item *item, struct buf *out)
{
	(void)buf_printf(out, "a number from %s to %s", item->min, item->max);
}

const struct config_kind config_number = { number_parse, number_format, NULL, number_allowed };

static int duration_parse(const struct config_item *item, const char *text, void *field)
{
	return within(item, str_duration_parse, text, field);
}

static void duration_format(const struct config_item *item, const void *field, struct buf *out)
{
	char text[STR_DURATION_SIZE];

	(void)item;
	str_duration_format(*(const int64_t *)field, text);
	add(out, text);
}

static void duration_allowed(const struct config_item *item, struct buf *out)
{
	(void)buf_printf(out, "a time from %s to %s, with its unit: ms, s, min, h, d, w or y",
	                 item->min, item->max);
}

const struct config_kind config_duration = { duration_parse, duration_format, NULL,
	                                     duration_allowed };

static int size_parse(const struct config_item *item, const char *text, void *field)
{
	return within(item, str_size_parse, text, field);
}

static void size_format(const struct config_item *item, const void *field, struct buf *out)
{
	char text[STR_SIZE_SIZE];

	(void)item;
	str_size_format(*(const int64_t *)field, text);
	add(out, text);
}

static void size_allowed(const struct config_item *item, struct buf *out)
{
	(void)buf_printf(out, "a size from %s to %s: bytes, or with K, M, G or T", item->min,
	                 item->max);
}

const struct config_kind config_size = { size_parse, size_format, NULL, size_allowed };

/* ---- words ------------------------------------------------------------------------------------
 */

static_assert(sizeof(enum config_unknown) == sizeof(int), "enums are stored as int");

static int word_parse(const struct config_item *item, const char *text, void *field)
{
	for (const struct config_choice *c = item->choices; c->word; c++) {
		if (strcmp(text, c->word) == 0) {
			memcpy(field, &c->value, sizeof(c->value));
			return 0;
		}
	}
	return -1;
}

static void word_format(const struct config_item *item, const void *field, struct buf *out)
{
	int value;

	memcpy(&value, field, sizeof(value));
	for (const struct config_choice *c = item->choices; c->word; c++)
		if (c->value == value)
			add(out, c->word);
}

static void word_allowed(const struct config_item *item, struct buf *out)
{
	for (const struct config_choice *c = item->choices; c->word; c++) {
		if (c != item->choices)
			add(out, c[1].word ? ", " : " or ");
		add(out, c->word);
	}
}

const struct config_kind config_word = { word_parse, word_format, NULL, word_allowed };

static int user_parse(const struct config_item *item, const char *text, void *field)
{
	struct config_user *user = field;
	const char *fixed = "";
	enum config_user_how how;
	char shown[512];

	if (strcmp(text, "upn") == 0) {
		how = CONFIG_USER_UPN;
	} else if (strcmp(text, "local-part") == 0) {
		how = CONFIG_USER_LOCAL_PART;
	} else if (strncmp(text, "fixed:", 6) == 0) {
		how = CONFIG_USER_FIXED;
		fixed = text + 6;
		str_clean(fixed, shown, sizeof(shown));
		if (!*fixed || !fits(item, fixed) || strcmp(shown, fixed) != 0)
			return -1;
	} else {
		return -1;
	}
	user->how = how;
	return text_set(fixed, &user->fixed);
}

static void user_format(const struct config_item *item, const void *field, struct buf *out)
{
	const struct config_user *user = field;

	(void)item;
	switch (user->how) {
	case CONFIG_USER_UPN:
		add(out, "upn");
		break;
	case CONFIG_USER_LOCAL_PART:
		add(out, "local-part");
		break;
	case CONFIG_USER_FIXED:
		(void)buf_printf(out, "fixed:%s", user->fixed);
		break;
	}
}

static void user_clear(void *field)
{
	free(((struct config_user *)field)->fixed);
}

static void user_allowed(const struct config_item *item, struct buf *out)
{
	(void)buf_printf(out, "upn, local-part or fixed:NAME (at most %s bytes)", item->max);
}

const struct config_kind config_user_name = { user_parse, user_format, user_clear, user_allowed };

/* ---- lists ------------------------------------------------------------------------------------
 */

static void list_clear(void *field)
{
	struct config_list *list = field;

	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct config_list){ 0 };
}

static int list_parse(const char *text, bool (*is_right)(const char *item), void *field)
{
	static const char between[] = ", \t";
	struct config_list list = { 0 };
	size_t len;

	for (text += strspn(text, between); *text; text += strspn(text, between)) {
		len = strcspn(text, between);
		if (list.n == LIST_MAX)
			goto wrong;
		list.items = xrealloc(list.items, (list.n + 1) * sizeof(*list.items));
		list.items[list.n++] = xstrndup(text, len);
		if (!is_right(list.items[list.n - 1]))
			goto wrong;
		text += len;
	}
	list_clear(field);
	*(struct config_list *)field = list;
	return 0;
wrong:
	list_clear(&list);
	return -1;
}

static void list_format(const struct config_item *item, const void *field, struct buf *out)
{
	const struct config_list *list = field;

	(void)item;
	for (size_t i = 0; i < list->n; i++)
		(void)buf_printf(out, "%s%s", i ? ", " : "", list->items[i]);
}

static bool is_glob(const char *text)
{
	return strlen(text) <= URI_MAX;
}

static int globs_parse(const struct config_item *item, const char *text, void *field)
{
	(void)item;
	return list_parse(text, is_glob, field);
}

static void globs_allowed(const struct config_item *item, struct buf *out)
{
	(void)item;
	(void)buf_printf(out, "at most %d queue names with * and ?, separated by commas", LIST_MAX);
}

const struct config_kind config_globs = { globs_parse, list_format, list_clear, globs_allowed };

static bool is_format(const char *text)
{
	static const char chars[] = NAME_CHARS "+";
	size_t type = strspn(text, chars);

	return type && text[type] == '/' && text[type + 1] && strlen(text) < 256 &&
	       !text[type + 1 + strspn(text + type + 1, chars)];
}

static int formats_parse(const struct config_item *item, const char *text, void *field)
{
	(void)item;
	return list_parse(text, is_format, field);
}

static void formats_allowed(const struct config_item *item, struct buf *out)
{
	(void)item;
	(void)buf_printf(out,
	                 "at most %d document formats like application/pdf, separated by commas",
	                 LIST_MAX);
}

const struct config_kind config_formats = { formats_parse, list_format, list_clear,
	                                    formats_allowed };
