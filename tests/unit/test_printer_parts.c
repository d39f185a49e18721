/* Supplies and trays of queues of CUPS. */
#include "connector/printer/printer_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"

static const char *value(ipp_t *m, const char *name, int i)
{
	static char text[512];
	int len = 0;
	const void *bytes = ippGetOctetString(ippFindAttribute(m, name, IPP_TAG_STRING), i, &len);

	(void)snprintf(text, sizeof(text), "%.*s", len, bytes != NULL ? (const char *)bytes : "");
	return text;
}

static int values(ipp_t *m, const char *name)
{
	return ippGetCount(ippFindAttribute(m, name, IPP_TAG_ZERO));
}

/* One supply, as a driver says it. */
static ipp_t *supply(const char *type, const char *color, int level)
{
	ipp_t *m = ippNew(), *out = ippNew();

	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_NAME, "marker-names", NULL, "Name");
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "marker-types", NULL, type);
	if (color != NULL)
		ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_NAME, "marker-colors", NULL, color);
	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_INTEGER, "marker-levels", level);
	printer_parts_add_supplies(out, m);
	ippDelete(m);
	return out;
}

static const struct {
	const char *type, *color;
	int level;
	const char *told;
} supplies[] = {
	{ "toner", "#000000", 50,
	  "class=supplyThatIsConsumed;type=toner;unit=percent;"
	  "maxcapacity=100;level=50;colorantname=black;" },
	{ "ink-cartridge", "#00ffff", 0,
	  "type=inkCartridge;unit=percent;maxcapacity=100;level=0;"
	  "colorantname=cyan;" },
	{ "ink", "#00FFFF#FF00FF#FFFF00", 7, "level=7;colorantname=other;" },
	{ "waste-toner", "none", -3,
	  "class=receptacleThatIsFilled;type=wasteToner;unit=percent;"
	  "maxcapacity=100;level=-3;colorantname=unknown;" },
	{ "toner", NULL, -1, "level=-1;colorantname=unknown;" },
	{ "toner", NULL, -2, "level=-2;" },
	{ "toner", NULL, -77, "level=-2;" },
	{ "toner", NULL, 2147483647, "level=100;" },
	{ "fuser-cleaning-pad", "", 1, "type=fuserCleaningPad;" },
	{ "x;level=3", "#123456", 1,
	  "type=other;unit=percent;maxcapacity=100;level=1;"
	  "colorantname=other;" },
};

static void test_each_supply_is_told_as_the_standard_has_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(supplies); i++) {
		ipp_t *m = supply(supplies[i].type, supplies[i].color, supplies[i].level);
		const char *told = value(m, "printer-supply", 0);

		print_message("%s\n", told);
		assert_non_null(strstr(told, supplies[i].told));
		assert_int_equal(values(m, "printer-supply-description"), 1);
		ippDelete(m);
	}
}

static void test_what_a_printer_says_itself_stays(void **state)
{
	ipp_t *m = supply("toner", NULL, 5), *can = ippNew();

	(void)state;
	printer_parts_add_supplies(m, m);
	assert_int_equal(values(m, "printer-supply"), 1);
	ippAddString(can, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "media-source-supported", NULL, "main");
	ippAddOctetString(m, IPP_TAG_PRINTER, "printer-input-tray", "type=other;", 11);
	printer_parts_add_trays(m, can);
	assert_string_equal(value(m, "printer-input-tray", 0), "type=other;");
	ippDelete(m);
	ippDelete(can);
}

static void test_sources_and_bins_become_trays(void **state)
{
	static const char *const sources[] = { "auto", "tray-1", "manual", "main-roll",
		                               "a;b=c\xc3" };
	static const char *const bins[] = { "face-down", "mailbox-1", "face-up", "auto" };
	ipp_t *can = ippNew(), *m = ippNew(), *none = ippNew();

	(void)state;
	ippAddStrings(can, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "media-source-supported",
	              ARRAY_SIZE(sources), NULL, sources);
	ippAddStrings(can, IPP_TAG_PRINTER, IPP_TAG_NAME, "output-bin-supported", ARRAY_SIZE(bins),
	              NULL, bins);
	printer_parts_add_trays(m, can);
	assert_int_equal(values(m, "printer-input-tray"), 4);
	assert_string_equal(value(m, "printer-input-tray", 0),
	                    "type=sheetFeedAutoRemovableTray;mediafeed=-2;mediaxfeed=-2;"
	                    "maxcapacity=-2;level=-2;status=0;name=tray-1;");
	assert_non_null(strstr(value(m, "printer-input-tray", 1), "type=sheetFeedManual;"));
	assert_non_null(strstr(value(m, "printer-input-tray", 2), "type=continuousRoll;"));
	assert_non_null(strstr(value(m, "printer-input-tray", 3), ";name=a_b_c"));
	assert_int_equal(values(m, "printer-output-tray"), 3);
	assert_string_equal(value(m, "printer-output-tray", 0),
	                    "type=unRemovableBin;maxcapacity=-2;remaining=-2;status=0;"
	                    "name=face-down;stackingorder=firstToLast;pagedelivery=faceDown;");
	assert_non_null(strstr(value(m, "printer-output-tray", 1), "type=mailBox;"));
	assert_non_null(strstr(value(m, "printer-output-tray", 2), "pagedelivery=faceUp;"));
	printer_parts_add_trays(none, NULL);
	assert_int_equal(values(none, "printer-input-tray"), 0);
	ippDelete(can);
	ippDelete(m);
	ippDelete(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_supply_is_told_as_the_standard_has_it),
		cmocka_unit_test(test_what_a_printer_says_itself_stays),
		cmocka_unit_test(test_sources_and_bins_become_trays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
