/* document.h - inside of cloud/: Fetch-Document, its bytes into a stream. Contract in cloud.h. */
#ifndef CONNECTOR_CLOUD_DOCUMENT_H
#define CONNECTOR_CLOUD_DOCUMENT_H

#include "connector/cloud/cloud.h"

int document_fetch(struct channel *ch, struct cloud_op *op, int32_t job, int32_t number,
                   struct stream *into, uint64_t limit, struct err *err);
void document_cancel(struct cloud_op *op);
void document_free(struct document *d); /* NULL is fine */

#endif
