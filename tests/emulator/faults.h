/* faults.h - how requests are to fail: rules set through the admin port, taken one by one. */
#ifndef TESTS_EMULATOR_FAULTS_H
#define TESTS_EMULATOR_FAULTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct buffer;

/* name, what happens to the answer, and whether the request takes effect by default */
#define FAULTS(X)                                                                                  \
	X(NONE, "none", "the answer is as always (with ms=: later)", true)                         \
	X(IPP_STATUS, "ipp-status", "IPP answer with status=", false)                              \
	X(HTTP_STATUS, "http-status", "HTTP answer with http=, an HTML body, retry-after=", false) \
	X(HTML, "html", "HTTP 200 with an HTML page instead of IPP", false)                        \
	X(NEVER, "never", "no answer, the connection stays open (with ms=: so long)", false)       \
	X(ENDLESS, "endless", "IPP attributes without end", false)                                 \
	X(TRUNCATED, "truncated", "a whole HTTP answer with bytes= of the IPP message", true)      \
	X(GARBAGE, "garbage", "random bytes, bytes= of them, as application/ipp", true)            \
	X(CUT_BEFORE, "cut-before", "closed before anything happens", false)                       \
	X(CUT_HEADERS, "cut-headers", "closed in the middle of the HTTP headers", true)            \
	X(CUT_IPP, "cut-ipp", "closed after bytes= of the IPP message", true)                      \
	X(CUT_DOCUMENT, "cut-document", "closed after bytes= of the document", true)               \
	X(CUT_LAST_CHUNK, "cut-last-chunk", "all of it, chunked, but without the last chunk",      \
	  true)                                                                                    \
	X(CUT_AFTER, "cut-after", "closed with the effect done and nothing sent", true)            \
	X(LONGER_LENGTH, "longer-length", "Content-Length bytes= longer than what comes", true)    \
	X(WRONG_FORMAT, "wrong-format", "Fetch-Document names text= as document-format", true)     \
	X(STALL_DOCUMENT, "stall-document",                                                        \
	  "bytes= of the document, then a pause of ms=, then the rest", true)                      \
	X(REDIRECT, "redirect", "HTTP answer with http=, Location is text=", false)                \
	X(OAUTH_ERROR, "oauth-error", "login answers with http= and the JSON error text=", false)  \
	X(WITHOUT, "without", "the JSON answer has no member text=", true)                         \
	X(OTHER_KEY, "other-key", "the registration's certificate is for another key", true)

enum fault_kind {
#define FAULT_ENUM(id, name, text, effect) FAULT_##id,
	FAULTS(FAULT_ENUM)
#undef FAULT_ENUM
};

struct fault {
	TAILQ_ENTRY(fault) entry;
	int id;
	enum fault_kind kind;
	char *printer; /* NULL: any */
	int operation; /* 0: any */
	int skip;      /* requests still to be left alone */
	int count;     /* requests still to be hit; -1: all */
	int hits;
	int status;       /* IPP */
	int http;         /* HTTP */
	int retry_after;  /* seconds, -1: none */
	int64_t delay_ms; /* before anything is done */
	int64_t bytes;
	char *text;
	bool reset;  /* cut by RST instead of FIN */
	bool effect; /* the request takes effect */
};

int fault_find_kind(const char *name, enum fault_kind *ret);
bool fault_has_effect(enum fault_kind kind);
int faults_add(struct fault *f); /* consumes it, gives its id */
/* The rule that hits this request, NULL: none. Owned by the list, valid until the next call. */
const struct fault *faults_take(const char *printer, int operation);
int faults_clear(int id); /* 0: all; how many went */
void faults_write(struct buffer *b);
void faults_describe(struct buffer *b);

#endif
