#include "connector/printer/printer_reasons.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "connector/base/ipp_codec.h"

static const char error[] = "-error";
static const char warning[] = "-warning";
static const char *const suffixes[] = { error, warning, "-report" };

/* What happens to the printer itself, how bad it is when nobody says so, and its names in
 * PrtAlertCodeTC and PrtAlertGroupTC (RFC 3805). */
static const struct kind {
	const char *word, *usual;
	bool always; /* whoever prints cannot go on: never a mere warning */
	const char *alert, *group, *text;
} kinds[] = {
	{ "cover-open", error, true, "coverOpen", "cover", "A cover is open." },
	{ "developer-empty", error, false, "markerDeveloperEmpty", "markerSupplies",
	  "The developer is empty." },
	{ "developer-low", warning, false, "markerDeveloperAlmostEmpty", "markerSupplies",
	  "The developer is low." },
	{ "door-open", error, true, "doorOpen", "cover", "A door is open." },
	{ "fuser-over-temp", error, true, "markerFuserOverTemperature", "marker",
	  "The fuser is too hot." },
	{ "fuser-under-temp", error, true, "markerFuserUnderTemperature", "marker",
	  "The fuser is too cold." },
	{ "input-tray-missing", error, false, "inputMediaTrayMissing", "input",
	  "An input tray is missing." },
	{ "interlock-open", error, true, "interlockOpen", "cover", "An interlock is open." },
	{ "interpreter-resource-unavailable", error, false, NULL, NULL, NULL },
	{ "marker-supply-empty", error, false, "subunitEmpty", "markerSupplies",
	  "A supply is empty." },
	{ "marker-supply-low", warning, false, "subunitAlmostEmpty", "markerSupplies",
	  "A supply is low." },
	{ "marker-waste-almost-full", warning, false, "markerWasteTonerReceptacleAlmostFull",
	  "markerSupplies", "The waste receptacle is almost full." },
	{ "marker-waste-full", error, false, "markerWasteTonerReceptacleFull", "markerSupplies",
	  "The waste receptacle is full." },
	{ "media-empty", error, false, "inputMediaSupplyEmpty", "input",
	  "An input tray is empty." },
	{ "media-jam", error, true, "jam", "mediaPath", "Paper is jammed." },
	{ "media-low", warning, false, "inputMediaSupplyLow", "input", "An input tray is low." },
	{ "media-needed", error, true, "inputMediaSupplyEmpty", "input",
	  "The paper of the job is not there." },
	{ "opc-life-over", error, false, "markerOpcLifeOver", "markerSupplies",
	  "The drum is worn out." },
	{ "opc-near-eol", warning, false, "markerOpcLifeAlmostOver", "markerSupplies",
	  "The drum is almost worn out." },
	{ "output-area-almost-full", warning, false, "outputMediaTrayAlmostFull", "output",
	  "An output tray is almost full." },
	{ "output-area-full", error, false, "outputMediaTrayFull", "output",
	  "An output tray is full." },
	{ "output-tray-missing", error, false, "outputMediaTrayMissing", "output",
	  "An output tray is missing." },
	{ "toner-empty", error, false, "markerTonerEmpty", "markerSupplies",
	  "The toner is empty." },
	{ "toner-low", warning, false, "markerTonerAlmostEmpty", "markerSupplies",
	  "The toner is low." },
};

/* Backends without a way to say it properly have words only. */
static const struct {
	const char *said, *word;
} said[] = {
	{ "out of paper", "media-empty" },
	{ "out of media", "media-empty" },
	{ "no paper", "media-empty" },
	{ "paper empty", "media-empty" },
	{ "load paper", "media-empty" },
	{ "load media", "media-empty" },
	{ "add paper", "media-empty" },
	{ "paper jam", "media-jam" },
	{ "media jam", "media-jam" },
	{ "jammed", "media-jam" },
	{ "cover open", "cover-open" },
	{ "cover is open", "cover-open" },
	{ "door open", "door-open" },
	{ "door is open", "door-open" },
	{ "out of toner", "toner-empty" },
	{ "toner empty", "toner-empty" },
	{ "out of ink", "marker-supply-empty" },
	{ "ink empty", "marker-supply-empty" },
};

/* What the backend for IPP and CUPS' own servers say to each other. */
static const char *const chatter[] = { "cups-ipp-", "cups-remote-", "cups-waiting-for-" };

/* What only CUPS can know, however the printer does. */
static const char *const of_cups[] = {
	"connecting-to-device", "cups-",    "deactivated", "hold-new-jobs",
	"moving-to-paused",     "offline",  "paused",      "shutdown",
	"stopped-partly",       "stopping", "timed-out"
};

/* ---- words ---------------------------------------------------------------------------------- */

static size_t base_length(const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t end = strlen(suffixes[i]);

		if (len > end && strcmp(word + len - end, suffixes[i]) == 0)
			return len - end;
	}
	return len;
}

static bool is_base(const char *word, const char *base)
{
	size_t len = base_length(word);

	return strlen(base) == len && strncmp(word, base, len) == 0;
}

