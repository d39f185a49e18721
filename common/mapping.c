#include "common/mapping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/ini_files.h"
#include "common/str.h"
#include "common/util.h"

#define QUEUE_MAX  1023
#define NAME_MAX_  63
#define VALUE_MAX_ 127

/* Template attributes, with the values of those that have a closed list (RFC 8011 5.2, PWG 5100.13,
 * PWG 5100.7). */
/* clang-format off */
static const struct attribute {
	const char *name;
	const char *values; /* NULL: whatever a queue has */
} attributes[] = {
	{ "copies", NULL },
	{ "feed-orientation", "long-edge-first short-edge-first" },
	{ "finishings", NULL },
	{ "finishings-col", NULL },
	{ "job-priority", NULL },
	{ "job-sheets", NULL },
	{ "media", NULL },
	{ "media-source", NULL },
	{ "media-type", NULL },
	{ "multiple-document-handling",
	  "single-document single-document-new-sheet separate-documents-collated-copies "
	  "separate-documents-uncollated-copies" },
	{ "number-up", NULL },
	{ "orientation-requested", "portrait landscape reverse-landscape reverse-portrait none" },
	{ "output-bin", NULL },
	{ "page-ranges", NULL },
	{ "presentation-direction-number-up",
	  "tobottom-toleft tobottom-toright toleft-tobottom toleft-totop toright-tobottom "
	  "toright-totop totop-toleft totop-toright" },
	{ "print-color-mode",
	  "auto auto-monochrome bi-level color highlight monochrome process-bi-level "
	  "process-monochrome" },
	{ "print-content-optimize", "auto graphic photo text text-and-graphic" },
	{ "print-quality", "draft normal high" },
	{ "print-rendering-intent",
	  "absolute auto perceptual relative relative-bpc saturation" },
	{ "print-scaling", "auto auto-fit fill fit none" },
	{ "printer-resolution", NULL },
	{ "sides", "one-sided two-sided-long-edge two-sided-short-edge" },
};
/* clang-format on */

/* Options of CUPS' filters, which are written in lower case. */
static const char *const filter_options[] = {
	"fit-to-page", "mirror",      "natural-scaling", "number-up-layout",
	"outputorder", "page-border", "page-delivery",   "page-set",
	"position",    "saturation",  "scaling",
};

const char *mapping_attribute(size_t i)
{
	return i < ARRAY_SIZE(attributes) ? attributes[i].name : NULL;
}

static const struct attribute *find_attribute(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		if (strcmp(attributes[i].name, name) == 0)
			return &attributes[i];
	return NULL;
}

bool mapping_is_attribute(const char *name)
{
	return find_attribute(name) != NULL;
}

/* ---- form ------------------------------------------------------------------------------------ */

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define UPPER   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

static bool is_made_of(const char *text, const char *bytes, size_t max)
{
	return *text && strlen(text) <= max && !text[strspn(text, bytes)];
}

/* Options of drivers have an upper case letter somewhere (InputSlot, cupsPrintQuality); so they
 * are never an attribute of IPP that means something else, such as job-hold-until. */
static bool is_option(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(filter_options); i++)
		if (strcmp(filter_options[i], name) == 0)
			return true;
	return is_made_of(name, LETTERS DIGITS "-_", NAME_MAX_) && strchr(LETTERS, *name) &&
	       strpbrk(name, UPPER);
}

static bool is_value(const char *value)
{
	return is_made_of(value, LETTERS DIGITS "._+-/#%:,", VALUE_MAX_);
}

static int unknown_name(const char *name, struct err *err)
{
	const char *known[ARRAY_SIZE(attributes)], *near;
	char shown[48];

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		known[i] = attributes[i].name;
	near = str_nearest(name, known, ARRAY_SIZE(known));
	str_clean(name, shown, sizeof(shown));
	if (near)
		return err_set(err, ERR_REJECTED, 0, "unknown option %s; did you mean %s?", shown,
		               near);
	return err_set(err, ERR_REJECTED, 0,
	               "unknown option %s; known are those of ipp, such as sides, and those of the "
	               "driver, such as InputSlot",
	               shown);
}

