#include "tests/emulator/documents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <zlib.h>

#define KEPT_BYTES   (256u << 20)
#define INFLATED_MAX (1u << 31)

static TAILQ_HEAD(, document) finished = TAILQ_HEAD_INITIALIZER(finished);
static size_t finished_bytes;

struct bytes *bytes_ref(struct bytes *b)
{
	b->refs++;
	return b;
}

void bytes_unref(struct bytes *b)
{
	if (b == NULL || --b->refs > 0)
		return;
	buffer_clear(&b->buffer);
	free(b);
}

struct document *document_new(struct buffer *body, size_t offset, int number)
{
	struct document *d = xcalloc(1, sizeof(*d));

	d->bytes = xcalloc(1, sizeof(*d->bytes));
	d->bytes->refs = 1;
	d->bytes->buffer = *body;
	d->bytes->offset = offset;
	d->length = body->len - offset;
	*body = (struct buffer){ 0 };
	d->number = number;
	d->state = 3;
	d->impressions = -1;
	return d;
}

void document_free(struct document *d)
{
	if (d == NULL)
		return;
	if (d->finished) {
		TAILQ_REMOVE(&finished, d, finished_entry);
		finished_bytes -= d->length;
	}
	bytes_unref(d->bytes);
	free(d->name);
	free(d->format);
	free(d->supplied);
	free(d->compression);
	free(d->password);
	free(d->message);
	free(d);
}

const char *document_data(const struct document *d)
{
	return d->bytes ? d->bytes->buffer.data + d->bytes->offset : NULL;
}

const char *document_detect(const char *data, size_t len)
{
	static const struct {
		const char *magic;
		size_t len;
		const char *format;
	} magics[] = {
		{ "%PDF-", 5, "application/pdf" },       { "%!", 2, "application/postscript" },
		{ "RaS2", 4, "image/pwg-raster" },       { "2SaR", 4, "image/pwg-raster" },
		{ "UNIRAST", 7, "image/urf" },           { "\xff\xd8\xff", 3, "image/jpeg" },
		{ "\x89PNG\r\n\x1a\n", 8, "image/png" },
	};
	size_t i;

	for (i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (len >= magics[i].len && memcmp(data, magics[i].magic, magics[i].len) == 0)
			return magics[i].format;
	}
	return NULL;
}

const char *document_hash(struct document *d)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int i, len = 0;

	if (d->sha256[0] == '\0' && d->bytes != NULL &&
	    EVP_Digest(document_data(d), d->length, digest, &len, EVP_sha256(), NULL)) {
		for (i = 0; i < len && i < 32; i++)
			snprintf(d->sha256 + 2 * i, 3, "%02x", digest[i]);
	}
	return d->sha256;
}

void document_drop(struct document *d)
{
	if (d->bytes == NULL)
		return;
	document_hash(d);
	bytes_unref(d->bytes);
	d->bytes = NULL;
	if (d->finished) {
		TAILQ_REMOVE(&finished, d, finished_entry);
		finished_bytes -= d->length;
		d->finished = false;
	}
}

void document_finish(struct document *d)
{
	if (d->finished || d->bytes == NULL)
		return;
	d->finished = true;
	TAILQ_INSERT_TAIL(&finished, d, finished_entry);
	finished_bytes += d->length;
	while (finished_bytes > KEPT_BYTES)
		document_drop(TAILQ_FIRST(&finished));
}

int bytes_gzip(const char *data, size_t len, struct buffer *ret)
{
	z_stream z = { 0 };
	int rc;

	if (len > INFLATED_MAX || deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY))
		return -1;
	buffer_reserve(ret, deflateBound(&z, len) + 1);
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)len;
	z.next_out = (Bytef *)ret->data;
	z.avail_out = (uInt)ret->cap;
	rc = deflate(&z, Z_FINISH);
	ret->len = z.total_out;
	deflateEnd(&z);
	return rc == Z_STREAM_END ? 0 : -1;
}

int bytes_gunzip(const char *data, size_t len, struct buffer *ret)
{
	z_stream z = { 0 };
	int rc;

	if (len > INFLATED_MAX || inflateInit2(&z, 15 + 32)) /* gzip or zlib */
		return -1;
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)len;
	do {
		buffer_reserve(ret, ret->len + 65536);
		z.next_out = (Bytef *)ret->data + ret->len;
		z.avail_out = (uInt)(ret->cap - ret->len);
		rc = inflate(&z, Z_NO_FLUSH);
		ret->len = z.total_out;
	} while (rc == Z_OK && ret->len < INFLATED_MAX);
	inflateEnd(&z);
	return rc == Z_STREAM_END ? 0 : -1;
}
