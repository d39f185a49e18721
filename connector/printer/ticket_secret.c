#include "connector/printer/ticket_secret.h"

#include <string.h>

#include "common/err.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/crypto_vault.h"
#include "connector/base/ipp_codec.h"

static int refuse(struct err *err, const char *text)
{
	return err_set(err, ERR_REJECTED, IPP_STATUS_ERROR_ATTRIBUTES_OR_VALUES,
	               "the job is to wait at the printer for a PIN, %s; print it without one",
	               text);
}

static bool takes_encryption(ipp_t *capabilities, const char *encryption)
{
	ipp_attribute_t *list =
		ippFindAttribute(capabilities, "job-password-encryption-supported", IPP_TAG_ZERO);

	return list ? ippContainsString(list, encryption) : strcmp(encryption, "none") == 0;
}

int ticket_secret_add_pin(ipp_t *request, ipp_t *ticket, ipp_t *capabilities, const struct vault *v,
                          struct err *err)
{
	ipp_attribute_t *attr = ippFindAttribute(ticket, ATTRS_JOB_PASSWORD, IPP_TAG_STRING);
	const char *encryption =
		ipp_get_text(ticket, IPP_TAG_ZERO, "job-password-encryption", "none");
	int most = ipp_get_int(capabilities, IPP_TAG_ZERO, "job-password-supported", 0);
	unsigned char plain[VAULT_SECRET_MAX];
	const void *sealed;
	size_t plain_len;
	int len = 0;

	if (!attr)
		return 0;
	if (most < 1)
		return refuse(err, "which it cannot");
	if (!takes_encryption(capabilities, encryption))
		return refuse(err, "which is encrypted as it does not know");
	sealed = ippGetOctetString(attr, 0, &len);
	if (vault_unseal(v, sealed, (size_t)len, plain, &plain_len, err) < 0)
		return refuse(err, "which cannot be read any more");
	if (strcmp(encryption, "none") == 0 && plain_len > (size_t)most) {
		wipe(plain, sizeof(plain));
		return refuse(err, "which is longer than it takes");
	}
	ippAddOctetString(request, IPP_TAG_OPERATION, "job-password", plain, (int)plain_len);
	ippAddString(request, IPP_TAG_OPERATION, IPP_CONST_TAG(IPP_TAG_KEYWORD),
	             "job-password-encryption", NULL, encryption);
	wipe(plain, sizeof(plain));
	return 0;
}

bool ticket_secret_takes_document_password(ipp_t *capabilities)
{
	return ipp_get_int(capabilities, IPP_TAG_ZERO, "document-password-supported", 0) > 0;
}

int ticket_secret_add_document_password(ipp_t *request, const struct sealed *password,
                                        const struct vault *v, struct err *err)
{
	unsigned char plain[VAULT_SECRET_MAX];
	size_t len;

	if (vault_unseal(v, password->bytes, password->len, plain, &len, err) < 0)
		return err_set(err, ERR_REJECTED, IPP_STATUS_ERROR_DOCUMENT_PASSWORD,
		               "the document's password cannot be read; print it without one");
	ippAddOctetString(request, IPP_TAG_OPERATION, "document-password", plain, (int)len);
	wipe(plain, sizeof(plain));
	return 0;
}
