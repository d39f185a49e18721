/* registration.c - Register-Output-Device at the system service (PWG 5100.22). */
#include "tests/emulator/infra.h"

#include <stdlib.h>
#include <string.h>

#include "tests/emulator/buffer.h"
#include "tests/emulator/certificates.h"
#include "tests/emulator/exchange.h"
#include "tests/emulator/jobs.h"
#include "tests/emulator/printers.h"
#include "tests/emulator/record.h"

/* PEM that came as several text values: lines, or pieces of any length. */
static char *join_pem(ipp_attribute_t *a, bool lines)
{
	struct buffer b = { 0 };
	int i;

	for (i = 0; i < ippGetCount(a); i++) {
		const char *value = ippGetString(a, i, NULL);

		buffer_text(&b, value ? value : "");
		if (lines && b.len > 0 && b.data[b.len - 1] != '\n')
			buffer_text(&b, "\n");
	}
	return b.data;
}

static char *sign_request(ipp_attribute_t *request, char **fingerprint)
{
	AUTO(free_str) char *lines = join_pem(request, true);
	AUTO(free_str) char *pieces = join_pem(request, false);
	char *certificate = certificates_sign(lines, fingerprint);

	return certificate ? certificate : certificates_sign(pieces, fingerprint);
}

static void add_lines(ipp_t *to, char *pem)
{
	const char *values[256];
	char *line, *next = pem;
	int n = 0;

	while ((line = strsep(&next, "\n")) != NULL && n < 256) {
		if (*line != '\0')
			values[n++] = line;
	}
	ippAddStrings(to, IPP_TAG_OPERATION, IPP_TAG_TEXT, "output-device-x509-certificate", n,
	              NULL, values);
}

static bool asks_to_print(ipp_attribute_t *service)
{
	return service != NULL && ippContainsString(service, "print");
}

static void answer_printer(struct exchange *x, struct printer *p)
{
	const char *const reasons[] = { "shutdown" };
	const char *auth = p->auth == AUTH_CERTIFICATE ? "certificate"
	                   : p->auth == AUTH_BASIC     ? "basic"
	                                               : "none";
	const char *scheme = x->peer->tls ? "ipps" : "ipp";
	int id = 0;
	struct printer *other;
	ipp_t *xri = ippNew();

	for (other = printers_first(); other != NULL && other != p; other = printer_next(other))
		id++;
	AUTO(free_str)
	char *uri = xprintf("%s://%s%s", scheme, x->host ? x->host : "localhost", p->path);
	ippAddString(xri, IPP_TAG_ZERO, IPP_TAG_KEYWORD, "xri-authentication", NULL, auth);
	ippAddString(xri, IPP_TAG_ZERO, IPP_TAG_KEYWORD, "xri-security", NULL,
	             x->peer->tls ? "tls" : "none");
	ippAddString(xri, IPP_TAG_ZERO, IPP_TAG_URI, "xri-uri", NULL, uri);
	ippAddInteger(x->answer, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "printer-id", id + 1);
	ippAddBoolean(x->answer, IPP_TAG_PRINTER, "printer-is-accepting-jobs", 1);
	ippAddInteger(x->answer, IPP_TAG_PRINTER, IPP_TAG_ENUM, "printer-state", printer_state(p));
	ippAddStrings(x->answer, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "printer-state-reasons", 1, NULL,
	              reasons);
	ippAddString(x->answer, IPP_TAG_PRINTER, IPP_TAG_URI, "printer-uuid", NULL, p->uuid);
	ippAddCollection(x->answer, IPP_TAG_PRINTER, "printer-xri-supported", xri);
	ippDelete(xri);
}

/* The printer of this device: /ipp/print/UUID, made at its first registration. */
static struct printer *printer_of(struct exchange *x)
{
	const char *name = x->uuid + strlen("urn:uuid:");
	struct printer *p = printers_find(name, strlen(name));
	char *why = NULL;

	if (p == NULL && printers_add(name, &p, &why) < 0) {
		free(why);
		return NULL;
	}
	return p;
}

int infra_register_output_device(struct exchange *x)
{
	ipp_attribute_t *certificate, *request;
	AUTO(free_str) char *fingerprint = NULL;
	AUTO(free_str) char *pem = NULL;
	struct printer *p;

	certificate = exchange_find(x, "output-device-x509-certificate", IPP_TAG_TEXT);
	request = exchange_find(x, "output-device-x509-request", IPP_TAG_TEXT);
	if (!asks_to_print(exchange_find(x, "printer-service-type", IPP_TAG_KEYWORD))) {
		record_violation(x, "missing-attribute", "no printer-service-type=print");
		return exchange_refuse(x, IPP_STATUS_ERROR_BAD_REQUEST,
		                       "want printer-service-type=print");
	}
	if (certificate != NULL && request != NULL) {
		record_violation(x, "conflict", "certificate and request for one");
		return exchange_refuse(x, IPP_STATUS_ERROR_CONFLICTING,
		                       "a certificate or a request, not both");
	}
	if (request != NULL) {
		pem = sign_request(request, &fingerprint);
		if (pem == NULL) {
			record_violation(x, "csr", "not a signed certificate request in PEM");
			return exchange_refuse(x, IPP_STATUS_ERROR_ATTRIBUTES_OR_VALUES,
			                       "output-device-x509-request does not verify");
		}
	} else if (certificate != NULL) {
		AUTO(free_str) char *given = join_pem(certificate, true);

		fingerprint = certificates_fingerprint(given);
		if (fingerprint == NULL)
			return exchange_refuse(x, IPP_STATUS_ERROR_ATTRIBUTES_OR_VALUES,
			                       "output-device-x509-certificate is none");
	}
	p = printer_of(x);
	if (p == NULL)
		return exchange_refuse(x, IPP_STATUS_ERROR_INTERNAL, "no printer to be had");
	if (fingerprint != NULL) {
		p->auth = AUTH_CERTIFICATE;
		job_set_text(&p->fingerprint, fingerprint);
	}
	if (pem != NULL)
		add_lines(x->answer, pem);
	answer_printer(x, p);
	x->printer = p;
	return IPP_STATUS_OK;
}