static bool ends_with(const char *word, const char *suffix)
{
	return strcmp(word + base_length(word), suffix) == 0;
}

static const struct kind *kind_of(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (is_base(word, kinds[i].word))
			return &kinds[i];
	return NULL;
}

static bool begins_with_any(const char *word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(word, list[i], strlen(list[i])) == 0)
			return true;
	return false;
}

static bool is_fit(const char *word)
{
	size_t len = word != NULL ? strlen(word) : 0;

	return len > 0 && len < PRINTER_REASON_SIZE - sizeof(warning) &&
	       strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                    "0123456789-._") == len &&
	       strcmp(word, "none") != 0 && !begins_with_any(word, chatter, ARRAY_SIZE(chatter));
}

static void set(struct printer_reasons *r, int i, const char *base, const char *suffix)
{
	(void)snprintf(r->words[i], sizeof(r->words[i]), "%.*s%s", (int)base_length(base), base,
	               suffix);
}

/* Of one reason in two severities the worse one stays. */
static void put(struct printer_reasons *r, const char *word, const char *suffix)
{
	int i;

	for (i = 0; i < r->count; i++)
		if (base_length(r->words[i]) == base_length(word) &&
		    strncmp(r->words[i], word, base_length(word)) == 0)
			break;
	if (i < r->count) {
		if (suffix == error || ends_with(r->words[i], "-report"))
			set(r, i, word, suffix);
		return;
	}
	if (i < PRINTER_REASONS_MAX) {
		set(r, i, word, suffix);
		r->count++;
	}
}

static void take(struct printer_reasons *r, const char *word, bool prints)
{
	const struct kind *kind = kind_of(word);
	const char *suffix = word + base_length(word);

	if (kind != NULL && *suffix == '\0')
		suffix = kind->usual;
	if (kind != NULL && kind->always && prints && strcmp(suffix, warning) == 0)
		suffix = error;
	put(r, word, strcmp(suffix, error) == 0 ? error : suffix);
}

static void take_all(struct printer_reasons *r, ipp_t *answer, bool prints)
{
	ipp_attribute_t *attr = ippFindAttribute(answer, "printer-state-reasons", IPP_TAG_ZERO);

	for (int i = 0; i < ippGetCount(attr); i++) {
		const char *word = ippGetString(attr, i, NULL);

		if (is_fit(word))
			take(r, word, prints);
	}
}

/* ---- from outside --------------------------------------------------------------------------- */

void printer_reasons_read(ipp_t *answer, bool cups, struct printer_reasons *ret)
{
	int state = ipp_get_int(answer, IPP_TAG_PRINTER, "printer-state", 0);
	const char *words = ipp_get_text(answer, IPP_TAG_PRINTER, "printer-state-message", "");
	bool prints = cups && (state == IPP_PSTATE_PROCESSING || state == IPP_PSTATE_STOPPED);

	*ret = (struct printer_reasons){ .count = 0 };
	take_all(ret, answer, prints);
	for (size_t i = 0; prints && i < ARRAY_SIZE(said); i++)
		if (strcasestr(words, said[i].said) != NULL)
			put(ret, said[i].word, error);
}

void printer_reasons_of_device(struct printer_reasons *r, ipp_t *device)
{
	struct printer_reasons both = { .count = 0 };

	for (int i = 0; i < r->count; i++)
		if (begins_with_any(r->words[i], of_cups, ARRAY_SIZE(of_cups)))
			put(&both, r->words[i], r->words[i] + base_length(r->words[i]));
	take_all(&both, device, false);
	*r = both;
}

bool printer_reasons_have_error(const struct printer_reasons *r)
{
	for (int i = 0; i < r->count; i++)
		if (ends_with(r->words[i], error))
			return true;
	return false;
}

void printer_reasons_add(const struct printer_reasons *r, ipp_t *out)
{
	const char *words[PRINTER_REASONS_MAX] = { "none" };

	for (int i = 0; i < r->count; i++)
		words[i] = r->words[i];
	ippAddStrings(out, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "printer-state-reasons",
	              r->count > 0 ? r->count : 1, NULL, words);
}

void printer_reasons_add_alerts(const struct printer_reasons *r, ipp_t *out)
{
	const char *texts[PRINTER_REASONS_MAX] = { "" };
	ipp_attribute_t *attr;
	char alert[160];
	int n = 0;

	attr = ippAddOctetString(out, IPP_TAG_PRINTER, "printer-alert", "", 0);
	for (int i = 0; i < r->count; i++) {
		const struct kind *kind = kind_of(r->words[i]);
		int len;

		if (kind == NULL || kind->alert == NULL)
			continue;
		len = snprintf(alert, sizeof(alert), "code=%s;severity=%s;group=%s;", kind->alert,
		               ends_with(r->words[i], error) ? "critical" : "warning", kind->group);
		ippSetOctetString(out, &attr, n, alert, len);
		texts[n++] = kind->text;
	}
	ippAddStrings(out, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-alert-description",
	              n > 0 ? n : 1, NULL, texts);
}
