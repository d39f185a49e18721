#include "connector/base/ipp_codec.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/util.h"

/* ---- bytes ---- */

static ssize_t on_write(void *context, ipp_uchar_t *data, size_t len)
{
	return buf_append(context, data, len) < 0 ? -1 : (ssize_t)len;
}

int ipp_encode(ipp_t *msg, struct buf *out, struct err *err)
{
	size_t before = out->len;
	ipp_state_t state;

	ippSetState(msg, IPP_STATE_IDLE);
	do {
		state = ippWriteIO(out, on_write, 1, NULL, msg);
	} while (state != IPP_STATE_DATA && state != IPP_STATE_ERROR);
	if (state == IPP_STATE_DATA)
		return 0;
	out->len = before;
	if (out->data)
		out->data[before] = '\0';
	return err_set(err, ERR_REJECTED, 0,
	               "cannot encode IPP message: a value is too long, or all of it longer than "
	               "%zu bytes",
	               out->limit);
}

struct cursor {
	const unsigned char *data;
	size_t left;
};

static ssize_t on_read(void *context, ipp_uchar_t *data, size_t len)
{
	struct cursor *c = context;
	size_t n = len < c->left ? len : c->left;

	if (len && !n)
		return -1;
	memcpy(data, c->data, n);
	c->data += n;
	c->left -= n;
	return (ssize_t)n;
}

static void free_ipp(ipp_t **msg)
{
	ippDelete(*msg);
}

/* Without memory libcups goes on without the text of a value. Depth is ipp_scan()'s business. */
static bool has_all_texts(ipp_t *msg)
{
	for (ipp_attribute_t *a = ippFirstAttribute(msg); a; a = ippNextAttribute(msg)) {
		ipp_tag_t tag = ippGetValueTag(a);
		bool text = (tag >= IPP_TAG_TEXT && tag <= IPP_TAG_MIMETYPE) ||
		            tag == IPP_TAG_TEXTLANG || tag == IPP_TAG_NAMELANG;

		for (int i = 0; (text || tag == IPP_TAG_BEGIN_COLLECTION) && i < ippGetCount(a);
		     i++)
			if (text ? !ippGetString(a, i, NULL)
			         : !has_all_texts(ippGetCollection(a, i)))
				return false;
	}
	return true;
}

int ipp_decode(const void *data, size_t len, ipp_t **ret, struct err *err)
{
	struct cursor cursor = { data, len };
	struct ipp_scan scan = { 0 };
	AUTO(free_ipp) ipp_t *msg = NULL;
	ipp_state_t state;
	size_t used;
	bool ended;

	if (ipp_scan(&scan, data, len, &used, &ended, err) < 0)
		return -1;
	if (!ended)
		return err_set(err, ERR_REJECTED, 0, "IPP message ends in the middle");
	if (used != len)
		return err_set(err, ERR_REJECTED, 0, "bytes behind the end of an IPP message");
	msg = ippNew();
	do {
		state = ippReadIO(&cursor, on_read, 1, NULL, msg);
	} while (state != IPP_STATE_DATA && state != IPP_STATE_ERROR);
	if (state == IPP_STATE_ERROR || cursor.left)
		return err_set(err, ERR_REJECTED, 0, "not a valid IPP message: %s",
		               "libcups cannot read it");
	if (!has_all_texts(msg))
		return err_set(err, ERR_TEMPORARY, 0, "no memory for an IPP message");
	*ret = TAKE(msg);
	return 0;
}

/* ---- requests ---- */

static int next_request_id(void)
{
	static atomic_uint last;

	return (int)(atomic_fetch_add(&last, 1) % INT_MAX) + 1;
}

/* Without memory libcups leaves out what it is told to add: a request without its head is none. */
static void add_head(ipp_t *msg, ipp_tag_t tag, const char *name, const char *value)
{
	if (!ippAddString(msg, IPP_TAG_OPERATION, tag, name, NULL, value))
		abort();
}

ipp_t *ipp_request(ipp_op_t op, const char *target_name, const char *uri)
{
	ipp_t *msg = ippNew();

	ippSetVersion(msg, 2, 0);
	ippSetOperation(msg, op);
	ippSetRequestId(msg, next_request_id());
	add_head(msg, IPP_TAG_CHARSET, "attributes-charset", "utf-8");
	add_head(msg, IPP_TAG_LANGUAGE, "attributes-natural-language", "en");
	add_head(msg, IPP_TAG_URI, target_name, uri);
	return msg;
}

/* ---- reading ---- */

