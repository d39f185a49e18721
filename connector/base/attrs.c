#include "connector/base/attrs.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/util.h"
#include "connector/base/crypto.h"
#include "connector/base/ipp_codec.h"

#define HEADER_LEN 8 /* version, status and request id: not part of the set */

#define ATTRS_HASH 32 /* bytes: SHA-256 over the encoded attributes */

struct attrs {
	unsigned refs;
	ipp_t *ipp; /* owned */
	uint8_t hash[ATTRS_HASH];
};

/* A set too large to be encoded equals no other, so that it counts as changed, never as the same.
 */
static void hash_ipp(ipp_t *ipp, uint8_t hash[ATTRS_HASH])
{
	struct buf bytes;
	struct err err;

	buf_init(&bytes, IPP_MESSAGE_MAX);
	if (ipp_encode(ipp, &bytes, &err) == 0)
		crypto_sha256(bytes.data + HEADER_LEN, bytes.len - HEADER_LEN, hash);
	else
		crypto_random(hash, ATTRS_HASH);
	buf_clear(&bytes);
}

struct attrs *attrs_new(struct _ipp_s *ipp)
{
	struct attrs *a = xcalloc(1, sizeof(*a));

	a->refs = 1;
	a->ipp = ipp;
	hash_ipp(ipp, a->hash);
	return a;
}

struct attrs *attrs_stopped(const struct attrs *state, const char *reason, const char *message)
{
	ipp_attribute_t *attr = state ? ippFirstAttribute(state->ipp) : NULL;
	ipp_t *out = ippNew();

	for (; attr; attr = ippNextAttribute(state->ipp))
		if (ippGetName(attr) && strncmp(ippGetName(attr), "printer-state", 13) != 0)
			(void)ippCopyAttribute(out, attr, 0);
	(void)ippAddInteger(out, IPP_TAG_PRINTER, IPP_TAG_ENUM, "printer-state",
	                    IPP_PSTATE_STOPPED);
	(void)ippAddString(out, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "printer-state-reasons", NULL,
	                   reason);
	(void)ippAddString(out, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-state-message", NULL,
	                   message);
	return attrs_new(out);
}

struct attrs *attrs_ref(struct attrs *a)
{
	a->refs++;
	return a;
}

void attrs_unref(struct attrs *a)
{
	if (!a || --a->refs)
		return;
	ippDelete(a->ipp);
	free(a);
}

struct _ipp_s *attrs_ipp(const struct attrs *a)
{
	return a->ipp;
}

bool attrs_equal(const struct attrs *a, const struct attrs *b)
{
	if (!a || !b)
		return a == b;
	return memcmp(a->hash, b->hash, ATTRS_HASH) == 0;
}

int attrs_encode(const struct attrs *a, struct buf *out, struct err *err)
{
	return ipp_encode(a->ipp, out, err);
}

int attrs_decode(const void *data, size_t len, struct attrs **ret, struct err *err)
{
	ipp_t *ipp;

	if (len > IPP_MESSAGE_MAX)
		return err_set(err, ERR_CORRUPT, 0, "stored attributes: longer than %u bytes",
		               IPP_MESSAGE_MAX);
	if (ipp_decode(data, len, &ipp, err) < 0) {
		err->kind = ERR_CORRUPT; /* the bytes are our own */
		return err_wrap(err, "stored attributes");
	}
	*ret = attrs_new(ipp);
	return 0;
}
