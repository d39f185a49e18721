/* ipp_scan.c - the framing of RFC 8010 3, byte by byte.
 *
 * header(8) then fields: a delimiter tag, or value-tag name-length name value-length value. What
 * libcups 2.4 reads wrongly or not at all is refused here (members without a name or a value, ends
 * of collections that never began, lengths that do not fit the syntax, further values of another
 * kind, extension tags), so that a hostile answer ends in this file. */
#include "connector/base/ipp_codec.h"

#include "common/err.h"

enum scan_step {
	SCAN_HEADER, /* zero: where a zeroed struct starts */
	SCAN_TAG,
	SCAN_NAME_LEN,
	SCAN_NAME,
	SCAN_VALUE_LEN,
	SCAN_LANGUAGE_LEN, /* inside textWithLanguage and nameWithLanguage */
	SCAN_LANGUAGE,
	SCAN_TEXT_LEN,
	SCAN_VALUE,
	SCAN_ENDED,
};

#define NAME_MAX_LEN  255
#define VALUE_MAX_LEN 0x7fff
#define VERSION_MAJOR 2

static int refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_REJECTED, 0, "not a valid IPP message: %s", why);
}

static unsigned word(const struct ipp_scan *s)
{
	return (unsigned)s->head[0] << 8 | s->head[1];
}

static bool is_out_of_band(unsigned tag)
{
	return tag < 0x20;
}

static bool is_string(unsigned tag)
{
	return tag == IPP_TAG_TEXTLANG || tag == IPP_TAG_NAMELANG ||
	       (tag >= IPP_TAG_TEXT && tag <= IPP_TAG_MIMETYPE && tag != IPP_TAG_MEMBERNAME);
}

static bool is_number(unsigned tag)
{
	return tag == IPP_TAG_INTEGER || tag == IPP_TAG_RANGE;
}

/* Whether a 1setOf may hold both: real ones mix keyword and name, integer and rangeOfInteger. */
static bool can_follow(unsigned kind, unsigned tag)
{
	return kind && (kind == tag || (is_string(kind) && is_string(tag)) ||
	                (is_number(kind) && is_number(tag)));
}

static int scan_header(struct ipp_scan *s, struct err *err)
{
	if (s->head[0] < 1 || s->head[0] > VERSION_MAJOR)
		return refuse(err, "unknown version");
	s->step = SCAN_TAG;
	return 0;
}

static int scan_tag(struct ipp_scan *s, struct err *err)
{
	s->tag = s->head[0];
	if (s->tag >= 0x10) {
		if (s->tag >= IPP_TAG_EXTENSION)
			return refuse(err, "extension tag");
		if (!s->in_group)
			return refuse(err, "attribute outside any group");
		if (++s->fields > IPP_FIELDS_MAX)
			return refuse(err, "too many values");
		s->step = SCAN_NAME_LEN;
		return 0;
	}
	if (s->depth)
		return refuse(err, "group inside a collection");
	if (s->tag == IPP_TAG_ZERO)
		return refuse(err, "reserved tag");
	s->kind = 0;
	s->in_group = true;
	s->step = s->tag == IPP_TAG_END ? SCAN_ENDED : SCAN_TAG;
	return 0;
}

/* In a collection all names are empty; the member's name is a value of its own. */
static int scan_member_tag(struct ipp_scan *s, struct err *err)
{
	if (s->tag == IPP_TAG_MEMBERNAME || s->tag == IPP_TAG_END_COLLECTION) {
		if (s->awaits)
			return refuse(err, "member without a value");
		return 0;
	}
	if (s->awaits)
		s->kind = s->tag;
	else if (!s->kind)
		return refuse(err, "member without a name");
	else if (!can_follow(s->kind, s->tag))
		return refuse(err, "values of different kinds");
	s->awaits = false;
	return 0;
}

static int scan_name_len(struct ipp_scan *s, struct err *err)
{
	unsigned len = word(s);

	if (len > NAME_MAX_LEN)
		return refuse(err, "name too long");
	s->need = len;
	s->step = SCAN_NAME;
	if (s->depth) {
		if (len)
			return refuse(err, "named attribute inside a collection");
		return scan_member_tag(s, err);
	}
	if (s->tag == IPP_TAG_MEMBERNAME || s->tag == IPP_TAG_END_COLLECTION)
		return refuse(err, "collection tag outside a collection");
	if (len)
		s->kind = s->tag;
	else if (!s->kind)
		return refuse(err, "attribute without a name");
	else if (!can_follow(s->kind, s->tag))
		return refuse(err, "values of different kinds");
	return 0;
}

/* The length that a syntax prescribes (RFC 8010 3.9), -1: any. */
static int fixed_length(unsigned tag)
{
	switch (tag) {
	case IPP_TAG_BOOLEAN:
		return 1;
	case IPP_TAG_INTEGER:
	case IPP_TAG_ENUM:
		return 4;
	case IPP_TAG_RANGE:
		return 8;
	case IPP_TAG_RESOLUTION:
		return 9;
	case IPP_TAG_DATE:
		return 11;
	case IPP_TAG_BEGIN_COLLECTION:
	case IPP_TAG_END_COLLECTION:
		return 0;
	default: /* a number from outside, not an enum of ours */
		return -1;
	}
}

