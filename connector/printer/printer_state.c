#include "connector/printer/printer_state.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"
#include "connector/printer/capabilities.h"
#include "connector/printer/capability_clean.h"
#include "connector/printer/capability_media.h"
#include "connector/printer/capability_table.h"
#include "connector/printer/printer_parts.h"
#include "connector/printer/printer_reasons.h"
#include "connector/printer/printer_text.h"

const char *const printer_state_names[] = {
	"printer-state",
	"printer-state-reasons",
	"printer-state-message",
	"printer-state-change-time",
	"printer-state-change-date-time",
	"printer-is-accepting-jobs",
	"printer-config-change-time",
	"media-ready",
	"media-col-ready",
	"printer-input-tray",
	"printer-output-tray",
	"printer-supply",
	"printer-supply-description",
	"printer-alert",
	"printer-alert-description",
	"marker-colors",
	"marker-levels",
	"marker-names",
	"marker-types",
};
const int printer_state_name_count = (int)ARRAY_SIZE(printer_state_names);

/* Asked for our own use; the cloud gets it with the capabilities. */
static const char config_time[] = "printer-config-change-time";

/* What backends of CUPS and cups-filters say when the device does not answer; only the text tells
 * (the state stays "processing"). */
static const char *const unreachable_texts[] = {
	"may not exist or is unavailable",
	"unable to connect",
	"unable to locate printer",
	"is not responding",
	"printer is unreachable",
	"not connected",
	"could not connect",
	"unable to contact",
};

static bool is_supported(ipp_t *answer, ipp_op_t op)
{
	ipp_attribute_t *ops = ippFindAttribute(answer, "operations-supported", IPP_TAG_ENUM);

	return ops != NULL && ippContainsInteger(ops, (int)op);
}

void printer_traits_read(ipp_t *answer, bool cups, struct printer_traits *ret)
{
	const char *device = ipp_get_text(answer, IPP_TAG_PRINTER, "device-uri", "");

	*ret = (struct printer_traits){
		.create_job = is_supported(answer, IPP_OP_CREATE_JOB) &&
		              is_supported(answer, IPP_OP_SEND_DOCUMENT),
		.close_job = is_supported(answer, IPP_OP_CLOSE_JOB),
		.identify = is_supported(answer, IPP_OP_IDENTIFY_PRINTER),
		.which_all =
			ipp_has_keyword(answer, IPP_TAG_PRINTER, "which-jobs-supported", "all"),
		.multiple_documents =
			cups || ipp_get_bool(answer, IPP_TAG_PRINTER,
		                             "multiple-document-jobs-supported", false),
		/* cupsd heeds it without saying so */
		.cancel_after = cups || ippFindAttribute(answer, "job-cancel-after-supported",
		                                         IPP_TAG_ZERO) != NULL,
		.ippget = is_supported(answer, IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS) &&
		          is_supported(answer, IPP_OP_GET_NOTIFICATIONS),
		.raw = cups && capabilities_is_raw(answer),
		.file_device = cups && strncmp(device, "file:", 5) == 0 &&
		               strcmp(device, "file:///dev/null") != 0,
	};
}

static bool says_unreachable(const char *message)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(unreachable_texts); i++)
		if (strcasestr(message, unreachable_texts[i]) != NULL)
			return true;
	return false;
}

bool printer_state_says_untouched(const char *message)
{
	return says_unreachable(message) || strcasestr(message, "is in use") != NULL ||
	       strcasestr(message, "is busy") != NULL;
}

void printer_state_unreachable(ipp_t *answer, const char *name, struct queue_status *status)
{
	const char *message = ipp_get_text(answer, IPP_TAG_PRINTER, "printer-state-message", "");
	char clean[TEXT_SIZE];

	printer_text_copy(clean, sizeof(clean), message);
	status->health = QUEUE_UNREACHABLE;
	printer_text_set(
		status->text, sizeof(status->text),
		"the device of queue %.60s does not answer: switch it on, check its cable%s%.80s",
		name, clean[0] != '\0' ? ": " : "", clean);
}

/* An IPP printer knows how it does; CUPS only learns it while it tries to print: reasons that stay
 * from the last job must not keep the next one away. */
static bool is_unreachable(ipp_t *answer, bool cups, ipp_pstate_t state, const char *message)
{
	const char *reasons = "printer-state-reasons";

	if (cups && state != IPP_PSTATE_PROCESSING)
		return false;
	return (cups && says_unreachable(message)) ||
	       ipp_has_keyword(answer, IPP_TAG_PRINTER, reasons, "offline-report") ||
	       ipp_has_keyword(answer, IPP_TAG_PRINTER, reasons, "offline") ||
	       ipp_has_keyword(answer, IPP_TAG_PRINTER, reasons, "timed-out");
}

