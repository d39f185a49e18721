#include "connector/base/json_read.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <cJSON.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/str.h"
#include "common/util.h"

/* cJSON goes into each level by calling itself: what is too deep is refused before. */
static bool is_too_deep(const char *text, size_t len)
{
	bool inside = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (inside && c == '\\')
			i++;
		else if (c == '"')
			inside = !inside;
		else if (!inside && (c == '{' || c == '['))
			depth++;
		else if (!inside && (c == '}' || c == ']'))
			depth--;
		if (depth > JSON_DEPTH_MAX)
			return true;
	}
	return false;
}

int json_decode(const char *text, size_t len, cJSON **ret, struct err *err)
{
	const char *end = NULL;
	cJSON *json;

	if (len > JSON_ANSWER_MAX || is_too_deep(text, len))
		return err_set(err, ERR_TEMPORARY, 0, "the answer is too large or too deep");
	json = cJSON_ParseWithLengthOpts(text, len, &end, false);
	while (json && end < text + len && isspace((unsigned char)*end))
		end++;
	if (!json || !cJSON_IsObject(json) || end != text + len) {
		json_wipe(json);
		return err_set(err, ERR_TEMPORARY, 0, "the answer is no JSON object");
	}
	*ret = json;
	return 0;
}

static void wipe_texts(cJSON *json)
{
	cJSON *member;

	if (json->valuestring)
		wipe(json->valuestring, strlen(json->valuestring));
	cJSON_ArrayForEach(member, json)
	{
		wipe_texts(member);
	}
}

void json_wipe(cJSON *json)
{
	if (!json)
		return;
	wipe_texts(json);
	cJSON_Delete(json);
}

const char *json_text(const cJSON *object, const char *name, size_t max)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	if (!text || !*text || strnlen(text, max + 1) > max)
		return NULL;
	for (const char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c) && *c != '\n' && *c != '\r')
			return NULL;
	return text;
}

int64_t json_number(const cJSON *object, const char *name, int64_t min, int64_t max,
                    int64_t fallback)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
	int64_t number;
	double d;

	if (cJSON_IsString(member)) {
		if (str_number_parse(member->valuestring, INT64_MIN, INT64_MAX, &number) < 0)
			return fallback;
		return number < min ? min : number > max ? max : number;
	}
	d = cJSON_GetNumberValue(member);
	if (isnan(d))
		return fallback;
	return d <= (double)min ? min : d >= (double)max ? max : (int64_t)d;
}

void json_error(const cJSON *answer, char *code, size_t code_size, char *text, size_t text_size)
{
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(answer, "error");
	const cJSON *inner = cJSON_IsObject(error) ? error : answer;
	const char *keyword = json_text(answer, "error", JSON_ANSWER_MAX);
	const char *words = json_text(answer, "error_description", JSON_ANSWER_MAX);
	char line[256];

	if (!keyword)
		keyword = json_text(inner, "code", JSON_ANSWER_MAX);
	if (!words)
		words = json_text(inner, "message", JSON_ANSWER_MAX);
	str_clean(keyword ? keyword : "", code, code_size);
	(void)str_copy(line, sizeof(line), words ? words : "");
	line[strcspn(line, "\r\n")] = '\0'; /* Entra puts ids and a time behind */
	str_clean(line, text, text_size);
}

int form_add(struct buf *form, const char *name, const char *value)
{
	static const char digits[] = "0123456789ABCDEF";

	if ((form->len && buf_append(form, "&", 1) < 0) ||
	    buf_append(form, name, strlen(name)) < 0 || buf_append(form, "=", 1) < 0)
		return -1;
	for (const char *c = value; *c; c++) {
		unsigned char u = (unsigned char)*c;
		char coded[3] = { '%', digits[u >> 4], digits[u & 15] };
		bool plain = isalnum(u) || strchr("-._~", u);

		if (buf_append(form, plain ? c : coded, plain ? 1 : 3) < 0)
			return -1;
	}
	return 0;
}