/* One of a list joined by spaces. */
static bool is_listed(const char *word, const char *list)
{
	size_t len = strlen(word);

	for (const char *at = list; *at; at += strcspn(at, " "), at += strspn(at, " "))
		if (strcspn(at, " ") == len && memcmp(at, word, len) == 0)
			return true;
	return false;
}

static int unknown_value(const struct attribute *attribute, const char *value, struct err *err)
{
	char copy[256], *rest = copy, *word;
	const char *known[16], *near;
	size_t n = 0;

	(void)str_copy(copy, sizeof(copy), attribute->values);
	while (n < ARRAY_SIZE(known) && (word = strsep(&rest, " ")) != NULL)
		known[n++] = word;
	near = str_nearest(value, known, n);
	if (near)
		return err_set(err, ERR_REJECTED, 0, "%s has no value %.40s; did you mean %s?",
		               attribute->name, value, near);
	return err_set(err, ERR_REJECTED, 0, "%s has no value %.40s; known are %s", attribute->name,
	               value, attribute->values);
}

static int check_value(const char *name, const char *value, struct err *err)
{
	const struct attribute *attribute = find_attribute(name);
	char shown[48];

	str_clean(value, shown, sizeof(shown));
	if (!*value)
		return err_set(err, ERR_REJECTED, 0, "%s needs a value", name);
	if (!is_value(value))
		return err_set(err, ERR_REJECTED, 0,
		               "%s: %s is no value: letters, digits and . _ + - / # %% : , only",
		               name, shown);
	if (attribute && attribute->values && !is_listed(value, attribute->values))
		return unknown_value(attribute, value, err);
	return 0;
}

static int check_name(const char *name, struct err *err)
{
	return mapping_is_attribute(name) || is_option(name) ? 0 : unknown_name(name, err);
}

bool mapping_next(const char **rest, char *name, size_t name_size, char *value, size_t value_size)
{
	const char *at = *rest + strspn(*rest, " "), *equals, *end;

	end = at + strcspn(at, " ");
	equals = memchr(at, '=', (size_t)(end - at));
	*rest = end;
	if (!equals || equals == at || (size_t)(equals - at) >= name_size ||
	    (size_t)(end - equals) > value_size)
		return false;
	memcpy(name, at, (size_t)(equals - at));
	name[equals - at] = '\0';
	memcpy(value, equals + 1, (size_t)(end - equals - 1));
	value[end - equals - 1] = '\0';
	return true;
}

