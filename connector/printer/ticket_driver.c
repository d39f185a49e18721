/* ticket_driver.c - what drivers call by names of their own and CUPS does not hand on to them. */
#include "connector/printer/ticket_private.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "connector/base/ipp_codec.h"
#include "connector/printer/capabilities.h"

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

void ticket_driver_word(struct ticket_pass *t, const char *name, const char *word)
{
	const struct driver_word *own;

	if (!t->cups || t->grey == NULL || strcmp(name, "print-color-mode") != 0 ||
	    strcmp(word, "monochrome") != 0)
		return;
	for (size_t i = 0; (own = driver_grey_word(t->grey, i)) != NULL; i++)
		add_option(t, own->option, own->choice);
}
