/* json_read.h - JSON and forms of the web services around a cloud: decoded with limits in size and
 * depth, read strictly, wiped after use, since tokens and codes stand in them. Pure. */
#ifndef CONNECTOR_BASE_JSON_READ_H
#define CONNECTOR_BASE_JSON_READ_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct cJSON;
struct err;

#define JSON_ANSWER_MAX (256u << 10) /* bytes of an answer */
#define JSON_DEPTH_MAX  16

/* An object, nothing but white space around it; else ERR_TEMPORARY. *ret is the caller's
 * (json_wipe). */
int json_decode(const char *text, size_t len, struct cJSON **ret, struct err *err);
void json_wipe(struct cJSON *json); /* overwrites all texts, frees; NULL is fine */

/* A member that is a text of 1 to max bytes without control characters but for line ends; borrowed.
 * NULL: it is not. */
const char *json_text(const struct cJSON *object, const char *name, size_t max);
/* A whole number, also one written as text (Entra's older token service); outside of min and max it
 * becomes the nearer of both. fallback: it is none. */
int64_t json_number(const struct cJSON *object, const char *name, int64_t min, int64_t max,
                    int64_t fallback);
/* What a service says about its error: "error", or "code" and "message", at top or in an object
 * named "error". Made safe to show; "" when not said. code: the keyword, text: the explanation. */
void json_error(const struct cJSON *answer, char *code, size_t code_size, char *text,
                size_t text_size);

/* name=value behind what there is, as application/x-www-form-urlencoded. -1: no room. */
int form_add(struct buf *form, const char *name, const char *value);

#endif
