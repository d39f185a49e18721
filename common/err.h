/* err.h - why something failed: the kind decides what happens next, the code is for the log,
 * the text is for people (one line, lower case, outermost context first). The kind is chosen
 * once, where the outside answer is read. Pure; callable from anywhere. */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#define ERR_KINDS(X)                                                                               \
	X(NONE, "none")           /* no error */                                                   \
	X(TEMPORARY, "temporary") /* try again later: network, 5xx, disk full, printer busy */     \
	X(DENIED, "denied")       /* our credentials: stop asking, tell the administrator */       \
	X(REJECTED, "rejected")   /* the other side will never accept this request */              \
	X(GONE, "gone")           /* the thing asked about does not exist (any more) */            \
	X(CORRUPT, "corrupt")     /* our own stored data is damaged: set it aside */               \
	X(CANCELED, "canceled")   /* the user or the shutdown stopped it */

enum err_kind {
#define X(name, text) ERR_##name,
	ERR_KINDS(X)
#undef X
};

#define ERR_KIND_COUNT (ERR_CANCELED + 1)

struct err {
	enum err_kind kind;
	int code;          /* errno, CURLcode, HTTP status or IPP status */
	int retry_after_s; /* the other side's own wish, 0 when it had none; bounded by the reader
	                    */
	char text[192];
};

/* Each returns -1, so that `return err_set(...)` is one line. */
int err_set(struct err *err, enum err_kind kind, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* From errno: ENOSPC, EIO and the like are TEMPORARY, EACCES and EPERM are DENIED, ENOENT is GONE.
 */
int err_errno(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Puts "context: " before the text. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void err_clear(struct err *err);
const char *err_kind_name(enum err_kind kind);
/* ERR_NONE when the name is unknown. */
enum err_kind err_kind_find(const char *name);

#endif
