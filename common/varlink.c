#include "common/varlink.h"

#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/str.h"
#include "common/util.h"

/* Bytes that may come along behind a message that is just within the limit. */
#define SLACK (64 * 1024)
/* Most messages are printed without the text ever moving: a moved one leaves a copy behind. */
#define PRINT_ROOM 2048

void varlink_reader_init(struct varlink_reader *r, size_t limit)
{
	memset(r, 0, sizeof(*r));
	r->limit = limit;
	buf_init(&r->in, limit + SLACK);
}

void varlink_reader_clear(struct varlink_reader *r)
{
	buf_clear(&r->in);
	r->start = 0;
	r->scanned = 0;
}

static int too_large(const struct varlink_reader *r, struct err *err)
{
	return err_set(err, ERR_REJECTED, 0, "a message is larger than %zu bytes", r->limit);
}

/* The NUL behind the message at start, or NULL. Looks at each byte once. */
static const unsigned char *message_end(struct varlink_reader *r)
{
	const unsigned char *end = NULL;

	if (r->in.len > r->scanned)
		end = memchr(r->in.data + r->scanned, '\0', r->in.len - r->scanned);
	r->scanned = end ? (size_t)(end - r->in.data) : r->in.len;
	return end;
}

int varlink_reader_feed(struct varlink_reader *r, const void *data, size_t len, struct err *err)
{
	if (r->start) {
		buf_consume(&r->in, r->start);
		r->scanned -= r->start;
		r->start = 0;
	}
	if (buf_append(&r->in, data, len) < 0)
		return too_large(r, err);
	(void)message_end(r);
	return r->scanned > r->limit ? too_large(r, err) : 0;
}

bool varlink_reader_is_cut(const struct varlink_reader *r)
{
	return r->in.len > r->start;
}

/* Before the parser sees it: its own limit of depth is 1000. */
static bool is_flat(const char *json, size_t len)
{
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (quoted) {
			if (json[i] == '\\')
				i++;
			else if (json[i] == '"')
				quoted = false;
		} else if (json[i] == '"') {
			quoted = true;
		} else if (json[i] == '{' || json[i] == '[') {
			if (++depth > VARLINK_DEPTH_MAX)
				return false;
		} else if ((json[i] == '}' || json[i] == ']') && depth) {
			depth--;
		}
	}
	return true;
}

static int json_decode(const char *json, size_t len, cJSON **ret, struct err *err)
{
	const char *end = NULL;
	cJSON *root;

	if (!str_is_utf8(json))
		return err_set(err, ERR_REJECTED, 0, "a message is not UTF-8");
	if (!is_flat(json, len))
		return err_set(err, ERR_REJECTED, 0, "a message is nested deeper than %d",
		               VARLINK_DEPTH_MAX);
	root = cJSON_ParseWithLengthOpts(json, len, &end, false);
	if (!root)
		return err_set(err, ERR_REJECTED, 0, "a message is not JSON");
	if (!cJSON_IsObject(root) || end[strspn(end, " \t\r\n")]) {
		cJSON_Delete(root);
		return err_set(err, ERR_REJECTED, 0, "a message is not one JSON object");
	}
	*ret = root;
	return 0;
}

int varlink_reader_next(struct varlink_reader *r, cJSON **ret, struct err *err)
{
	const unsigned char *end = message_end(r);
	const char *json;
	size_t len;

	if (!end)
		return r->in.len - r->start > r->limit ? too_large(r, err) : 0;
	json = (const char *)r->in.data + r->start;
	len = (size_t)(end - r->in.data) - r->start;
	r->start += len + 1;
	r->scanned = r->start;
	if (len > r->limit)
		return too_large(r, err);
	return json_decode(json, len, ret, err) < 0 ? -1 : 1;
}

/* ---- decode -----------------------------------------------------------------------------------
 */

static const cJSON *member(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsNull(item) ? NULL : item;
}

static int flag_decode(const cJSON *message, const char *name, bool *ret, struct err *err)
{
	return varlink_bool(message, name, false, ret, err);
}

/* An object, empty when there is none. */
static int parameters_decode(cJSON *message, cJSON **ret, struct err *err)
{
	cJSON *item = cJSON_GetObjectItemCaseSensitive(message, "parameters");

	if (item && !cJSON_IsNull(item) && !cJSON_IsObject(item))
		return err_set(err, ERR_REJECTED, 0, "parameters: must be an object");
	if (!item || cJSON_IsNull(item)) {
		item = cJSON_CreateObject();
		/* behind an existing null of the same name: never looked up, only owned */
		if (!item || !cJSON_AddItemToObject(message, "parameters", item)) {
			cJSON_Delete(item);
			return err_set(err, ERR_TEMPORARY, 0, "out of memory");
		}
	}
	*ret = item;
	return 0;
}