static ipp_attribute_t *find(ipp_t *msg, ipp_tag_t group, const char *name)
{
	ipp_attribute_t *a;

	if (!msg)
		return NULL;
	a = ippFindAttribute(msg, name, IPP_TAG_ZERO);
	while (a && group != IPP_TAG_ZERO && ippGetGroupTag(a) != group)
		a = ippFindNextAttribute(msg, name, IPP_TAG_ZERO);
	return a;
}

static bool is_kind(ipp_attribute_t *a, ipp_tag_t kind)
{
	return a && ippGetValueTag(a) == kind && ippGetCount(a) > 0;
}

int ipp_get_int(ipp_t *msg, ipp_tag_t group, const char *name, int fallback)
{
	ipp_attribute_t *a = find(msg, group, name);

	if (is_kind(a, IPP_TAG_INTEGER) || is_kind(a, IPP_TAG_ENUM))
		return ippGetInteger(a, 0);
	return fallback;
}

bool ipp_get_bool(ipp_t *msg, ipp_tag_t group, const char *name, bool fallback)
{
	ipp_attribute_t *a = find(msg, group, name);

	return is_kind(a, IPP_TAG_BOOLEAN) ? ippGetBoolean(a, 0) != 0 : fallback;
}

/* libcups gives NULL for values that are not strings. */
static const char *text_at(ipp_attribute_t *a, int i)
{
	return a ? ippGetString(a, i, NULL) : NULL;
}

const char *ipp_get_text(ipp_t *msg, ipp_tag_t group, const char *name, const char *fallback)
{
	const char *text = text_at(find(msg, group, name), 0);

	return text ? text : fallback;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* RFC 2579 DateAndTime. Not ippDateToTime(), which takes nonsense as it comes. */
static bool date_to_time(const ipp_uchar_t *d, time_t *ret)
{
	struct tm tm = { .tm_year = (d[0] << 8 | d[1]) - 1900,
		         .tm_mon = d[2] - 1,
		         .tm_mday = d[3],
		         .tm_hour = d[4],
		         .tm_min = d[5],
		         .tm_sec = d[6] };
	time_t offset = d[9] * 3600 + d[10] * 60;

	if (d[2] < 1 || d[2] > 12 || d[3] < 1 || d[3] > days_in_month(tm.tm_year + 1900, d[2]))
		return false;
	if (d[4] > 23 || d[5] > 59 || d[6] > 60 || d[9] > 14 || d[10] > 59)
		return false;
	if (d[8] != '+' && d[8] != '-')
		return false;
	*ret = timegm(&tm) - (d[8] == '-' ? -offset : offset);
	return true;
}

time_t ipp_get_time(ipp_t *msg, ipp_tag_t group, const char *name, time_t fallback)
{
	ipp_attribute_t *a = find(msg, group, name);
	time_t when;

	if (is_kind(a, IPP_TAG_DATE) && date_to_time(ippGetDate(a, 0), &when))
		return when;
	return fallback;
}

bool ipp_has_keyword(ipp_t *msg, ipp_tag_t group, const char *name, const char *keyword)
{
	ipp_attribute_t *a = find(msg, group, name);

	for (int i = 0, n = a ? ippGetCount(a) : 0; i < n; i++) {
		const char *text = text_at(a, i);

		if (text && strcmp(text, keyword) == 0)
			return true;
	}
	return false;
}

void ipp_join_text(ipp_t *msg, ipp_tag_t group, const char *name, char *out, size_t size)
{
	ipp_attribute_t *a = find(msg, group, name);
	size_t used = 0;

	if (!size)
		return;
	for (int i = 0, n = a ? ippGetCount(a) : 0; i < n; i++) {
		const char *text = text_at(a, i);

		if (!text)
			continue;
		if (used && used < size - 1)
			out[used++] = ',';
		for (; *text && used < size - 1; text++)
			out[used++] = *text;
		if (*text) { /* cut: not in the middle of a character */
			while (used && ((unsigned char)*text & 0xc0) == 0x80)
				text--, used--;
			break;
		}
	}
	out[used] = '\0';
}

void ipp_wipe_secrets(ipp_t *msg)
{
	static const char *const names[] = { "job-password", "document-password" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		ipp_attribute_t *attr = ippFindAttribute(msg, names[i], IPP_TAG_STRING);
		int len = 0;

		for (int k = 0; k < ippGetCount(attr); k++) {
			void *bytes = (void *)(uintptr_t)ippGetOctetString(attr, k, &len);

			if (bytes && len > 0)
				wipe(bytes, (size_t)len);
		}
	}
}
