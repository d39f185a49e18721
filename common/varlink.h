/* varlink.h - the messages of the control socket: JSON objects ended by a NUL byte
 * (https://varlink.org/Method-Call), taken apart and put together. Does no I/O itself. What comes
 * in is bounded in size and depth and is UTF-8, else it is ERR_REJECTED and the connection is of no
 * more use. Pure. */
#ifndef COMMON_VARLINK_H
#define COMMON_VARLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cJSON.h>

#include "common/buf.h"

struct err;

#define VARLINK_INTERFACE   "org.printconnector.Connector"
#define VARLINK_CALL_MAX    (64 * 1024)        /* bytes of a call, for the daemon's reader */
#define VARLINK_REPLY_MAX   (64 * 1024 * 1024) /* of a reply, for the command line's */
#define VARLINK_DEPTH_MAX   16
#define VARLINK_METHOD_SIZE 128

/* Errors that every service has. */
#define VARLINK_NO_INTERFACE      "org.varlink.service.InterfaceNotFound"    /* (interface) */
#define VARLINK_NO_METHOD         "org.varlink.service.MethodNotFound"       /* (method) */
#define VARLINK_NOT_IMPLEMENTED   "org.varlink.service.MethodNotImplemented" /* (method) */
#define VARLINK_INVALID_PARAMETER "org.varlink.service.InvalidParameter"     /* (parameter) */

/* ---- bytes to messages ---- */

struct varlink_reader {
	struct buf in;
	size_t limit;
	size_t start;   /* of the message that comes next */
	size_t scanned; /* no NUL between start and here */
};

void varlink_reader_init(struct varlink_reader *r, size_t limit);
void varlink_reader_clear(struct varlink_reader *r);
/* Takes bytes as they come. -1: a message is too large. Read all messages before feeding again. */
int varlink_reader_feed(struct varlink_reader *r, const void *data, size_t len, struct err *err);
/* 1: *ret is the next message, an object; the caller deletes it. 0: there is none yet. */
int varlink_reader_next(struct varlink_reader *r, cJSON **ret, struct err *err);
/* Whether a part of a message is there: at the end of the stream, something was cut. */
bool varlink_reader_is_cut(const struct varlink_reader *r);

/* ---- messages to calls and replies ---- */

struct varlink_call {
	char interface[VARLINK_METHOD_SIZE]; /* "org.printconnector.Connector" */
	char method[VARLINK_METHOD_SIZE];    /* "GetJob" */
	const cJSON *parameters;             /* an object, never NULL */
	bool more;                           /* several replies are welcome */
	bool oneway;                         /* no reply at all */
	cJSON *root;                         /* owned */
};

/* Consumes the message, also on failure. */
int varlink_call_decode(cJSON *message, struct varlink_call *ret, struct err *err);
void varlink_call_clear(struct varlink_call *call);

struct varlink_reply {
	const char *error; /* NULL: success. "org.printconnector.Connector.NotFound" */
	cJSON *parameters; /* an object, never NULL until it is taken */
	bool continues;    /* more replies follow */
	cJSON *root;       /* owned */
};

int varlink_reply_decode(cJSON *message, struct varlink_reply *ret, struct err *err);
void varlink_reply_clear(struct varlink_reply *reply);
/* Its parameters, owned by the caller from now on. */
cJSON *varlink_reply_take(struct varlink_reply *reply);

/* ---- the other way: appended to out with its NUL. parameters is consumed, also on failure; NULL:
 * none. -1 when out is full ---- */

int varlink_call_encode(struct buf *out, const char *method, cJSON *parameters, bool more,
                        struct err *err);
int varlink_reply_encode(struct buf *out, cJSON *parameters, bool continues, struct err *err);
int varlink_error_encode(struct buf *out, const char *error, cJSON *parameters, struct err *err);

/* ---- parameters. Absent and null are the same. -1 with ERR_REJECTED when the type is wrong; the
 * name of the parameter begins the text ---- */

/* *ret = NULL when absent; borrowed. */
int varlink_text(const cJSON *parameters, const char *name, const char **ret, struct err *err);
/* *ret = fallback when absent. Whole numbers up to 2^53. */
int varlink_int(const cJSON *parameters, const char *name, int64_t fallback, int64_t *ret,
                struct err *err);
int varlink_bool(const cJSON *parameters, const char *name, bool fallback, bool *ret,
                 struct err *err);
/* Borrowed name of a parameter that is not in known (ending with NULL), or NULL. */
const char *varlink_unknown(const cJSON *parameters, const char *const *known);

#endif