/* "interface.Method", both of the characters Varlink allows. */
static int method_decode(const char *text, struct varlink_call *call, struct err *err)
{
	const char *dot = strrchr(text, '.');
	size_t len = dot ? (size_t)(dot - text) : 0;

	if (!len || strlen(text) >= VARLINK_METHOD_SIZE || dot[1] < 'A' || dot[1] > 'Z' ||
	    text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")])
		return err_set(err, ERR_REJECTED, 0, "method: is not the name of a method");
	memcpy(call->interface, text, len);
	call->interface[len] = '\0';
	(void)str_copy(call->method, sizeof(call->method), dot + 1);
	return 0;
}

int varlink_call_decode(cJSON *message, struct varlink_call *ret, struct err *err)
{
	struct varlink_call call = { .root = message };
	const char *method = NULL;
	cJSON *parameters;

	if (varlink_text(message, "method", &method, err) < 0)
		goto fail;
	if (!method) {
		(void)err_set(err, ERR_REJECTED, 0, "method: is missing");
		goto fail;
	}
	if (method_decode(method, &call, err) < 0 ||
	    parameters_decode(message, &parameters, err) < 0 ||
	    flag_decode(message, "more", &call.more, err) < 0 ||
	    flag_decode(message, "oneway", &call.oneway, err) < 0)
		goto fail;
	call.parameters = parameters;
	*ret = call;
	return 0;
fail:
	cJSON_Delete(message);
	return -1;
}

void varlink_call_clear(struct varlink_call *call)
{
	cJSON_Delete(call->root);
	memset(call, 0, sizeof(*call));
}

int varlink_reply_decode(cJSON *message, struct varlink_reply *ret, struct err *err)
{
	struct varlink_reply reply = { .root = message };

	if (varlink_text(message, "error", &reply.error, err) < 0 ||
	    parameters_decode(message, &reply.parameters, err) < 0 ||
	    flag_decode(message, "continues", &reply.continues, err) < 0) {
		cJSON_Delete(message);
		return -1;
	}
	*ret = reply;
	return 0;
}

cJSON *varlink_reply_take(struct varlink_reply *reply)
{
	return cJSON_DetachItemViaPointer(reply->root, TAKE(reply->parameters));
}

void varlink_reply_clear(struct varlink_reply *reply)
{
	cJSON_Delete(reply->root);
	memset(reply, 0, sizeof(*reply));
}

/* ---- encode -----------------------------------------------------------------------------------
 */

/* {word: name, "parameters": parameters, flag: true}; word and flag may be NULL. */
static int encode(struct buf *out, const char *word, const char *name, cJSON *parameters,
                  const char *flag, struct err *err)
{
	cJSON *root = cJSON_CreateObject();
	char *text = NULL;
	bool made = root != NULL;
	int rc = -1;

	if (made && word)
		made = cJSON_AddStringToObject(root, word, name) != NULL;
	if (!parameters)
		parameters = cJSON_CreateObject();
	if (made && cJSON_AddItemToObject(root, "parameters", parameters))
		parameters = NULL; /* root's now */
	else
		made = false;
	if (made && flag)
		made = cJSON_AddBoolToObject(root, flag, true) != NULL;
	if (made)
		text = cJSON_PrintBuffered(root, PRINT_ROOM, false);
	if (text)
		rc = buf_append(out, text, strlen(text) + 1);
	wipe_str(&text); /* what it says may be for one pair of eyes */
	cJSON_Delete(parameters);
	cJSON_Delete(root);
	if (rc < 0)
		return err_set(err, ERR_TEMPORARY, 0, "no room for a message");
	return 0;
}

int varlink_call_encode(struct buf *out, const char *method, cJSON *parameters, bool more,
                        struct err *err)
{
	return encode(out, "method", method, parameters, more ? "more" : NULL, err);
}

int varlink_reply_encode(struct buf *out, cJSON *parameters, bool continues, struct err *err)
{
	return encode(out, NULL, NULL, parameters, continues ? "continues" : NULL, err);
}

int varlink_error_encode(struct buf *out, const char *error, cJSON *parameters, struct err *err)
{
	return encode(out, "error", error, parameters, NULL, err);
}

/* ---- parameters -------------------------------------------------------------------------------
 */

int varlink_text(const cJSON *parameters, const char *name, const char **ret, struct err *err)
{
	const cJSON *item = member(parameters, name);

	if (item && !cJSON_IsString(item))
		return err_set(err, ERR_REJECTED, 0, "%s: must be text", name);
	*ret = item ? item->valuestring : NULL;
	return 0;
}

#define WHOLE_MAX 9007199254740992.0 /* 2^53: above it a double skips numbers */

int varlink_int(const cJSON *parameters, const char *name, int64_t fallback, int64_t *ret,
                struct err *err)
{
	const cJSON *item = member(parameters, name);
	double value;

	if (!item) {
		*ret = fallback;
		return 0;
	}
	value = item->valuedouble;
	if (!cJSON_IsNumber(item) || !(value >= -WHOLE_MAX && value <= WHOLE_MAX) ||
	    (double)(int64_t)value != value)
		return err_set(err, ERR_REJECTED, 0, "%s: must be a whole number", name);
	*ret = (int64_t)value;
	return 0;
}

int varlink_bool(const cJSON *parameters, const char *name, bool fallback, bool *ret,
                 struct err *err)
{
	const cJSON *item = member(parameters, name);

	if (item && !cJSON_IsBool(item))
		return err_set(err, ERR_REJECTED, 0, "%s: must be true or false", name);
	*ret = item ? cJSON_IsTrue(item) : fallback;
	return 0;
}

const char *varlink_unknown(const cJSON *parameters, const char *const *known)
{
	const cJSON *item;
	size_t i;

	cJSON_ArrayForEach(item, parameters)
	{
		for (i = 0; known[i] && strcmp(known[i], item->string) != 0; i++)
			;
		if (!known[i])
			return item->string;
	}
	return NULL;
}
