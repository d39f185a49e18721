/* cloud.c - a configured cloud, and the functions of cloud.h. A look at a printer (probe) and a
 * registration (enroll) go through a channel of their own that is never started. */
#include "connector/cloud/cloud.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/str.h"
#include "common/uri.h"
#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"
#include "connector/cloud/channel.h"
#include "connector/cloud/dialect.h"
#include "connector/cloud/document.h"
#include "connector/cloud/job_ops.h"
#include "connector/cloud/registration.h"
#include "connector/cloud/service.h"
#include "connector/cloud/sign_in.h"
#include "connector/cloud/talk.h"
#include "connector/cloud/universal.h"

#define CERTIFICATE_MAX (64u << 10)
#define HEARTBEAT_MS    600000

/* ---- the cloud ---- */

static char *copy_or_null(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static int cloud_open(struct cloud **ret, const struct cloud_settings *settings, struct err *err)
{
	struct universal *universal = NULL;
	struct cloud *c;
	struct target target = { 0 };

	if (settings->system_uri && target_set(&target, settings->system_uri, NULL, NULL, err) < 0)
		return err_wrap(err, "system-uri");
	target_clear(&target);
	if (settings->type == CLOUD_UNIVERSAL_PRINT &&
	    universal_open(&universal, settings, err) < 0)
		return err_wrap(err, "cloud %.60s", settings->name);
	c = xcalloc(1, sizeof(*c));
	c->refs = 1;
	c->name = xstrdup(settings->name);
	c->system_uri = copy_or_null(settings->system_uri);
	c->ca_file = copy_or_null(settings->ca_file);
	c->proxy = copy_or_null(settings->proxy);
	c->username = copy_or_null(settings->username);
	c->password = copy_or_null(settings->password);
	c->certificate_file = copy_or_null(settings->certificate_file);
	c->key_file = copy_or_null(settings->key_file);
	c->http = settings->http;
	c->clock = settings->clock;
	c->vault = settings->vault;
	c->heartbeat_ms = settings->heartbeat_ms ? settings->heartbeat_ms : HEARTBEAT_MS;
	c->start_ms = c->clock->now_ms(c->clock) + settings->pause_ms;
	c->universal = universal;
	c->dialect = universal ? &dialect_universal_print : &dialect_ipp_infra;
	*ret = c;
	return 0;
}

static void cloud_close(struct cloud *c)
{
	talks_end(c);
	service_unref(c);
}

static const struct cloud_stats *cloud_stats(const struct cloud *c)
{
	return &c->stats;
}

/* ---- probe and enroll ---- */

static void close_temporary(struct cloud_op *op)
{
	struct channel *ch = TAKE(op->temporary);

	op->channel = NULL;
	channel_close(ch);
}

static void end(struct cloud_op *op, const struct err *err)
{
	struct err copy;

	if (err)
		copy = *err;
	talk_clear(&op->talk); /* borrows of the channel */
	close_temporary(op);
	op->done(op, err ? &copy : NULL);
}

static int ask_apart(struct cloud *c, struct cloud_op *op, const struct channel_settings *settings,
                     struct err *err)
{
	static const struct channel_listener nobody;

	op->cloud = c;
	if (channel_open(&op->temporary, c, settings, &nobody, err) < 0)
		return -1;
	op->channel = op->temporary;
	return 0;
}

static bool has_operation(ipp_t *answer, ipp_op_t wanted)
{
	ipp_attribute_t *a = ippFindAttribute(answer, "operations-supported", IPP_TAG_ENUM);

	for (int i = 0; a && i < ippGetCount(a); i++)
		if (ippGetInteger(a, i) == (int)wanted)
			return true;
	return !a; /* a server that does not say it is given the chance */
}

static void read_printer(struct cloud_op *op, ipp_t *answer)
{
	str_clean(ipp_get_text(answer, IPP_TAG_PRINTER, "printer-uuid", ""), op->printer_uuid,
	          sizeof(op->printer_uuid));
}

static void on_probe(struct ipp_op *ipp, const struct err *err)
{
	struct cloud_op *op = ipp->data;
	struct err failed;

	if (err && (outage_is_refusal(err) || (err->kind == ERR_GONE && ipp->response))) {
		outage_explain(err, &failed);
		end(op, &failed);
	} else if (err) {
		end(op, err);
	} else if (!op->cloud->universal && !has_operation(ipp->response, IPP_OP_FETCH_JOB)) {
		(void)err_set(&failed, ERR_REJECTED, 0,
		              "not an infrastructure printer: it has no Fetch-Job; check the "
		              "printer's address in the cloud");
		end(op, &failed);
	} else {
		read_printer(op, ipp->response);
		(void)str_copy(op->printer_uri, sizeof(op->printer_uri),
		               op->channel->target.printer_uri);
		end(op, NULL);
	}
}

static int cloud_probe(struct cloud *c, struct cloud_op *op,
                       const struct channel_settings *settings, struct err *err)
{
	if (ask_apart(c, op, settings, err) < 0)
		return -1;
	if (job_ops_ask(op, request_probe(&op->channel->target), on_probe, err) == 0)
		return 0;
	close_temporary(op);
	return -1;
}

/* The URI at which the new printer is served; only at the host that was configured. */
static int read_address(struct cloud_op *op, ipp_t *answer, struct err *err)
{
	ipp_attribute_t *xri =
		ippFindAttribute(answer, "printer-xri-supported", IPP_TAG_BEGIN_COLLECTION);
	ipp_t *first = xri ? ippGetCollection(xri, 0) : NULL;
	const char *uri = first ? ipp_get_text(first, IPP_TAG_ZERO, "xri-uri", NULL) : NULL;
	struct uri at, ours;

	if (!uri)
		uri = ipp_get_text(answer, IPP_TAG_PRINTER, "printer-uri-supported", NULL);
	if (!uri || uri_parse(uri, &at) < 0 || uri_parse(op->cloud->system_uri, &ours) < 0 ||
	    at.userinfo)
		return err_set(err, ERR_TEMPORARY, 0,
		               "the cloud registered the printer and gave no address for it");
	if (strcmp(at.host, ours.host) != 0)
		return err_set(err, ERR_REJECTED, 0,
		               "the cloud registered the printer at %.80s, which is not its own "
		               "host",
		               at.host);
	return str_copy(op->printer_uri, sizeof(op->printer_uri), uri) < 0
	               ? err_set(err, ERR_REJECTED, 0, "the printer's address is too long")
	               : 0;
}

/* One line or one piece of the file in each value. */
static int read_certificate(struct cloud_op *op, ipp_t *answer, struct err *err)
{
	ipp_attribute_t *a =
		ippFindAttribute(answer, "output-device-x509-certificate", IPP_TAG_TEXT);

	buf_init(&op->certificate, CERTIFICATE_MAX);
	for (int i = 0; a && i < ippGetCount(a); i++) {
		const char *line = ippGetString(a, i, NULL);
		size_t len = line ? strlen(line) : 0;

		if (len && (buf_append(&op->certificate, line, len) < 0 ||
		            (line[len - 1] != '\n' && buf_append(&op->certificate, "\n", 1) < 0)))
			return err_set(err, ERR_REJECTED, 0,
			               "the cloud's certificate for the printer is too long");
	}
	if (strstr(buf_text(&op->certificate), "-----BEGIN CERTIFICATE-----"))
		return 0;
	return err_set(err, ERR_TEMPORARY, 0,
	               "the cloud registered the printer and gave no certificate for it");
}

static void on_enroll(struct ipp_op *ipp, const struct err *err)
{
	struct cloud_op *op = ipp->data;
	struct err failed;

	if (err) {
		end(op, err);
	} else if (read_address(op, ipp->response, &failed) < 0 ||
	           read_certificate(op, ipp->response, &failed) < 0) {
		end(op, &failed);
	} else {
		read_printer(op, ipp->response);
		end(op, NULL);
	}
}

static bool cloud_wants_sign_in(const struct cloud *c)
{
	return c->universal; /* IPP INFRA knows a proxy by its credentials */
}

static int cloud_enroll(struct cloud *c, struct cloud_op *op, const struct cloud_enrolment *what,
                        struct err *err)
{
	struct channel_settings settings = {
		.uri = c->system_uri,
		.device_uuid = what->device_uuid,
		.username = c->username,
		.password = c->password,
		.certificate_file = c->certificate_file,
		.key_file = c->key_file,
	};

	if (c->universal)
		return registration_start(c, op, what, err);
	/* Register-Output-Device has no place for a name; the attributes tell it later */
	if (!c->system_uri)
		return err_set(err, ERR_REJECTED, 0,
		               "cloud %.60s has no system-uri: set it, or give --cloud-uri",
		               c->name);
	if (ask_apart(c, op, &settings, err) < 0)
		return -1;
	if (job_ops_ask(op, request_register(&op->channel->target, what->request_pem), on_enroll,
	                err) == 0)
		return 0;
	close_temporary(op);
	return -1;
}

/* ---- any operation ---- */

static void op_cancel(struct cloud_op *op)
{
	op->stopping = true;
	if (op->sign_in)
		sign_in_cancel(op->sign_in);
	else if (op->registration)
		registration_cancel(op->registration);
	else if (op->document)
		document_cancel(op);
	else
		talk_cancel(&op->talk);
}

static void op_clear(struct cloud_op *op)
{
	talk_clear(&op->talk);
	document_free(op->document);
	sign_in_free(op->sign_in);
	registration_free(op->registration);
	attrs_unref(op->ticket);
	free(op->document_password);
	buf_clear(&op->certificate);
	channel_close(op->temporary);
	memset(op, 0, sizeof(*op));
}

const struct cloud_ops cloud_ops = {
	.open = cloud_open,
	.close = cloud_close,
	.stats = cloud_stats,
	.channel_open = channel_open,
	.channel_close = channel_close,
	.update = channel_update,
	.list = channel_list,
	.fetch = job_ops_fetch,
	.accept = job_ops_accept,
	.refuse = job_ops_refuse,
	.document = document_fetch,
	.report = job_ops_report,
	.check = job_ops_check,
	.probe = cloud_probe,
	.wants_sign_in = cloud_wants_sign_in,
	.sign_in = sign_in_start,
	.sign_out = sign_in_end,
	.enroll = cloud_enroll,
	.op_cancel = op_cancel,
	.op_clear = op_clear,
};
