#include "connector/printer/printer_parts.h"

#include <stdio.h>
#include <string.h>

#include "common/str.h"
#include "common/util.h"
#include "connector/base/records.h"
#include "connector/printer/printer_text.h"

#define SUPPLIES_MAX 32
#define TRAYS_MAX    32

/* Levels that are none (RFC 3805 prtMarkerSuppliesLevel); CUPS hands them on. */
#define LEVEL_UNKNOWN (-2)
#define LEVEL_SOME    (-3)

/* "printer-supply" has the names of PrtMarkerSuppliesTypeTC, CUPS has them as keywords. */
static const char *const supply_types[] = {
	"other",
	"unknown",
	"toner",
	"waste-toner",
	"ink",
	"ink-cartridge",
	"ink-ribbon",
	"waste-ink",
	"opc",
	"developer",
	"fuser-oil",
	"solid-wax",
	"ribbon-wax",
	"waste-wax",
	"fuser",
	"corona-wire",
	"fuser-oil-wick",
	"cleaner-unit",
	"fuser-cleaning-pad",
	"transfer-unit",
	"toner-cartridge",
	"fuser-oiler",
	"water",
	"waste-water",
	"glue-water-additive",
	"waste-paper",
	"binding-supply",
	"banding-supply",
	"stitching-wire",
	"shrink-wrap",
	"paper-wrap",
	"staples",
	"inserts",
	"covers",
};

static const struct {
	const char *rgb, *name;
} colors[] = {
	{ "#000000", "black" },  { "#00FFFF", "cyan" },  { "#FF00FF", "magenta" },
	{ "#FFFF00", "yellow" }, { "#FFFFFF", "white" }, { "#FF0000", "red" },
	{ "#00FF00", "green" },  { "#0000FF", "blue" },
};

/* The camel case of the MIB: "waste-toner" is wasteToner. */
static void supply_type(const char *keyword, char *ret, size_t size)
{
	bool known =
		keyword != NULL && str_is_listed(keyword, supply_types, ARRAY_SIZE(supply_types));
	const char *from = known ? keyword : "other";
	size_t n = 0;

	for (bool up = false; *from != '\0' && n + 1 < size; from++) {
		if (*from != '-')
			ret[n++] = (char)(up && *from >= 'a' ? *from - 'a' + 'A' : *from);
		up = *from == '-';
	}
	ret[n] = '\0';
}

static const char *color_name(ipp_attribute_t *all, int i)
{
	const char *rgb = i < ippGetCount(all) ? ippGetString(all, i, NULL) : NULL;

	if (rgb == NULL || strcmp(rgb, "none") == 0)
		return "unknown";
	for (size_t n = 0; n < ARRAY_SIZE(colors); n++)
		if (strcasecmp(rgb, colors[n].rgb) == 0)
			return colors[n].name;
	return "other"; /* several in one cartridge, or a shade without a name */
}

static int fit_level(int level)
{
	if (level > 100)
		return 100;
	return level < LEVEL_SOME ? LEVEL_UNKNOWN : level;
}

static void put_octets(ipp_t *out, ipp_attribute_t **attr, const char *name, const char *text)
{
	int len = (int)strlen(text);

	if (*attr == NULL)
		*attr = ippAddOctetString(out, IPP_TAG_PRINTER, name, text, len);
	else
		ippSetOctetString(out, attr, ippGetCount(*attr), text, len);
}

void printer_parts_add_supplies(ipp_t *out, ipp_t *answer)
{
	ipp_attribute_t *levels = ippFindAttribute(answer, "marker-levels", IPP_TAG_INTEGER);
	ipp_attribute_t *names = ippFindAttribute(answer, "marker-names", IPP_TAG_NAME);
	ipp_attribute_t *types = ippFindAttribute(answer, "marker-types", IPP_TAG_KEYWORD);
	ipp_attribute_t *paints = ippFindAttribute(answer, "marker-colors", IPP_TAG_NAME);
	ipp_attribute_t *attr = NULL;
	char described[SUPPLIES_MAX][NAME_SIZE];
	const char *texts[SUPPLIES_MAX];
	char text[IPP_MAX_NAME], type[32];
	int count = ippGetCount(levels);

	if (count == 0 || count > SUPPLIES_MAX || ippGetCount(names) != count ||
	    ippGetCount(types) != count ||
	    ippFindAttribute(out, "printer-supply", IPP_TAG_ZERO) != NULL)
		return;
	for (int i = 0; i < count; i++) {
		supply_type(ippGetString(types, i, NULL), type, sizeof(type));
		printer_text_set(text, sizeof(text),
		                 "index=%d;class=%s;type=%s;unit=percent;maxcapacity=100;level=%d;"
		                 "colorantname=%s;",
		                 i + 1,
		                 strncmp(type, "waste", 5) == 0 ? "receptacleThatIsFilled"
		                                                : "supplyThatIsConsumed",
		                 type, fit_level(ippGetInteger(levels, i)), color_name(paints, i));
		put_octets(out, &attr, "printer-supply", text);
		printer_text_copy(described[i], sizeof(described[i]), ippGetString(names, i, NULL));
		texts[i] = described[i];
	}
	if (ippFindAttribute(out, "printer-supply-description", IPP_TAG_ZERO) == NULL)
		ippAddStrings(out, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-supply-description",
		              count, NULL, texts);
}