void printer_state_read(ipp_t *answer, const char *name, bool cups, struct queue_status *status,
                        bool *ret_connecting)
{
	int number = ipp_get_int(answer, IPP_TAG_PRINTER, "printer-state", 0);
	ipp_pstate_t state = (ipp_pstate_t)number;
	const char *message = ipp_get_text(answer, IPP_TAG_PRINTER, "printer-state-message", "");
	char clean[TEXT_SIZE];

	printer_text_copy(clean, sizeof(clean), message);
	status->health = QUEUE_READY;
	status->text[0] = '\0';
	*ret_connecting = cups && state == IPP_PSTATE_PROCESSING &&
	                  ipp_has_keyword(answer, IPP_TAG_PRINTER, "printer-state-reasons",
	                                  "connecting-to-device");
	if (state == IPP_PSTATE_STOPPED) {
		status->health = cups ? QUEUE_STOPPED : QUEUE_HALTED;
		printer_text_set(
			status->text, sizeof(status->text), "%s %.60s is stopped%s%.60s%s%.30s",
			cups ? "queue" : "printer", name, clean[0] != '\0' ? ": " : "", clean,
			cups ? "; cupsenable " : "; see to it at the device", cups ? name : "");
	} else if (!ipp_get_bool(answer, IPP_TAG_PRINTER, "printer-is-accepting-jobs", true)) {
		status->health = cups ? QUEUE_STOPPED : QUEUE_HALTED;
		printer_text_set(status->text, sizeof(status->text), "%s %.60s rejects jobs%s%.60s",
		                 cups ? "queue" : "printer", name,
		                 cups ? "; cupsaccept " : "; see to it at the device",
		                 cups ? name : "");
	} else if (is_unreachable(answer, cups, state, message)) {
		printer_state_unreachable(answer, name, status);
	}
}

void printer_state_behind(ipp_t *device, const char *name, struct queue_status *status)
{
	struct printer_reasons reasons;
	char clean[TEXT_SIZE];

	if (status->health != QUEUE_READY ||
	    ipp_get_int(device, IPP_TAG_ZERO, "printer-state", 0) != IPP_PSTATE_STOPPED)
		return;
	printer_text_copy(clean, sizeof(clean),
	                  ipp_get_text(device, IPP_TAG_ZERO, "printer-state-message", ""));
	printer_reasons_read(device, false, &reasons);
	if (clean[0] == '\0' && reasons.count > 0)
		printer_text_copy(clean, sizeof(clean), reasons.words[0]);
	status->health = QUEUE_HALTED;
	printer_text_set(status->text, sizeof(status->text),
	                 "the printer of queue %.60s is stopped%s%.60s: see to it there", name,
	                 clean[0] != '\0' ? ": " : "", clean);
}

void printer_identity_read(ipp_t *answer, bool cups, struct queue_status *status)
{
	struct printer_traits traits;

	printer_traits_read(answer, cups, &traits);
	status->whole = !cups;
	status->multiple_documents = traits.multiple_documents;
	status->closes_after_s =
		ipp_get_int(answer, IPP_TAG_PRINTER, "multiple-operation-time-out", 0);
	status->to_file = traits.file_device;
	printer_text_copy(status->info, sizeof(status->info),
	                  ipp_get_text(answer, IPP_TAG_PRINTER, "printer-info", ""));
	printer_text_copy(status->make_and_model, sizeof(status->make_and_model),
	                  ipp_get_text(answer, IPP_TAG_PRINTER, "printer-make-and-model", ""));
	printer_text_copy(status->printer_uuid, sizeof(status->printer_uuid),
	                  ipp_get_text(answer, IPP_TAG_PRINTER, "printer-uuid", ""));
}

static bool is_state(const char *name, bool cups)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(printer_state_names); i++)
		if (strcmp(name, printer_state_names[i]) == 0)
			return strcmp(name, config_time) != 0 && strncmp(name, "marker-", 7) != 0 &&
			       /* CUPS names what is usual in its country: not a state */
			       !(cups && strncmp(name, "media-", 6) == 0);
	return false;
}

/* CUPS that is down, a queue that is gone and a device that does not answer are told apart. */
static const char *outside_reason(const struct queue_status *status)
{
	switch (status->health) {
	case QUEUE_MISSING:
		return "shutdown";
	case QUEUE_DOWN:
		return status->whole ? "connecting-to-device" : "timed-out";
	case QUEUE_UNKNOWN:
	case QUEUE_UNREACHABLE:
	case QUEUE_UNTRUSTED:
		return "connecting-to-device";
	case QUEUE_READY:
	case QUEUE_STOPPED:
	case QUEUE_HALTED:
		break;
	}
	return NULL;
}

/* Set together with what is made of them. */
static bool is_made(const char *name)
{
	return strncmp(name, "printer-state", 13) == 0 &&
	       strncmp(name, "printer-state-change", 20) != 0;
}

