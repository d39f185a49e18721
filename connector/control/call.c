/* call.c - from a message to its answers: finds the method, checks the right and the parameters'
 * names, parts errors by their kind. */
#include "connector/control/control_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/base/journal.h"
#include "connector/control/json.h"

static void call_free(struct call *call)
{
	varlink_call_clear(&call->message);
	cJSON_Delete(call->list);
	control_unref(call->control);
	free(call);
}

/* Sends what was encoded, unless nobody is there to read it. */
static void call_send(struct call *call, struct buf *text, int encoded)
{
	if (encoded < 0 || !call->conn || call->message.oneway)
		buf_clear(text);
	else
		conn_send(call->conn, text);
}

static void call_end(struct call *call)
{
	struct conn *conn = call->conn;

	call_free(call);
	if (conn)
		conn_call_ended(conn);
}

static void answer(struct call *call, const char *error, cJSON *parameters, bool continues)
{
	struct buf text;
	struct err err;
	int rc;

	buf_init(&text, VARLINK_REPLY_MAX);
	if (error)
		rc = varlink_error_encode(&text, error, parameters, &err);
	else
		rc = varlink_reply_encode(&text, parameters, continues, &err);
	call_send(call, &text, rc);
}

void call_continue(struct call *call, cJSON *parameters)
{
	answer(call, NULL, parameters, true);
}

void call_reply(struct call *call, cJSON *parameters)
{
	answer(call, NULL, parameters, false);
	call_end(call);
}

void call_error(struct call *call, const char *name, cJSON *parameters)
{
	char full[VARLINK_METHOD_SIZE];

	(void)snprintf(full, sizeof(full), "%s%s", strchr(name, '.') ? "" : VARLINK_INTERFACE ".",
	               name);
	answer(call, full, parameters, false);
	call_end(call);
}

void call_split(const struct err *err, char what[TEXT_SIZE], char remedy[TEXT_SIZE])
{
	json_split(err->text, what, remedy);
	if (!*remedy && err->kind == ERR_TEMPORARY)
		(void)str_copy(remedy, TEXT_SIZE,
		               "try again later; print-connector doctor walks the whole way and "
		               "finds the cause");
}

void call_fail(struct call *call, const char *subject, const struct err *err)
{
	cJSON *parameters = cJSON_CreateObject();
	char what[TEXT_SIZE], remedy[TEXT_SIZE];
	const char *name = "Failed";

	if (err->kind == ERR_GONE) {
		name = "NotFound";
		json_add_text(parameters, "subject", subject);
	} else if (err->kind == ERR_REJECTED) {
		name = "Conflict";
	} else {
		json_add_text(parameters, "kind", err_kind_name(err->kind));
		(void)cJSON_AddNumberToObject(parameters, "code", err->code);
	}
	call_split(err, what, remedy);
	json_add_text(parameters, "text", what);
	json_add_text(parameters, "remedy", remedy);
	call_error(call, name, parameters);
}

void call_invalid(struct call *call, const char *field, const char *text, const char *remedy)
{
	cJSON *parameters = cJSON_CreateObject();

	json_add_text(parameters, "field", field);
	json_add_text(parameters, "text", text);
	json_add_text(parameters, "remedy", remedy);
	call_error(call, "InvalidArgument", parameters);
}

/* ---- parameters ---- */

static void refuse_parameter(struct call *call, const char *name)
{
	cJSON *parameters = cJSON_CreateObject();

	json_add_text(parameters, "parameter", name);
	call_error(call, VARLINK_INVALID_PARAMETER, parameters);
}

int call_text(struct call *call, const char *name, size_t max, const char **ret)
{
	char text[TEXT_SIZE];
	const char *value;
	struct err err;

	if (varlink_text(call->message.parameters, name, &value, &err) < 0) {
		refuse_parameter(call, name);
		return -1;
	}
	if (!value) {
		*ret = NULL;
		return 0;
	}
	if (!*value || strlen(value) > max) {
		(void)snprintf(text, sizeof(text), "%s must have 1 to %zu bytes", name, max);
		call_invalid(call, name, text, "give a shorter one, or leave it out");
		return -1;
	}
	for (const char *p = value; *p; p++) {
		if ((unsigned char)*p >= 0x20 && *p != 0x7f)
			continue;
		(void)snprintf(text, sizeof(text), "%s has a control character in it", name);
		call_invalid(call, name, text, "remove it");
		return -1;
	}
	*ret = value;
	return 0;
}

int call_bool(struct call *call, const char *name, bool *ret)
{
	struct err err;

	if (varlink_bool(call->message.parameters, name, false, ret, &err) == 0)
		return 0;
	refuse_parameter(call, name);
	return -1;
}

int call_int(struct call *call, const char *name, int64_t min, int64_t max, int64_t fallback,
             int64_t *ret)
{
	struct err err;

	if (varlink_int(call->message.parameters, name, fallback, ret, &err) == 0 && *ret >= min &&
	    *ret <= max)
		return 0;
	refuse_parameter(call, name);
	return -1;
}

int call_id(struct call *call, int64_t *ret)
{
	return call_int(call, "id", 1, INT64_MAX, 0, ret);
}

/* ---- the beginning ---- */

static const struct method *method_find(const struct varlink_call *message, bool *ret_interface)
{
	const struct method *m;

	*ret_interface = false;
	for (size_t i = 0; (m = method_at(i)); i++) {
		if (strcmp(m->interface, message->interface) != 0)
			continue;
		*ret_interface = true;
		if (strcmp(m->name, message->method) == 0)
			return m;
	}
	return NULL;
}

static void refuse_method(struct call *call, bool interface)
{
	cJSON *parameters = cJSON_CreateObject();

	json_add_text(parameters, interface ? "method" : "interface",
	              interface ? call->message.method : call->message.interface);
	call_error(call, interface ? VARLINK_NO_METHOD : VARLINK_NO_INTERFACE, parameters);
}

static void refuse_peer(struct call *call)
{
	const struct access *a = &call->control->access;
	cJSON *parameters = cJSON_CreateObject();
	bool change = call->method->right == RIGHT_CHANGE;
	char text[TEXT_SIZE];

	if (!call->conn->denied)
		log_event(LOG_LEVEL_INFO, NULL, "uid %u may not call %s",
		          (unsigned)call->conn->peer.uid, call->method->name);
	call->conn->denied = true;
	json_add_text(parameters, "text",
	              change ? "you may not change anything in the connector"
	                     : "you may not look into the connector");
	(void)snprintf(text, sizeof(text), "join group %s, or ask root",
	               change ? a->control.name : a->status.name);
	json_add_text(parameters, "remedy", text);
	call_error(call, "NotPermitted", parameters);
}

void call_start(struct conn *conn, struct varlink_call *message)
{
	struct call *call = xcalloc(1, sizeof(*call));
	const char *unknown;
	bool interface;

	call->control = conn->control;
	call->control->users++;
	call->conn = conn;
	call->message = *message;
	conn->call = call;
	call->method = method_find(&call->message, &interface);
	if (!call->method) {
		refuse_method(call, interface);
		return;
	}
	if (conn->peer.right < call->method->right) {
		refuse_peer(call);
		return;
	}
	unknown = varlink_unknown(call->message.parameters, call->method->parameters);
	if (unknown) {
		refuse_parameter(call, unknown);
		return;
	}
	call->method->run(call);
}

void call_log(const struct call *call, const struct log_about *about, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_event(LOG_LEVEL_INFO, about, "uid %u: %s", (unsigned)call->conn->peer.uid, text);
}
