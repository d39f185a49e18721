/* server.c - one request: headers, body, decode, admit, fault, rules, handler, answer. A handler
 * that waits suspends the connection and is called again when something happened. */
#include "tests/emulator/server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "tests/emulator/certificates.h"
#include "tests/emulator/deliver.h"
#include "tests/emulator/documents.h"
#include "tests/emulator/exchange.h"
#include "tests/emulator/host.h"
#include "tests/emulator/ipp_message.h"
#include "tests/emulator/jobs.h"
#include "tests/emulator/operations.h"
#include "tests/emulator/printers.h"
#include "tests/emulator/record.h"
#include "tests/emulator/rules.h"
#include "tests/emulator/up_ipp.h"

#define POOL_BYTES      (128u * 1024)
#define CONNECTIONS_MAX 16384u
#define HUNG_US         INT64_C(3600000000)
#define SYSTEM_PATH     "/ipp/system"

static bool stopping;
static bool away;
static TAILQ_HEAD(, peer) peers = TAILQ_HEAD_INITIALIZER(peers);
static struct printer *system_auth; /* holds the credentials of /ipp/system; NULL: none there */

void server_stopping(void)
{
	stopping = true;
}

void server_away(bool is_away)
{
	const union MHD_ConnectionInfo *info;
	struct peer *peer;

	away = is_away;
	TAILQ_FOREACH(peer, &peers, entry)
	{
		if (!away || host_is_up(peer->host))
			continue;
		info = MHD_get_connection_info(peer->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		if (info != NULL)
			shutdown(info->connect_fd, SHUT_RDWR);
	}
}

int server_set_system(const char *auth, char **why)
{
	AUTO(free_str) char *options = xprintf("auth=%s", auth);

	if (system_auth == NULL)
		system_auth = printer_new_unlisted();
	return printer_configure(system_auth, options, why);
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static struct peer *peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info;

	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

static void on_connection(void *data, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
	struct peer *peer = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		peer = xcalloc(1, sizeof(*peer));
		peer->connection = connection;
		peer->host = data;
		peer->tls = peer->host->tls;
		TAILQ_INSERT_TAIL(&peers, peer, entry);
		*context = peer;
		return;
	}
	if (peer != NULL) {
		TAILQ_REMOVE(&peers, peer, entry);
		free(peer->common_name);
		free(peer->fingerprint);
		free(peer);
	}
	*context = NULL;
}

/* The name of the printer that a path means; NULL: none. */
static const char *path_printer(const char *path)
{
	if (strncmp(path, "/ipp/print/", 11) == 0)
		return path + 11;
	if (strncmp(path, "/printers/", 10) == 0)
		return path + 10;
	return NULL;
}

static struct printer *find_own(const char *name)
{
	struct printer *p = printers_find(name, strlen(name));

	return p != NULL && p->up == NULL ? p : NULL;
}

static struct printer *find_printer(struct exchange *x)
{
	const char *name = path_printer(x->path);
	const char *uri, *slash;

	if (name != NULL)
		return find_own(name);
	if (strncmp(x->path, "/jobs", 5) != 0 && strcmp(x->path, "/") != 0)
		return NULL;
	uri = exchange_string(x, "printer-uri");
	slash = uri ? strrchr(uri, '/') : NULL;
	return slash ? find_own(slash + 1) : NULL;
}

static bool basic_fits(struct exchange *x, const struct printer *p)
{
	char *password = NULL;
	char *user = MHD_basic_auth_get_username_password(x->connection, &password);
	bool fits = user != NULL && password != NULL && strcmp(user, p->user) == 0 &&
	            strcmp(password, p->password) == 0;

	MHD_free(user);
	MHD_free(password);
	return fits;
}

/* 0, or the HTTP status that keeps a stranger out. */
static unsigned int admit(struct exchange *x, const struct printer *p)
{
	switch (p->auth) {
	case AUTH_NONE:
		return 0;
	case AUTH_BASIC:
		return basic_fits(x, p) ? 0 : MHD_HTTP_UNAUTHORIZED;
	case AUTH_CERTIFICATE:
		certificates_look(x->peer, x->connection);
		if (x->peer->fingerprint == NULL)
			return MHD_HTTP_FORBIDDEN;
		if (p->fingerprint != NULL)
			return strcasecmp(p->fingerprint, x->peer->fingerprint) == 0
			               ? 0
			               : MHD_HTTP_FORBIDDEN;
		if (p == system_auth)
			return 0; /* any that our CA signed */
		return x->peer->common_name != NULL && strcmp(x->peer->common_name, p->name) == 0
		               ? 0
		               : MHD_HTTP_FORBIDDEN;
	}
	return MHD_HTTP_FORBIDDEN;
}

static bool speaks_as_proxy(struct exchange *x)
{
	const char *which = exchange_string(x, "which-jobs");

	if (x->op->side == SIDE_PROXY)
		return true;
	return x->op->side == SIDE_BOTH && (x->uuid != NULL || x->peer->proxy ||
	                                    (which != NULL && strcmp(which, "fetchable") == 0));
}

static enum MHD_Result refuse_http(struct exchange *x, unsigned int status)
{
	x->phase = PHASE_ANSWERED;
	return deliver_http(x, status, -1);
}

static void finish_told(struct exchange *x, int status)
{
	if (x->job == NULL || x->op == NULL || !x->op->told)
		return;
	x->told.us = clock_us();
	x->told.operation = x->op->code;
	x->told.side = x->op->side == SIDE_CLIENT ? "client" : "proxy";
	x->told.status = status;
	x->told.job_state = x->job->state;
	job_tell(x->job, &x->told);
	x->told.reasons = NULL;
	x->told.message = NULL;
}

static enum MHD_Result start_wait(struct exchange *x)
{
	if (x->phase != PHASE_WAITING)
		record_changes++;
	x->phase = PHASE_WAITING;
	TAILQ_INSERT_TAIL(&x->printer->waiters, x, waiter);
	x->printer->waiting++;
	record_changes++;
	sleeper_start(&x->sleeper, x->connection, x->wait_until_us);
	return MHD_YES;
}

static void stop_wait(struct exchange *x)
{
	TAILQ_REMOVE(&x->printer->waiters, x, waiter);
	x->printer->waiting--;
}

static enum MHD_Result handle(struct exchange *x)
{
	int status;

	if (x->answer == NULL)
		x->answer = ipp_message_answer(x->request);
	if (x->fault.kind != FAULT_NONE && !x->fault.effect) {
		status = x->fault.status;
		x->op = NULL;
	} else if (x->op == NULL) {
		status = exchange_refuse(x, IPP_STATUS_ERROR_OPERATION_NOT_SUPPORTED,
		                         "operation %s", ippOpString(ippGetOperation(x->request)));
	} else {
		status = x->phase == PHASE_WAITING   ? 0
		         : host_is_up(x->peer->host) ? up_rules_check(x)
		                                     : rules_check(x);
		if (status == 0)
			status = x->op->handle(x);
	}
	if (status == EXCHANGE_WAIT)
		return start_wait(x);
	x->phase = PHASE_ANSWERED;
	finish_told(x, status);
	if (status == EXCHANGE_DROP)
		return MHD_NO;
	if (x->fault.kind == FAULT_IPP_STATUS && x->fault.effect)
		status = exchange_refuse(x, (ipp_status_t)x->fault.status, "as told");
	ippSetStatusCode(x->answer, (ipp_status_t)status);
	return deliver_answer(x);
}

static void take_fault(struct exchange *x)
{
	const struct fault *f =
		faults_take(x->printer ? x->printer->name : NULL, (int)ippGetOperation(x->request));

	if (f == NULL)
		return;
	x->fault = *f;
	x->fault.printer = NULL;
	x->fault.text = xstrdup(f->text);
}

static enum MHD_Result hang(struct exchange *x)
{
	int64_t us = x->fault.delay_ms > 0 ? x->fault.delay_ms * 1000 : HUNG_US;

	x->phase = PHASE_HUNG;
	sleeper_start(&x->sleeper, x->connection, clock_steady_us() + us);
	return MHD_YES;
}

/* Who speaks, to whom, and whether they may. MHD_YES with PHASE_ANSWERED: refused. */
static enum MHD_Result identify(struct exchange *x)
{
	unsigned int status;
	const struct printer *door;

	x->op = operation_find((int)ippGetOperation(x->request));
	x->uuid = exchange_string(x, "output-device-uuid");
	if (host_is_up(x->peer->host)) {
		x->as_proxy = true;
		status = up_identify(x);
		record_operation(x, 0);
		return status ? refuse_http(x, status) : MHD_YES;
	}
	x->printer = find_printer(x);
	if (strcmp(x->path, SYSTEM_PATH) == 0) {
		door = system_auth;
		if (x->op != NULL && x->op->target != TARGET_SYSTEM)
			x->op = NULL;
	} else {
		door = x->printer;
		if (x->op != NULL && x->op->target == TARGET_SYSTEM)
			x->op = NULL;
	}
	if (door == NULL && (x->op == NULL || x->op->target != TARGET_ANY))
		return refuse_http(x, MHD_HTTP_NOT_FOUND);
	record_operation(x, 0);
	if (x->op == NULL)
		return MHD_YES;
	x->as_proxy = speaks_as_proxy(x);
	if (x->as_proxy) {
		status = admit(x, door);
		if (status != 0) {
			record_notice(x, "denied", "HTTP %u", status);
			return refuse_http(x, status);
		}
		if (header(x->connection, "Expect") != NULL)
			record_violation(x, "expect", "a proxy sends Expect");
	}
	return MHD_YES;
}

static enum MHD_Result begin(struct exchange *x)
{
	enum MHD_Result rc;

	x->request = ipp_message_decode(x->body.data ? x->body.data : "", x->body.len,
	                                &x->document_offset);
	if (x->request == NULL) {
		record_violation(x, "not-ipp", "%zu bytes that are no IPP message", x->body.len);
		x->phase = PHASE_ANSWERED;
		x->answer = ipp_message_answer(NULL);
		ippSetStatusCode(x->answer, IPP_STATUS_ERROR_BAD_REQUEST);
		x->printer = NULL;
		return deliver_answer(x);
	}
	rc = identify(x);
	if (x->phase == PHASE_ANSWERED)
		return rc;
	take_fault(x);
	if (x->fault.kind == FAULT_NEVER)
		return hang(x);
	if (x->fault.delay_ms > 0 && x->fault.kind != FAULT_STALL_DOCUMENT) {
		x->phase = PHASE_DELAYED;
		sleeper_start(&x->sleeper, x->connection,
		              clock_steady_us() + x->fault.delay_ms * 1000);
		return MHD_YES;
	}
	return handle(x);
}

static enum MHD_Result proceed(struct exchange *x)
{
	if (stopping || x->peer->host->down)
		return MHD_NO;
	switch (x->phase) {
	case PHASE_BODY:
		return begin(x);
	case PHASE_DELAYED:
		return handle(x);
	case PHASE_WAITING:
		stop_wait(x);
		return handle(x);
	case PHASE_HUNG:
		return deliver_cut(x);
	case PHASE_ANSWERED:
		return MHD_NO;
	}
	return MHD_NO;
}

static struct exchange *exchange_new(struct MHD_Connection *connection, const char *url)
{
	struct exchange *x = xcalloc(1, sizeof(*x));
	const char *length = header(connection, "Content-Length");

	x->connection = connection;
	x->peer = peer_of(connection);
	x->path = xstrdup(url);
	x->host = xstrdup(header(connection, "Host"));
	x->told.state = x->told.fetch_status = -1;
	x->told.impressions = x->told.sheets = -1;
	x->started_us = clock_us();
	if (length != NULL && strtoull(length, NULL, 10) < (1u << 30))
		buffer_reserve(&x->body, (size_t)strtoull(length, NULL, 10) + 1);
	return x;
}

/* 0, or the HTTP status for what is no IPP request. */
static unsigned int check_http(struct exchange *x, const char *method)
{
	const char *type = header(x->connection, "Content-Type");

	if (strcmp(method, "POST") != 0) {
		if (path_printer(x->path) != NULL && strcmp(method, "GET") != 0)
			record_violation(x, "http-method", "%s %s", method, x->path);
		return strcmp(method, "GET") == 0 ? MHD_HTTP_NOT_FOUND
		                                  : MHD_HTTP_METHOD_NOT_ALLOWED;
	}
	if (type == NULL || strcmp(type, "application/ipp") != 0) {
		record_violation(x, "content-type", "Content-Type %s", type ? type : "missing");
		return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
	}
	return 0;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **context)
{
	struct exchange *x = *context;
	unsigned int status;

	(void)data;
	(void)version;
	if (x == NULL) {
		x = exchange_new(connection, url);
		*context = x;
		status = check_http(x, method);
		return status ? refuse_http(x, status) : MHD_YES;
	}
	if (*upload_len > 0) {
		buffer_add(&x->body, upload, *upload_len);
		*upload_len = 0;
		return MHD_YES;
	}
	return proceed(x);
}

static void on_completed(void *data, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
	struct exchange *x = *context;

	(void)data;
	(void)connection;
	if (x == NULL)
		return;
	*context = NULL;
	if (x->phase == PHASE_WAITING)
		stop_wait(x);
	if (x->document != NULL && x->document->fetches > 0 && x->op != NULL &&
	    x->op->code == IPP_OP_FETCH_DOCUMENT && ippGetStatusCode(x->answer) == IPP_STATUS_OK &&
	    code == MHD_REQUEST_TERMINATED_COMPLETED_OK && x->fault.kind != FAULT_TRUNCATED &&
	    x->fault.kind != FAULT_GARBAGE) {
		x->document->whole = true;
		x->document->last_byte_us = clock_us();
		record_changes++;
	}
	if (x->as_proxy && x->peer != NULL)
		x->peer->proxy = true;
	ippDelete(x->request);
	ippDelete(x->answer);
	bytes_unref(x->attachment);
	buffer_clear(&x->body);
	free(x->told.reasons);
	free(x->told.message);
	free(x->fault.text);
	free(x->path);
	free(x->host);
	free(x);
}

static enum MHD_Result on_accept(void *data, const struct sockaddr *address, socklen_t len)
{
	struct host *host = data;

	(void)address;
	(void)len;
	host->connections++;
	return host->down || (away && !host_is_up(host)) ? MHD_NO : MHD_YES;
}

struct MHD_Daemon *server_listen(const struct sockaddr *address, struct host *host,
                                 const struct host_tls *tls, MHD_AccessHandlerCallback handle_one,
                                 MHD_RequestCompletedCallback completed)
{
	unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO |
	                     (tls ? MHD_USE_TLS : 0) |
	                     (host_is_up(host) ? MHD_USE_SUPPRESS_DATE_NO_CLOCK : 0);
	struct MHD_OptionItem options[5] = { { MHD_OPTION_END, 0, NULL } };
	size_t n = 0;

#define TLS_OPTION(option, text)                                                                   \
	options[n++] = (struct MHD_OptionItem)                                                     \
	{                                                                                          \
		option, 0, (void *)(uintptr_t)(text)                                               \
	}
	if (tls != NULL) {
		TLS_OPTION(MHD_OPTION_HTTPS_MEM_CERT, tls->certificate);
		TLS_OPTION(MHD_OPTION_HTTPS_MEM_KEY, tls->key);
		TLS_OPTION(MHD_OPTION_HTTPS_MEM_TRUST, tls->ca);
	}
	if (tls != NULL && tls->priorities != NULL)
		TLS_OPTION(MHD_OPTION_HTTPS_PRIORITIES, tls->priorities);
#undef TLS_OPTION
	options[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	return MHD_start_daemon(flags, 0, on_accept, host, handle_one, host, MHD_OPTION_SOCK_ADDR,
	                        address, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
	                        MHD_OPTION_NOTIFY_CONNECTION, on_connection, host,
	                        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
	                        MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_ARRAY,
	                        options, MHD_OPTION_END);
}

struct MHD_Daemon *server_start(const struct sockaddr *address, struct host *host,
                                const struct host_tls *tls)
{
	return server_listen(address, host, tls, on_request, on_completed);
}

uint16_t server_port(struct MHD_Daemon *daemon)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);

	return info ? info->port : 0;
}