/* What a printer that CUPS prints to knows better than CUPS. */
static bool is_of_device(const char *name)
{
	return strncmp(name, "media-", 6) == 0 || strncmp(name, "printer-alert", 13) == 0 ||
	       strncmp(name, "printer-input-", 14) == 0 ||
	       strncmp(name, "printer-output-", 15) == 0 ||
	       strncmp(name, "printer-supply", 14) == 0;
}

static void copy_device(ipp_t *out, ipp_t *device)
{
	for (ipp_attribute_t *a = ippFirstAttribute(device); a != NULL;
	     a = ippNextAttribute(device)) {
		const char *name = ippGetName(a);
		const struct capability *as = name != NULL ? capability_find(name) : NULL;

		if (as != NULL && is_of_device(name) &&
		    ippFindAttribute(out, name, IPP_TAG_ZERO) == NULL)
			capability_copy(out, as, a);
	}
}

/* While CUPS prints, filters mutter, other words every second: of its words those count that go
 * with trouble. None is told as such, since a cloud keeps what it is not told. */
static const char *words_of(ipp_t *answer, ipp_t *device, const struct queue_status *status,
                            const struct printer_reasons *reasons)
{
	const char *name = "printer-state-message", *words;

	if (status->health == QUEUE_READY && !status->whole && !printer_reasons_have_error(reasons))
		return "";
	words = ipp_get_text(device, IPP_TAG_ZERO, name, "");
	return words[0] != '\0' ? words : ipp_get_text(answer, IPP_TAG_PRINTER, name, "");
}

static void add_state(ipp_t *out, ipp_t *answer, ipp_t *device, const struct queue_status *status)
{
	int state = ipp_get_int(answer, IPP_TAG_PRINTER, "printer-state", 0);
	int behind = ipp_get_int(device, IPP_TAG_ZERO, "printer-state", 0);
	struct printer_reasons reasons;
	char words[1024];

	printer_reasons_read(answer, !status->whole, &reasons);
	if (device != NULL)
		printer_reasons_of_device(&reasons, device);
	if (behind == IPP_PSTATE_STOPPED)
		state = IPP_PSTATE_STOPPED;
	else if (state < IPP_PSTATE_IDLE || state > IPP_PSTATE_STOPPED)
		state = status->health == QUEUE_READY ? IPP_PSTATE_IDLE : IPP_PSTATE_STOPPED;
	printer_text_copy(words, sizeof(words), words_of(answer, device, status, &reasons));
	ippAddInteger(out, IPP_TAG_PRINTER, IPP_TAG_ENUM, "printer-state", state);
	printer_reasons_add(&reasons, out);
	ippAddString(out, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-state-message", NULL, words);
	if (ippFindAttribute(out, "printer-alert", IPP_TAG_ZERO) == NULL)
		printer_reasons_add_alerts(&reasons, out);
}

static void add_outside(ipp_t *out, const char *reason, const char *text)
{
	const struct printer_reasons none = { .count = 0 };

	ippAddInteger(out, IPP_TAG_PRINTER, IPP_TAG_ENUM, "printer-state", IPP_PSTATE_STOPPED);
	ippAddString(out, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "printer-state-reasons", NULL, reason);
	ippAddString(out, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-state-message", NULL, text);
	if (ippFindAttribute(out, "printer-alert", IPP_TAG_ZERO) == NULL)
		printer_reasons_add_alerts(&none, out);
}

struct attrs *printer_state_attrs(ipp_t *answer, const struct queue_status *status,
                                  ipp_t *capabilities, ipp_t *device)
{
	const char *reason = outside_reason(status);
	ipp_t *out = ippNew();

	copy_device(out, device);
	if (!status->whole) /* CUPS makes such values too, with colours that nobody knows */
		printer_parts_add_supplies(out, answer);
	for (ipp_attribute_t *a = ippFirstAttribute(answer); a != NULL;
	     a = ippNextAttribute(answer)) {
		const char *name = ippGetName(a);
		const struct capability *as = name != NULL ? capability_find(name) : NULL;

		if (as != NULL && ippGetGroupTag(a) == IPP_TAG_PRINTER && !is_made(name) &&
		    is_state(name, !status->whole) &&
		    ippFindAttribute(out, name, IPP_TAG_ZERO) == NULL)
			capability_copy(out, as, a);
	}
	if (!status->whole)
		printer_parts_add_trays(out, capabilities);
	capability_media_fit_ready(out);
	if (reason != NULL)
		add_outside(out, reason, status->text);
	else
		add_state(out, answer, device, status);
	if (ippFindAttribute(out, "printer-is-accepting-jobs", IPP_TAG_ZERO) == NULL)
		ippAddBoolean(out, IPP_TAG_PRINTER, "printer-is-accepting-jobs", 1);
	return attrs_new(out);
}
