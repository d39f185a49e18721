/* ipp_codec.h - IPP messages to bytes and back (RFC 8010), bounded: libcups' ippReadIO/ippWriteIO
 * on buffers, behind a scanner of our own that finds where a message ends and refuses what is too
 * deep, too long or not IPP before libcups sees it. Also the small reading and writing helpers that
 * cloud/ and printer/ share. Pure. */
#ifndef CONNECTOR_BASE_IPP_CODEC_H
#define CONNECTOR_BASE_IPP_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cups/cups.h>

struct buf;
struct err;

#define IPP_MESSAGE_MAX (4u << 20) /* bytes of one message, document not counted */
#define IPP_DEPTH_MAX   8          /* collections in collections */
#define IPP_FIELDS_MAX  131072u    /* values, member names and ends of collections of one message */

/* Follows a message byte by byte. Zeroed = at the start. */
struct ipp_scan {
	unsigned char step, tag, head[8];
	unsigned char kind; /* value tag of the current attribute; 0: none yet */
	bool in_group;      /* a group was begun */
	bool awaits;        /* a member was named, its value has not come */
	unsigned have, need, depth, fields;
	uint64_t total;
};
/* How many of the bytes still belong to the message; *ended: end-of-attributes was among them.
 * -1: not IPP, too deep, more than IPP_FIELDS_MAX or longer than IPP_MESSAGE_MAX (ERR_REJECTED). */
int ipp_scan(struct ipp_scan *s, const void *data, size_t len, size_t *ret_used, bool *ret_ended,
             struct err *err);

int ipp_encode(ipp_t *msg, struct buf *out, struct err *err);
/* Exactly one whole message. *ret is the caller's (ippDelete). */
int ipp_decode(const void *data, size_t len, ipp_t **ret, struct err *err);

/* A request with attributes-charset, attributes-natural-language and the target URI under
 * target_name ("printer-uri", "job-uri" or "system-uri"). */
ipp_t *ipp_request(ipp_op_t op, const char *target_name, const char *uri);

/* Attribute by name in group (IPP_TAG_ZERO: any), value checked to be of a fitting kind; otherwise
 * the fallback. The first of several attributes of one name counts. Strings are borrowed from msg.
 * A walk by ippFirstAttribute/ippNextAttribute over the same message does not survive these. */
/* Overwrites job-password and document-password where they stand, of a message that was sent or
 * read. */
void ipp_wipe_secrets(ipp_t *msg);

int ipp_get_int(ipp_t *msg, ipp_tag_t group, const char *name, int fallback); /* integer or enum */
bool ipp_get_bool(ipp_t *msg, ipp_tag_t group, const char *name, bool fallback);
const char *ipp_get_text(ipp_t *msg, ipp_tag_t group, const char *name, const char *fallback);
time_t ipp_get_time(ipp_t *msg, ipp_tag_t group, const char *name, time_t fallback); /* dateTime */
/* Whether the 1setOf strings has it. */
bool ipp_has_keyword(ipp_t *msg, ipp_tag_t group, const char *name, const char *keyword);
/* All strings joined by commas, cut at size; "" when there are none. */
void ipp_join_text(ipp_t *msg, ipp_tag_t group, const char *name, char *out, size_t size);

#endif
