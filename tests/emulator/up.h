/* up.h - the emulator's Universal Print: settings, printers that were registered, tokens. */
#ifndef TESTS_EMULATOR_UP_H
#define TESTS_EMULATOR_UP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <cups/ipp.h>

struct buffer;
struct printer;

/* name, member, default, what it is */
#define UP_NUMBERS(X)                                                                              \
	X("code-life", code_life, 900, "seconds a device code lives")                              \
	X("code-interval", code_interval, 5, "seconds between polls for the user's token")         \
	X("approve-after", approve_after, -1, "a code approves itself at this poll; -1: by hand")  \
	X("slow-down", slow_down, 0, "that many polls are answered with slow_down unprovoked")     \
	X("role", role, 1, "0: the user is no Printer Administrator, registration says 403")       \
	X("consent", consent, 1, "0: the tenant did not consent (AADSTS65001)")                    \
	X("public-client", public_client, 1, "0: the app is no public client (AADSTS7000218)")     \
	X("user-token-life", user_token_life, 3599, "seconds")                                     \
	X("nonce-life", nonce_life, 300, "seconds")                                                \
	X("token-life", token_life, 3599, "seconds a printer's token lives")                       \
	X("token-bytes", token_bytes, 1024, "random bytes in a token")                             \
	X("x5c-string", x5c_string, 0, "1: x5c may be a string instead of an array")               \
	X("clock-skew", clock_skew, 0, "seconds our clock is ahead: Date, new certificates")       \
	X("register-interval", register_interval, 3, "seconds between polls of a registration")    \
	X("register-polls", register_polls, 1, "polls answered with 202; -1: all")                 \
	X("certificate-days", certificate_days, 365, "life of a device certificate")               \
	X("notify-interval", notify_interval, 30, "notify-get-interval")                           \
	X("lease-max", lease_max, 0, "longest notify-lease-duration in seconds; 0: any")           \
	X("names-print", names_print, 0,                                                           \
	  "1: the notification host knows printers by their address at the print host only")       \
	X("active-jobs", active_jobs, 1, "0: Update-Active-Jobs is not supported")                 \
	X("login-port", login_port, 0, "at start only, as the next four")                          \
	X("registration-port", registration_port, 0, "0: the kernel's choice")                     \
	X("print-port", print_port, 0, "")                                                         \
	X("notification-port", notification_port, 0, "")                                           \
	X("graph-port", graph_port, 0, "")

#define UP_STRINGS(X)                                                                              \
	X("tenant", tenant, "7f3a1c52-9d0e-4b6f-8a21-5c4e0d9b7a63", "the tenant's id")             \
	X("client-id", client_id, "3d6c1a90-52f7-4e0b-9c38-b1a7f2e4d586",                          \
	  "the organisation's app")                                                                \
	X("resource", resource, "https://print.print.microsoft.com", "what scopes begin with")     \
	X("mcp-resource", mcp_resource, "da9b70f6-5323-4ce6-ae5c-88dcc5082966",                    \
	  "mcp_svc_resource_id of a registration")                                                 \
	X("printer-client-id", printer_client_id, "b07de2c4-6a15-4f93-8e7d-20c9f51ab364",          \
	  "of a registration; empty: left out")                                                    \
	X("redirect-uri", redirect_uri, "https://printers.invalid/nativeclient",                   \
	  "printer_redirect_uri of a registration; empty: left out")                               \
	X("notification-path", notification_path, "",                                              \
	  "of requests to the notification host; empty: as at the print host")                     \
	X("user", user, "admin@contoso.example", "who signs in")                                   \
	X("graph-token", graph_token, "graph-user-token", "the token of Graph's users")            \
	X("graph-user", graph_user, "alice@contoso.example", "who prints through Graph")           \
	X("names", names, "DNS:localhost,IP:127.0.0.1", "of the hosts' certificates, at start")

struct up_settings {
	bool on;
#define UP_MEMBER(name, member, value, text) int64_t member;
	UP_NUMBERS(UP_MEMBER)
#undef UP_MEMBER
#define UP_MEMBER(name, member, value, text) char *member;
	UP_STRINGS(UP_MEMBER)
#undef UP_MEMBER
};

extern struct up_settings up;

void up_settings_init(void);
/* -1: `why` says what is wrong. */
int up_set(const char *name, const char *value, char **why);
void up_settings_write(struct buffer *b);
void up_settings_free(void);

/* One registration of one device_id. */
struct up_printer {
	TAILQ_ENTRY(up_printer) entry;
	char *id; /* cloud_device_id */
	char *device_id;
	char *name, *manufacturer, *model;
	char *certificate; /* PEM, the one that counts */
	char *fingerprint;
	char *uri;               /* ipps://…/printers/ID, for job-uri */
	char *share;             /* NULL: not shared */
	struct printer *printer; /* NULL: deleted in the portal */
	int certificates;
	int64_t requests; /* with its tokens and its certificate, also when it is deleted */
	int64_t registered_us, seen_us;
	int64_t polled_us; /* last Get-Notifications that was answered with an interval */
	int reverse;       /* that many answers list their events backwards */
};

struct up_printer *up_printer_find(const char *id); /* deleted ones too; NULL: never was */
struct up_printer *up_printer_of_device(const char *device_id); /* not the deleted ones */
struct up_printer *up_printer_add(const char *device_id);
void up_printer_delete(struct up_printer *p);
struct up_printer *up_printers_first(void);
int up_printers_count(void);
void up_printers_write(struct buffer *b);
void up_printers_free(void);

enum up_token_kind { UP_TOKEN_USER, UP_TOKEN_PRINTER };

struct up_token {
	TAILQ_ENTRY(up_token) entry;
	TAILQ_ENTRY(up_token) hash_entry;
	enum up_token_kind kind;
	struct up_printer *printer; /* NULL: a user's */
	char *text;
	int64_t made_us, expires_us;
	bool revoked;
	int64_t uses;
};

struct up_token *up_token_make(enum up_token_kind kind, struct up_printer *p);
struct up_token *up_token_find(const char *text);
bool up_token_lives(const struct up_token *t);
/* Revokes: of this printer, or, without, all of this kind. How many. */
int up_tokens_revoke(enum up_token_kind kind, const struct up_printer *p);
void up_tokens_write(struct buffer *b);
void up_tokens_free(void);

/* "Bearer TEXT" of a header; NULL: none */
const char *up_bearer(const char *header);

int64_t up_now_us(void); /* our clock, as skewed as it is set */
void up_http_date(char ret[40]);

#endif
