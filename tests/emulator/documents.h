/* documents.h - the bytes a client sent with a job. Kept in memory; those of finished jobs are
 * dropped, oldest first, beyond a limit, and only their hash stays. */
#ifndef TESTS_EMULATOR_DOCUMENTS_H
#define TESTS_EMULATOR_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "tests/emulator/buffer.h"

/* Shared by the document and by the answers that are still sending it. */
struct bytes {
	int refs;
	struct buffer buffer;
	size_t offset; /* what lies before is the IPP message it came with */
};

struct document {
	TAILQ_ENTRY(document) finished_entry; /* among those that may be dropped */
	int number;
	char *name;
	char *format;        /* declared, or found when nothing or octet-stream was declared */
	char *supplied;      /* as declared */
	char *compression;   /* as sent by the client */
	char *password;      /* document-password; NULL: none */
	struct bytes *bytes; /* NULL: dropped or forgotten */
	size_t length;
	char sha256[65]; /* "" until asked for */
	int state;       /* document-state */
	char *message;
	int64_t impressions; /* -1: never told */
	bool acknowledged;
	int refusal; /* fetch-status-code */
	bool whole;  /* sent to the proxy to the last byte, at least once */
	bool finished;
	int fetches;
	int64_t first_byte_us;
	int64_t last_byte_us;
};

/* Takes what follows `offset` in the request body, which is left empty. */
struct document *document_new(struct buffer *body, size_t offset, int number);
void document_free(struct document *d);
const char *document_data(const struct document *d);
const char *document_detect(const char *data, size_t len); /* a format, NULL: unknown */
const char *document_hash(struct document *d);
void document_finish(struct document *d); /* nobody will fetch it again */
void document_drop(struct document *d);   /* forgets the bytes, keeps length and hash */

struct bytes *bytes_ref(struct bytes *b);
void bytes_unref(struct bytes *b);

/* gzip both ways; -1: not possible */
int bytes_gzip(const char *data, size_t len, struct buffer *ret);
int bytes_gunzip(const char *data, size_t len, struct buffer *ret);

#endif