/* ---- trays ---------------------------------------------------------------------------------- */

static const struct {
	const char *begins, *type;
} inputs[] = {
	{ "manual", "sheetFeedManual" },   { "by-pass", "sheetFeedManual" },
	{ "hand", "sheetFeedManual" },     { "roll", "continuousRoll" },
	{ "main-roll", "continuousRoll" }, { "alternate-roll", "continuousRoll" },
};

/* "auto" is a choice, not a place. */
static bool is_place(const char *word)
{
	return word != NULL && strncmp(word, "auto", 4) != 0 && strcmp(word, "default") != 0 &&
	       strcmp(word, "printer-default") != 0;
}

/* What stands in the value may not end it. */
static void clean_name(const char *word, char *ret, size_t size)
{
	printer_text_copy(ret, size, word);
	for (char *p = ret; *p != '\0'; p++)
		if (*p == ';' || *p == '=' || (unsigned char)*p >= 0x7f)
			*p = '_';
}

static const char *input_type(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++)
		if (strncmp(word, inputs[i].begins, strlen(inputs[i].begins)) == 0)
			return inputs[i].type;
	return "sheetFeedAutoRemovableTray";
}

static void input_tray(const char *word, char *ret, size_t size)
{
	char name[64];

	clean_name(word, name, sizeof(name));
	printer_text_set(ret, size,
	                 "type=%s;mediafeed=%d;mediaxfeed=%d;maxcapacity=%d;level=%d;status=0;"
	                 "name=%s;",
	                 input_type(word), LEVEL_UNKNOWN, LEVEL_UNKNOWN, LEVEL_UNKNOWN,
	                 LEVEL_UNKNOWN, name);
}

static void output_tray(const char *word, char *ret, size_t size)
{
	bool up = strcmp(word, "face-up") == 0, down = strcmp(word, "face-down") == 0;
	char name[64];

	clean_name(word, name, sizeof(name));
	printer_text_set(ret, size,
	                 "type=%s;maxcapacity=%d;remaining=%d;status=0;name=%s;stackingorder=%s;"
	                 "pagedelivery=%s;",
	                 strncmp(word, "mailbox", 7) == 0 ? "mailBox" : "unRemovableBin",
	                 LEVEL_UNKNOWN, LEVEL_UNKNOWN, name,
	                 down ? "firstToLast"
	                 : up ? "lastToFirst"
	                      : "unknown",
	                 down ? "faceDown"
	                 : up ? "faceUp"
	                      : "unknown");
}

static void add_trays(ipp_t *out, const char *name, ipp_attribute_t *places,
                      void (*make)(const char *word, char *ret, size_t size))
{
	ipp_attribute_t *attr = NULL;
	char text[IPP_MAX_NAME];

	if (ippFindAttribute(out, name, IPP_TAG_ZERO) != NULL)
		return;
	for (int i = 0; i < ippGetCount(places) && i < TRAYS_MAX; i++) {
		const char *word = ippGetString(places, i, NULL);

		if (!is_place(word))
			continue;
		make(word, text, sizeof(text));
		put_octets(out, &attr, name, text);
	}
}

void printer_parts_add_trays(ipp_t *out, ipp_t *capabilities)
{
	add_trays(out, "printer-input-tray",
	          ippFindAttribute(capabilities, "media-source-supported", IPP_TAG_ZERO),
	          input_tray);
	add_trays(out, "printer-output-tray",
	          ippFindAttribute(capabilities, "output-bin-supported", IPP_TAG_ZERO),
	          output_tray);
}
