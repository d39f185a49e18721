#include "connector/cloud/job_secret.h"

#include "common/err.h"
#include "common/str.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/crypto_vault.h"
#include "connector/base/ipp_codec.h"

static const char *const names[] = { "job-password", "job-password-encryption", "document-password",
	                             ATTRS_JOB_PASSWORD };

bool job_secret_is(const char *name)
{
	return str_is_listed(name, names, ARRAY_SIZE(names));
}

struct sealed *job_secret_take(const struct vault *v, ipp_t *answer, const char *name)
{
	ipp_attribute_t *attr = ippFindAttribute(answer, name, IPP_TAG_ZERO);
	struct sealed *ret;
	const void *secret;
	struct err err;
	int len = 0;

	if (!attr)
		return NULL;
	ret = xcalloc(1, sizeof(*ret));
	secret = ippGetValueTag(attr) == IPP_TAG_STRING && ippGetCount(attr) == 1
	                 ? ippGetOctetString(attr, 0, &len)
	                 : NULL;
	/* nothing is left out silently: without a secret of its own it stays at length 0 */
	if (secret && len > 0)
		(void)vault_seal(v, secret, (size_t)len, ret->bytes, &ret->len, &err);
	ipp_wipe_secrets(answer);
	return ret;
}
