/* ticket_nearest.c - what comes nearest to a value that a queue does not have. */
#include "connector/printer/ticket_private.h"

#include <stdint.h>
#include <string.h>

#include "common/str.h"
#include "common/util.h"

/* clang-format off */
static const struct stand_in {
	const char *name;
	const char *asked;   /* "" any */
	const char *instead; /* the first that the queue has */
	bool same;           /* nothing is lost by it */
} stand_ins[] = {
	{ "sides", "two-sided-long-edge", "two-sided-short-edge", false },
	{ "sides", "two-sided-short-edge", "two-sided-long-edge", false },
	{ "print-color-mode", "auto", "color monochrome auto-monochrome", true },
	{ "print-color-mode", "color", "auto highlight process-monochrome monochrome", false },
	{ "print-color-mode", "highlight", "color auto monochrome", false },
	{ "print-color-mode", "monochrome", "auto-monochrome process-monochrome bi-level", true },
	{ "print-color-mode", "auto-monochrome", "monochrome process-monochrome bi-level", true },
	{ "print-color-mode", "process-monochrome", "monochrome auto-monochrome", true },
	{ "print-color-mode", "bi-level", "process-bi-level monochrome auto-monochrome", false },
	{ "print-color-mode", "process-bi-level", "bi-level monochrome", false },
	{ "print-scaling", "auto", "auto-fit fit", true },
	{ "print-scaling", "auto-fit", "auto fit", true },
	{ "print-scaling", "fit", "auto-fit auto", false },
	{ "print-scaling", "fill", "auto fit", false },
	{ "print-content-optimize", "", "auto", false },
	{ "print-rendering-intent", "", "auto relative", false },
	{ "multiple-document-handling", "single-document",
	  "separate-documents-collated-copies", false },
	{ "multiple-document-handling", "single-document-new-sheet",
	  "separate-documents-collated-copies", false },
	{ "media-source", "", "auto", false },
	{ "media-type", "stationery", "auto any", true },
	{ "output-bin", "auto", "face-down face-up", true },
};
/* clang-format on */

static const char *first_of(ipp_attribute_t *list, const char *words)
{
	char copy[128], *rest = copy, *word;
	int i;

	(void)str_copy(copy, sizeof(copy), words);
	while ((word = strsep(&rest, " ")) != NULL)
		for (i = 0; i < ippGetCount(list); i++)
			if (strcmp(ippGetString(list, i, NULL), word) == 0)
				return ippGetString(list, i, NULL);
	return NULL;
}

/* "stationery-letterhead" is a kind of "stationery". */
static const char *family_of(ipp_attribute_t *list, const char *word)
{
	char copy[128], *dash;
	const char *found;

	if (str_copy(copy, sizeof(copy), word) < 0 || strchr(copy, ' ') != NULL)
		return NULL;
	while ((dash = strrchr(copy, '-')) != NULL) {
		*dash = '\0';
		found = first_of(list, copy);
		if (found != NULL)
			return found;
	}
	return NULL;
}

static bool is_family_name(const char *name)
{
	return strcmp(name, "media-type") == 0 || strcmp(name, "media-source") == 0 ||
	       strcmp(name, "output-bin") == 0;
}

const char *ticket_nearest_word(const char *name, ipp_attribute_t *list, const char *word,
                                bool *ret_same)
{
	const char *found;

	*ret_same = false;
	if (list == NULL || !ticket_is_text(list))
		return NULL;
	found = is_family_name(name) ? family_of(list, word) : NULL;
	for (size_t i = 0; found == NULL && i < ARRAY_SIZE(stand_ins); i++) {
		const struct stand_in *row = &stand_ins[i];

		if (strcmp(row->name, name) != 0 ||
		    (*row->asked != '\0' && strcmp(row->asked, word) != 0))
			continue;
		found = first_of(list, row->instead);
		*ret_same = found != NULL && row->same;
	}
	return found;
}

static int clamp(int number, int low, int high)
{
	return number < low ? low : number > high ? high : number;
}

bool ticket_nearest_number(ipp_attribute_t *list, int number, int *ret)
{
	int64_t far, best = INT64_MAX;
	int near, high;

	if (list == NULL || (!ticket_is_number(list) && ippGetValueTag(list) != IPP_TAG_RANGE))
		return false;
	for (int i = 0; i < ippGetCount(list); i++) {
		if (ippGetValueTag(list) == IPP_TAG_RANGE) {
			near = ippGetRange(list, i, &high);
			near = clamp(number, near, high);
		} else {
			near = ippGetInteger(list, i);
		}
		far = (int64_t)near - number;
		far = far < 0 ? -far : far;
		if (far > best || (far == best && near < *ret))
			continue;
		best = far;
		*ret = near;
	}
	return best != INT64_MAX;
}
