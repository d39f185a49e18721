#include "connector/printer/driver_grey.h"

#include <string.h>
#include <strings.h>

#include "common/util.h"

/* In the order in which they are preferred; where CUPS knows the pair it needs nothing from us. By
 * the PPDs of Debian's drivers; that CUPS does nothing for the others, and that these do it, was
 * seen on paper with a model of each of: hpcups, hpijs, Ricoh's PXL, ESC/P-R, m2300w, pxlcolor. */
static const struct {
	struct driver_word word;
	bool cups;
} greys[] = {
	{ { "ColorModel", "Gray" }, true },
	{ { "HPColorMode", "grayscale" }, true },
	{ { "BRMonoColor", "Mono" }, true },
	{ { "CNIJSGrayScale", "1" }, true },
	{ { "HPColorAsGray", "True" }, true },
	{ { "ColorModel", "KGray" }, false },
	{ { "ColorModel", "Grayscale" }, false },
	{ { "OutputMode", "NormalGray" }, false },
	{ { "OutputMode", "NormaGrayl" }, false }, /* so it is called */
	{ { "PrintoutMode", "Normal.Gray" }, false },
	{ { "Ink", "MONO" }, false },
	{ { "ProcessColorModel", "Greyscale" }, false },
	{ { "ColorMode", "Grayscale" }, false },
	{ { "ColorMode", "FloydSteinbergGray" }, false },
	{ { "ColorMode", "Gray" }, false },
	{ { "ColorMode", "Monochrome" }, false },
	{ { "Dithering", "MonoFS" }, false },
};

static bool is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

static void look_at_choice(struct driver_grey_reader *r, const char *option, size_t option_len,
                           const char *choice)
{
	size_t len = strcspn(choice, "/: \t");

	for (size_t i = 0; i < ARRAY_SIZE(greys); i++)
		if ((!r->found || i + 1 < r->found) &&
		    is_word(option, option_len, greys[i].word.option) &&
		    is_word(choice, len, greys[i].word.choice))
			r->found = i + 1;
}

/* "SOURCE [DESTINATION] COST PROGRAM": what CUPS' own filters hand to the driver's. */
static void look_at_filter(struct driver_grey_reader *r, const char *value)
{
	r->filters = true;
	value += strspn(value, " \t\"");
	if ((strncmp(value, "application/vnd.cups-postscript", 31) == 0 ||
	     strncmp(value, "application/postscript", 22) == 0) &&
	    strstr(value, "foomatic-rip") == NULL)
		r->postscript = true;
}

static void look_at_line(struct driver_grey_reader *r)
{
	const char *word = r->line + 1, *rest;
	size_t len = strcspn(word, "/: \t");

	r->line[r->len] = '\0';
	if (r->line[0] != '*')
		return;
	rest = word + len + strspn(word + len, " \t");
	if (*rest != ':')
		look_at_choice(r, word, len, rest);
	else if (is_word(word, len, "cupsFilter") || is_word(word, len, "cupsFilter2"))
		look_at_filter(r, rest + 1);
}

void driver_grey_feed(struct driver_grey_reader *r, const char *ppd, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (ppd[i] == '\n' || ppd[i] == '\r') {
			look_at_line(r);
			r->len = 0;
		} else if (r->len + 1 < sizeof(r->line)) {
			r->line[r->len++] = ppd[i];
		}
	}
}

struct driver_grey driver_grey_end(struct driver_grey_reader *r)
{
	look_at_line(r);
	return (struct driver_grey){
		.known = true,
		.able = r->found || r->postscript || !r->filters,
		.words = r->found ? 1u << (r->found - 1) : 0,
	};
}

static bool is_among(uint32_t words, size_t at)
{
	return at < ARRAY_SIZE(greys) && words >> at & 1;
}

/* One option, of which each wants another choice. */
static bool has_contradiction(uint32_t words)
{
	for (size_t i = 0; i < ARRAY_SIZE(greys); i++)
		for (size_t k = i + 1; k < ARRAY_SIZE(greys); k++)
			if (is_among(words, i) && is_among(words, k) &&
			    strcmp(greys[i].word.option, greys[k].word.option) == 0)
				return true;
	return false;
}

void driver_grey_meet(struct driver_grey *all, struct driver_grey one)
{
	uint32_t words = all->words | one.words;

	if (!one.known)
		return;
	all->able = (!all->known || all->able) && one.able && !has_contradiction(words);
	all->words = all->able ? words : 0;
	all->known = true;
}

const struct driver_word *driver_grey_word(const struct driver_grey *grey, size_t at)
{
	for (size_t i = 0; i < ARRAY_SIZE(greys); i++)
		if (is_among(grey->words, i) && !greys[i].cups && at-- == 0)
			return &greys[i].word;
	return NULL;
}

void driver_grey_withdraw(const struct driver_grey *grey, ipp_t *answer)
{
	ipp_attribute_t *modes =
		ippFindAttribute(answer, "print-color-mode-supported", IPP_TAG_KEYWORD);

	if (!grey->known || grey->able || modes == NULL || ippGetCount(modes) < 2)
		return;
	for (int i = ippGetCount(modes) - 1; i >= 0; i--)
		if (strcmp(ippGetString(modes, i, NULL), "monochrome") == 0)
			(void)ippDeleteValues(answer, &modes, i, 1);
}
