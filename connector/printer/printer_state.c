#include "connector/printer/printer_state.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"
#include "connector/printer/capability_clean.h"
#include "connector/printer/capability_media.h"
#include "connector/printer/capability_table.h"
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
		status->health = QUEUE_STOPPED;
		printer_text_set(
			status->text, sizeof(status->text), "%s %.60s is stopped%s%.60s%s%.30s",
			cups ? "queue" : "printer", name, clean[0] != '\0' ? ": " : "", clean,
			cups ? ": cupsenable " : ": see to it at the device", cups ? name : "");
	} else if (!ipp_get_bool(answer, IPP_TAG_PRINTER, "printer-is-accepting-jobs", true)) {
		status->health = QUEUE_STOPPED;
		printer_text_set(status->text, sizeof(status->text), "%s %.60s rejects jobs%s%.60s",
		                 cups ? "queue" : "printer", name,
		                 cups ? ": cupsaccept " : ": see to it at the device",
		                 cups ? name : "");
	} else if (is_unreachable(answer, cups, state, message)) {
		printer_state_unreachable(answer, name, status);
	}
}

void printer_identity_read(ipp_t *answer, bool cups, struct queue_status *status)
{
	struct printer_traits traits;

	printer_traits_read(answer, cups, &traits);
	status->whole = !cups;
	status->multiple_documents = traits.multiple_documents;
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

/* printer-supply (PWG 5100.13 5.6.27) out of the marker-* that CUPS has from its drivers. */
static void add_supplies(ipp_t *out, ipp_t *answer)
{
	ipp_attribute_t *levels = ippFindAttribute(answer, "marker-levels", IPP_TAG_INTEGER);
	ipp_attribute_t *names = ippFindAttribute(answer, "marker-names", IPP_TAG_NAME);
	ipp_attribute_t *types = ippFindAttribute(answer, "marker-types", IPP_TAG_KEYWORD);
	ipp_attribute_t *attr = NULL;
	char text[IPP_MAX_NAME], name[64];
	const char *described[32];
	int i, count = ippGetCount(levels);

	if (names == NULL || types == NULL || ippGetCount(names) != count ||
	    ippGetCount(types) != count || count > (int)ARRAY_SIZE(described) ||
	    ippFindAttribute(out, "printer-supply", IPP_TAG_ZERO) != NULL)
		return;
	for (i = 0; i < count; i++) {
		printer_text_copy(name, sizeof(name), ippGetString(types, i, NULL));
		printer_text_set(text, sizeof(text),
		                 "index=%d;class=%s;type=%s;unit=percent;maxcapacity=100;level=%d;",
		                 i + 1,
		                 strncmp(name, "waste", 5) == 0 ? "receptacleThatIsFilled"
		                                                : "supplyThatIsConsumed",
		                 name, ippGetInteger(levels, i));
		if (attr == NULL)
			attr = ippAddOctetString(out, IPP_TAG_PRINTER, "printer-supply", text,
			                         (int)strlen(text));
		else
			ippSetOctetString(out, &attr, i, text, (int)strlen(text));
		described[i] = ippGetString(names, i, NULL);
	}
	if (count > 0 && ippFindAttribute(out, "printer-supply-description", IPP_TAG_ZERO) == NULL)
		ippAddStrings(out, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-supply-description",
		              count, NULL, described);
}

static const char *outside_reason(enum queue_health health)
{
	switch (health) {
	case QUEUE_MISSING:
		return "shutdown";
	case QUEUE_UNKNOWN:
	case QUEUE_UNREACHABLE:
	case QUEUE_DOWN:
		return "connecting-to-device";
	case QUEUE_READY:
	case QUEUE_STOPPED:
		break;
	}
	return NULL;
}

/* A queue of CUPS that does well. */
static bool is_quiet(const struct queue_status *status)
{
	return status->health == QUEUE_READY && !status->whole;
}

struct attrs *printer_state_attrs(ipp_t *answer, const struct queue_status *status)
{
	const char *reason = outside_reason(status->health);
	ipp_t *out = ippNew();
	ipp_attribute_t *attr;

	attr = answer != NULL ? ippFirstAttribute(answer) : NULL;
	for (; attr != NULL; attr = ippNextAttribute(answer)) {
		const char *name = ippGetName(attr);
		const struct capability *as = name != NULL ? capability_find(name) : NULL;

		if (name == NULL || ippGetGroupTag(attr) != IPP_TAG_PRINTER ||
		    !is_state(name, !status->whole))
			continue;
		if (reason != NULL && (strncmp(name, "printer-state", 13) == 0))
			continue;
		/* while CUPS prints it is what filters mutter, other words every second */
		if (is_quiet(status) && strcmp(name, "printer-state-message") == 0)
			continue;
		if (as != NULL && ippFindAttribute(out, name, IPP_TAG_ZERO) == NULL)
			capability_copy(out, as, attr);
	}
	if (answer != NULL)
		add_supplies(out, answer);
	capability_media_fit_ready(out);
	if (reason != NULL) {
		ippAddInteger(out, IPP_TAG_PRINTER, IPP_TAG_ENUM, "printer-state",
		              IPP_PSTATE_STOPPED);
		ippAddString(out, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "printer-state-reasons", NULL,
		             reason);
		ippAddString(out, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-state-message", NULL,
		             status->text);
	}
	if (ippFindAttribute(out, "printer-is-accepting-jobs", IPP_TAG_ZERO) == NULL)
		ippAddBoolean(out, IPP_TAG_PRINTER, "printer-is-accepting-jobs", 1);
	return attrs_new(out);
}