static int scan_collection(struct ipp_scan *s, struct err *err)
{
	if (s->tag == IPP_TAG_BEGIN_COLLECTION) {
		if (++s->depth > IPP_DEPTH_MAX)
			return refuse(err, "collections too deep");
		s->kind = 0;
	} else {
		s->depth--;
		s->kind = IPP_TAG_BEGIN_COLLECTION;
	}
	s->step = SCAN_TAG;
	return 0;
}

static int scan_value_len(struct ipp_scan *s, struct err *err)
{
	unsigned len = word(s);
	int fixed = fixed_length(s->tag);

	if (len > VALUE_MAX_LEN)
		return refuse(err, "value too long");
	if (fixed >= 0 && len != (unsigned)fixed)
		return refuse(err, "value length does not fit its syntax");
	s->need = len;
	s->step = SCAN_VALUE;
	if (s->tag == IPP_TAG_BEGIN_COLLECTION || s->tag == IPP_TAG_END_COLLECTION)
		return scan_collection(s, err);
	if (s->tag == IPP_TAG_MEMBERNAME) {
		if (len < 1 || len > NAME_MAX_LEN)
			return refuse(err, "member name too long or empty");
		s->awaits = true;
		s->kind = 0;
	} else if (s->tag == IPP_TAG_TEXTLANG || s->tag == IPP_TAG_NAMELANG) {
		if (len < 4)
			return refuse(err, "text with language too short");
		s->step = SCAN_LANGUAGE_LEN;
	} else if (is_out_of_band(s->tag) && len && s->kind != s->tag) {
		return refuse(err, "out-of-band value in a set");
	}
	return 0;
}

/* need: what is left of the value, the two lengths included. */
static int scan_language_len(struct ipp_scan *s, struct err *err)
{
	unsigned len = word(s);

	if (len > s->need - 4)
		return refuse(err, "language longer than its value");
	s->need -= 4 + len;
	s->head[2] = (unsigned char)(len >> 8);
	s->head[3] = (unsigned char)len;
	s->step = SCAN_LANGUAGE;
	return 0;
}

static int scan_text_len(struct ipp_scan *s, struct err *err)
{
	if (word(s) != s->need)
		return refuse(err, "text longer or shorter than its value");
	s->step = SCAN_VALUE;
	return 0;
}

/* How many bytes the step looks at together; 0: it skips. */
static unsigned step_bytes(const struct ipp_scan *s)
{
	switch ((enum scan_step)s->step) {
	case SCAN_HEADER:
		return 8;
	case SCAN_TAG:
		return 1;
	case SCAN_NAME_LEN:
	case SCAN_VALUE_LEN:
	case SCAN_LANGUAGE_LEN:
	case SCAN_TEXT_LEN:
		return 2;
	case SCAN_NAME:
	case SCAN_LANGUAGE:
	case SCAN_VALUE:
	case SCAN_ENDED:
		break;
	}
	return 0;
}

static int scan_act(struct ipp_scan *s, struct err *err)
{
	s->have = 0;
	switch ((enum scan_step)s->step) {
	case SCAN_HEADER:
		return scan_header(s, err);
	case SCAN_TAG:
		return scan_tag(s, err);
	case SCAN_NAME_LEN:
		return scan_name_len(s, err);
	case SCAN_VALUE_LEN:
		return scan_value_len(s, err);
	case SCAN_LANGUAGE_LEN:
		return scan_language_len(s, err);
	case SCAN_TEXT_LEN:
		return scan_text_len(s, err);
	case SCAN_NAME:
	case SCAN_LANGUAGE:
	case SCAN_VALUE:
	case SCAN_ENDED:
		break;
	}
	return 0;
}

/* How long the part that is skipped is, and what comes behind it. */
static size_t skip_bytes(const struct ipp_scan *s)
{
	return s->step == SCAN_LANGUAGE ? (size_t)s->head[2] << 8 | s->head[3] : s->need;
}

static void skip_next(struct ipp_scan *s)
{
	s->have = 0;
	if (s->step == SCAN_NAME)
		s->step = SCAN_VALUE_LEN;
	else
		s->step = s->step == SCAN_LANGUAGE ? SCAN_TEXT_LEN : SCAN_TAG;
}

int ipp_scan(struct ipp_scan *s, const void *data, size_t len, size_t *ret_used, bool *ret_ended,
             struct err *err)
{
	const unsigned char *p = data;
	size_t used = 0;

	while (s->step != SCAN_ENDED) {
		size_t want = step_bytes(s), left, n;

		if (!want) { /* names and values, which may be empty */
			left = skip_bytes(s) - s->have;
			n = len - used < left ? len - used : left;
			used += n;
			s->have += (unsigned)n;
			if (n < left)
				break;
			skip_next(s);
			continue;
		}
		if (used == len)
			break;
		s->head[s->have++] = p[used++];
		if (s->have == want && scan_act(s, err) < 0)
			return -1;
	}
	if (s->total + used > IPP_MESSAGE_MAX)
		return err_set(err, ERR_REJECTED, 0, "IPP message is longer than %u bytes",
		               IPP_MESSAGE_MAX);
	s->total += used;
	*ret_used = used;
	*ret_ended = s->step == SCAN_ENDED;
	return 0;
}
