/* ticket_driver.c - what drivers call by names of their own and CUPS does not hand on to them. */
#include "connector/printer/ticket_private.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "connector/base/ipp_codec.h"
#include "connector/printer/capabilities.h"

/* CUPS says of every driver for colour that it prints in grey too, and makes that happen where it
 * knows the option (ColorModel=Gray and four more), its filters where the printer takes
 * PostScript. These need the driver's own word, by their PPDs; of (ESC/P-R) and pxlcolor it was
 * also measured that colour comes out without it. */
static const struct {
	const char *driver; /* within printer-make-and-model */
	const char *option, *choice;
} greys[] = {
	{ "(ESC/P-R)", "Ink", "MONO" },
	{ "Foomatic/bjc250gs", "ColorMode", "Grayscale" },
	{ "Foomatic/bjc600", "ProcessColorModel", "Greyscale" },
	{ "Foomatic/bjc800", "ProcessColorModel", "Greyscale" },
	{ "Foomatic/cdj500", "ColorMode", "FloydSteinbergGray" },
	{ "Foomatic/cdj550", "ColorMode", "FloydSteinbergGray" },
	{ "Foomatic/declj250", "ColorMode", "FloydSteinbergGray" },
	{ "Foomatic/dnj650c", "ColorMode", "FloydSteinbergGray" },
	{ "Foomatic/hpijs", "PrintoutMode", "Normal.Gray" },
	{ "Foomatic/md2k", "ColorMode", "Grayscale" },
	{ "Foomatic/md5k", "ColorMode", "Grayscale" },
	{ "Foomatic/pj", "ColorMode", "FloydSteinbergGray" },
	{ "Foomatic/pjxl", "ColorMode", "FloydSteinbergGray" },
	{ "Foomatic/pjxl300", "ColorMode", "FloydSteinbergGray" },
	{ "Foomatic/pnm2ppa", "ColorMode", "Grayscale" },
	{ "Foomatic/pxlcolor", "ColorModel", "Grayscale" },
	{ "Foomatic/pxldpl", "ColorModel", "Grayscale" },
};

const char *ticket_lacks_driver(ipp_t *capabilities, bool cups)
{
	if (!cups)
		return "only queues of CUPS have options of drivers";
	return capabilities != NULL && capabilities_is_raw(capabilities) ? "the queue has no driver"
	                                                                 : NULL;
}

static const char *model_of(struct ticket_pass *t)
{
	return ipp_get_text(t->capabilities, IPP_TAG_ZERO, "printer-make-and-model", "");
}

static void add_option(struct ticket_pass *t, const char *name, const char *choice)
{
	if (ippFindAttribute(t->request, name, IPP_TAG_ZERO) == NULL) /* of a mapping file */
		ippAddString(t->request, IPP_TAG_JOB, IPP_TAG_NAME, name, NULL, choice);
}

/* CUPS hands on a resolution as 600x600dpi only. Most drivers write 600dpi, which is sent too: who
 * has the other does not know it and ignores it. Foomatic's filter does not look at
 * printer-resolution at all, and writes 600x600dpi (all measured). */
void ticket_driver_resolution(struct ticket_pass *t, int x, int y, ipp_res_t units)
{
	bool foomatic = strstr(model_of(t), "Foomatic/") != NULL;
	char choice[TICKET_TEXT];

	if (!t->cups || units != IPP_RES_PER_INCH || (x != y && !foomatic))
		return;
	if (foomatic)
		(void)snprintf(choice, sizeof(choice), "%dx%ddpi", x, y);
	else
		ticket_resolution_text(x, y, units, choice);
	add_option(t, "Resolution", choice);
}

/* "Foomatic/hpijs" is meant by "ACME Foomatic/hpijs-pcl3", and not by "Foomatic/hpijser". */
static bool is_driver(const char *model, const char *driver)
{
	const char *found = strstr(model, driver);

	return found != NULL && strchr(" -", found[strlen(driver)]) != NULL;
}

void ticket_driver_word(struct ticket_pass *t, const char *name, const char *word)
{
	const char *model = model_of(t);

	if (!t->cups || strcmp(name, "print-color-mode") != 0 || strcmp(word, "monochrome") != 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(greys); i++)
		if (is_driver(model, greys[i].driver))
			add_option(t, greys[i].option, greys[i].choice);
}