/* The right side: words NAME=VALUE. */
static int check_words(const char *to, struct err *err)
{
	char name[NAME_MAX_ + 1], value[VALUE_MAX_ + 1];
	const char *rest = to;
	unsigned n = 0;

	while (*(rest += strspn(rest, " "))) {
		if (!mapping_next(&rest, name, sizeof(name), value, sizeof(value)))
			return err_set(err, ERR_REJECTED, 0,
			               "\"%.60s\" is not OPTION=CHOICE with single words", to);
		if (check_name(name, err) < 0 || check_value(name, value, err) < 0)
			return -1;
		if (++n > MAPPING_WORDS_MAX)
			return err_set(err, ERR_REJECTED, 0,
			               "more than %d words behind the =", MAPPING_WORDS_MAX);
	}
	return 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int on_section(const struct ini_entry *entry, struct err *err)
{
	char shown[48];

	str_clean(entry->section, shown, sizeof(shown));
	if (strcmp(entry->section, "queue") != 0)
		return err_set(err, ERR_REJECTED, 0,
		               "unknown section [%s]; here are only sections [queue NAME]", shown);
	if (!*entry->name)
		return err_set(err, ERR_REJECTED, 0,
		               "[queue] needs a queue or printer URI, with * and ?, like [queue "
		               "office-*]");
	if (strlen(entry->name) > QUEUE_MAX)
		return err_set(err, ERR_REJECTED, 0, "the name in [queue NAME] is too long");
	return 0;
}

static void add_rule(struct mappings *all, const struct ini_entry *entry, const char *name,
                     const char *value)
{
	/* grows by doubling */
	if ((all->n & (all->n - 1)) == 0)
		all->rules = xrealloc(all->rules, (all->n ? all->n * 2 : 1) * sizeof(*all->rules));
	all->rules[all->n++] = (struct mapping_rule){
		.queue = xstrdup(entry->name),
		.name = xstrdup(name),
		.value = value ? xstrdup(value) : NULL,
		.to = xstrdup(entry->value),
		.where = xasprintf("%s:%u", entry->file, entry->line),
	};
}

static int on_default(struct mappings *all, const struct ini_entry *entry, const char *name,
                      struct err *err)
{
	if (check_name(name, err) < 0 || check_value(name, entry->value, err) < 0)
		return -1;
	if (strcmp(name, "page-ranges") == 0)
		return err_set(err, ERR_REJECTED, 0, "page-ranges cannot have a default");
	add_rule(all, entry, name, NULL);
	return 0;
}

static int on_entry(void *data, const struct ini_entry *entry, struct err *err)
{
	struct mappings *all = data;
	char key[NAME_MAX_ + VALUE_MAX_ + 3], *value;

	if (!entry->key)
		return on_section(entry, err);
	if (all->n == MAPPING_RULES_MAX)
		return err_set(err, ERR_REJECTED, 0, "more than %d lines in the mapping files",
		               MAPPING_RULES_MAX);
	if (str_copy(key, sizeof(key), entry->key) < 0)
		return err_set(err, ERR_REJECTED, 0, "what stands before the = is too long");
	value = key + strcspn(key, " \t");
	if (*value)
		*value++ = '\0';
	value += strspn(value, " \t");
	if (strcmp(key, "default") == 0 && *value)
		return on_default(all, entry, value, err);
	if (!mapping_is_attribute(key))
		return is_option(key) ? err_set(err, ERR_REJECTED, 0,
		                                "jobs do not ask for %.40s; write default %.40s = "
		                                "CHOICE to send it always",
		                                key, key)
		                      : unknown_name(key, err);
	if (!*value)
		return err_set(err, ERR_REJECTED, 0,
		               "say which value of %s is meant: %s VALUE = OPTION=CHOICE, or "
		               "default %s = VALUE",
		               key, key, key);
	if (check_value(key, value, err) < 0 || check_words(entry->value, err) < 0)
		return -1;
	add_rule(all, entry, key, value);
	return 0;
}

int mapping_load(struct mappings *all, const char *directory, struct buf *problems, struct err *err)
{
	return ini_directory_parse(directory, on_entry, all, problems, err);
}

void mapping_clear(struct mappings *all)
{
	for (size_t i = 0; i < all->n; i++) {
		free(all->rules[i].queue);
		free(all->rules[i].name);
		free(all->rules[i].value);
		free(all->rules[i].to);
		free(all->rules[i].where);
	}
	free(all->rules);
	*all = (struct mappings){ 0 };
}

/* ---- answers --------------------------------------------------------------------------------- */

/* CUPS does not tell Office from office. */
static void fold(const char *in, char *out, size_t size)
{
	(void)str_copy(out, size, in);
	if (strstr(in, "://"))
		return;
	for (; *out; out++)
		if (*out >= 'A' && *out <= 'Z')
			*out = (char)(*out + ('a' - 'A'));
}

void mapping_of(const struct mappings *all, const char *queue, struct mapping *ret)
{
	char name[QUEUE_MAX + 1], glob[QUEUE_MAX + 1];

	ret->n = 0;
	fold(queue, name, sizeof(name));
	for (size_t i = 0; i < all->n; i++) {
		fold(all->rules[i].queue, glob, sizeof(glob));
		if (!str_glob(glob, name))
			continue;
		if (ret->n == MAPPING_PER_QUEUE_MAX) /* the later ones count */
			memmove(ret->rules, ret->rules + 1, (--ret->n) * sizeof(*ret->rules));
		ret->rules[ret->n++] = &all->rules[i];
	}
}

static const struct mapping_rule *find_rule(const struct mapping *rules, const char *name,
                                            const char *value)
{
	for (size_t i = rules ? rules->n : 0; i-- > 0;) {
		const struct mapping_rule *rule = rules->rules[i];

		if (strcmp(rule->name, name) != 0)
			continue;
		if (value ? rule->value && strcmp(rule->value, value) == 0 : !rule->value)
			return rule;
	}
	return NULL;
}

const struct mapping_rule *mapping_default(const struct mapping *rules, const char *name)
{
	return find_rule(rules, name, NULL);
}

const struct mapping_rule *mapping_value(const struct mapping *rules, const char *name,
                                         const char *value)
{
	return find_rule(rules, name, value);
}
