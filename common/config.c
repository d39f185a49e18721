/* Happy path: the main file and those of conf.d are read into a fresh struct config by the table,
 * what was left out gets its default, then settings are checked against each other.
 * What can fail: a file cannot be read, a line is no setting, a value is not allowed, settings do
 * not go together. All wrong lines are collected, so that one look at the output is enough; what
 * does not go together is looked for when all lines are right. */
#include "common/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/config_cloud.h"
#include "common/config_table.h"
#include "common/err.h"
#include "common/ini_files.h"
#include "common/str.h"
#include "common/uri.h"
#include "common/util.h"

#define DEFAULT_DIRECTORY "/etc/print-connector"
#define DEFAULT_FILE      "print-connector.conf"
#define CLOUD_NAME_MAX    63

/* clang-format off */
static const char *const always_allowed[] = {
	"application/pdf", "image/pwg-raster", "image/urf", "image/jpeg", "image/png",
};

/* Whatever the bytes are, the queue takes them; only where an administrator says so for it. */
static const char *const raw_formats[] = {
	"application/octet-stream", "application/postscript", "application/vnd.cups-raw",
};
/* clang-format on */

/* ---- reading ----------------------------------------------------------------------------------
 */

struct load {
	struct config *config;
	void *base;                 /* the struct of the section that is being read */
	struct config_queue *queue; /* the same, in [queue NAME] */
};

static_assert(CONFIG_ITEMS <= 64, "config_queue.set has a bit for each");

/* "; did you mean X?" into hint, when something near is known. */
static void suggest(char *hint, size_t size, const char *open, const char *word, const char *close,
                    const char *const *known, size_t n)
{
	const char *near = str_nearest(word, known, n);

	*hint = '\0';
	if (near)
		(void)snprintf(hint, size, "; did you mean %s%s%s?", open, near, close);
}

static int unknown_section(const struct ini_entry *entry, struct err *err)
{
	const char *known[CONFIG_SECTIONS];
	char hint[64], shown[48];

	for (size_t i = 0; i < CONFIG_SECTIONS; i++)
		known[i] = config_sections[i].name;
	suggest(hint, sizeof(hint), "[", entry->section, "]", known, ARRAY_SIZE(known));
	str_clean(entry->section, shown, sizeof(shown));
	if (!*hint)
		(void)str_copy(hint, sizeof(hint),
		               "; known are connector, cloud, printers, jobs, queue, log");
	return err_set(err, ERR_REJECTED, 0, "unknown section [%s]%s", shown, hint);
}

static int unknown_key(const struct ini_entry *entry, struct err *err)
{
	const char *known[CONFIG_ITEMS], *elsewhere = NULL;
	char hint[64], shown[48];
	size_t n = 0;

	str_clean(entry->key, shown, sizeof(shown));
	for (size_t i = 0; i < CONFIG_ITEMS; i++) {
		if (strcmp(config_items[i].section, entry->section) == 0)
			known[n++] = config_items[i].key;
		else if (strcmp(config_items[i].key, entry->key) == 0)
			elsewhere = config_items[i].section;
	}
	if (elsewhere)
		return err_set(err, ERR_REJECTED, 0, "%s does not belong in [%s] but in [%s]",
		               shown, entry->section, elsewhere);
	suggest(hint, sizeof(hint), "", entry->key, "", known, n);
	return err_set(err, ERR_REJECTED, 0, "unknown setting %s in [%s]%s", shown, entry->section,
	               *hint ? hint : "; remove it");
}

static bool is_cloud_name(const char *name)
{
	return strlen(name) <= CLOUD_NAME_MAX &&
	       !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                          "._-")];
}

static void each_item(const char *section, void *base,
                      void (*fn)(const struct config_item *item, void *base))
{
	for (size_t i = 0; i < CONFIG_ITEMS; i++)
		if (strcmp(config_items[i].section, section) == 0)
			fn(&config_items[i], base);
}

static int cloud_begin(struct load *load, const struct ini_entry *entry, struct err *err)
{
	struct config *config = load->config;
	struct config_cloud *cloud;
	char shown[96];

	if (!is_cloud_name(entry->name)) {
		str_clean(entry->name, shown, sizeof(shown));
		return err_set(err, ERR_REJECTED, 0,
		               "[cloud %s]: the name must be at most %d letters, digits, . _ or -",
		               shown, CLOUD_NAME_MAX);
	}
	for (size_t i = 0; i < config->n_clouds; i++) {
		if (strcmp(config->clouds[i].name, entry->name) == 0) {
			load->base = &config->clouds[i];
			return 0;
		}
	}
	if (config->n_clouds == CONFIG_CLOUDS_MAX)
		return err_set(err, ERR_REJECTED, 0, "more than %d clouds", CONFIG_CLOUDS_MAX);
	config->clouds = xrealloc(config->clouds, (config->n_clouds + 1) * sizeof(*config->clouds));
	cloud = &config->clouds[config->n_clouds++];
	memset(cloud, 0, sizeof(*cloud));
	each_item("cloud", cloud, config_item_reset);
	cloud->name = xstrdup(entry->name);
	cloud->where = xasprintf("%s:%u", entry->file, entry->line);
	load->base = cloud;
	return 0;
}

/* CUPS does not tell Office from office; paths of URIs do. */
static bool is_same_queue(const char *a, const char *b)
{
	return strstr(a, "://") ? strcmp(a, b) == 0 : strcasecmp(a, b) == 0;
}

static int queue_begin(struct load *load, const struct ini_entry *entry, struct err *err)
{
	struct config *config = load->config;
	struct config_queue *queue;

	if (strlen(entry->name) > URI_MAX)
		return err_set(err, ERR_REJECTED, 0, "the name in [queue NAME] is too long");
	for (size_t i = 0; i < config->n_queues; i++) {
		if (is_same_queue(config->queues[i].name, entry->name)) {
			load->base = load->queue = &config->queues[i];
			return 0;
		}
	}
	if (config->n_queues == CONFIG_QUEUES_MAX)
		return err_set(err, ERR_REJECTED, 0, "more than %d queues", CONFIG_QUEUES_MAX);
	config->queues = xrealloc(config->queues, (config->n_queues + 1) * sizeof(*config->queues));
	queue = &config->queues[config->n_queues++];
	memset(queue, 0, sizeof(*queue));
	queue->name = xstrdup(entry->name);
	load->base = load->queue = queue;
	return 0;
}

static int section_begin(struct load *load, const struct ini_entry *entry, struct err *err)
{
	const struct config_section *section = config_section_find(entry->section);

	load->queue = NULL;
	if (!section)
		return unknown_section(entry, err);
	if (section->of && !*entry->name)
		return err_set(err, ERR_REJECTED, 0, "[%s] needs %s, like [%s NAME]", section->name,
		               section->of, section->name);
	if (!section->of && *entry->name)
		return err_set(err, ERR_REJECTED, 0, "[%s] takes no name", section->name);
	if (strcmp(section->name, "cloud") == 0)
		return cloud_begin(load, entry, err);
	if (strcmp(section->name, "queue") == 0)
		return queue_begin(load, entry, err);
	load->base = load->config;
	return 0;
}

/* "[cloud x] uri" */
static void describe(const struct ini_entry *entry, char *out, size_t size)
{
	char name[48];

	str_clean(entry->name, name, sizeof(name));
	(void)snprintf(out, size, "[%s%s%s] %s", entry->section, *name ? " " : "", name,
	               entry->key);
}

static bool is_listed(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(word, list[i]) == 0)
			return true;
	return false;
}

static int check_raw(const struct config_item *item, const void *field, struct err *err)
{
	const struct config_list *list = field;

	if (item->kind != &config_formats || strcmp(item->section, "jobs") != 0)
		return 0;
	for (size_t i = 0; i < list->n; i++)
		if (is_listed(list->items[i], raw_formats, ARRAY_SIZE(raw_formats)))
			return err_set(err, ERR_REJECTED, 0,
			               "[jobs] allow-formats: %s reaches printers unchecked; allow "
			               "it in [queue NAME] where it is needed",
			               list->items[i]);
	return 0;
}

static int on_entry(void *data, const struct ini_entry *entry, struct err *err)
{
	struct load *load = data;
	const struct config_item *item;
	struct buf allowed;
	char what[128];
	int rc;

	if (!entry->key)
		return section_begin(load, entry, err);
	item = config_item_find(entry->section, entry->key);
	if (!item)
		return unknown_key(entry, err);
	describe(entry, what, sizeof(what));
	if (load->queue && !*entry->value && item->kind != &config_formats) {
		load->queue->set &= ~(UINT64_C(1) << (item - config_items));
		return 0;
	}
	if (item->kind->parse(item,
	                      *entry->value || !item->fallback ? entry->value : item->fallback,
	                      config_item_field(item, load->base)) < 0) {
		buf_init(&allowed, 256);
		item->kind->allowed(item, &allowed);
		rc = err_set(err, ERR_REJECTED, 0, "%s must be %s", what, buf_text(&allowed));
		buf_clear(&allowed);
		return rc;
	}
	if (load->queue)
		load->queue->set |= UINT64_C(1) << (item - config_items);
	return check_raw(item, config_item_field(item, load->base), err);
}

/* ---- files ------------------------------------------------------------------------------------
 */

/* A directory beside the main file; the caller's. */
static char *beside(const char *main_path, const char *name)
{
	const char *slash = strrchr(main_path, '/');

	return slash ? xasprintf("%.*s/%s", (int)(slash - main_path), main_path, name)
	             : xstrdup(name);
}

/* The path of the main file; "" when the usual one is not there. */
static char *main_path(const char *path)
{
	const char *dir = getenv("CONFIGURATION_DIRECTORY");
	char *usual;

	if (path)
		return xstrdup(path);
	if (!dir || *dir != '/')
		dir = DEFAULT_DIRECTORY;
	usual = xasprintf("%.*s/%s", (int)strcspn(dir, ":"), dir, DEFAULT_FILE);
	return usual;
}

/* ---- what was left out, and what does not go together -----------------------------------------
 */

/* A directory: as set, else as systemd says (the first of a list), else the usual place. */
static void directory_default(char **field, const char *variable, const char *usual)
{
	const char *value = getenv(variable);

	if (**field)
		return;
	free(*field);
	*field = value && *value == '/' ? xstrndup(value, strcspn(value, ":")) : xstrdup(usual);
}

static void queue_fill(struct config *config, struct config_queue *queue)
{
	const struct config_item *item, *general;
	struct buf text;

	for (size_t i = 0; i < CONFIG_ITEMS; i++) {
		item = &config_items[i];
		if (strcmp(item->section, "queue") != 0 || (queue->set & UINT64_C(1) << i))
			continue;
		general = config_item_find("jobs", item->key);
		assert(general);
		buf_init(&text, CONFIG_FILE_MAX);
		general->kind->format(general, config_item_field(general, config), &text);
		if (item->kind->parse(item, buf_text(&text), config_item_field(item, queue)) < 0)
			abort(); /* both rows of the table must allow the same */
		buf_clear(&text);
	}
}

static void fill(struct config *config)
{
	char host[128] = "";

	directory_default(&config->state_directory, "STATE_DIRECTORY", "/var/lib/print-connector");
	directory_default(&config->runtime_directory, "RUNTIME_DIRECTORY", "/run/print-connector");
	directory_default(&config->cache_directory, "CACHE_DIRECTORY",
	                  "/var/cache/print-connector");
	if (!*config->name) {
		free(config->name);
		(void)gethostname(host, sizeof(host) - 1);
		config->name = xstrdup(*host ? host : "print-connector");
	}
	if (!*config->status_group) {
		free(config->status_group);
		config->status_group = xstrdup(config->control_group);
	}
	for (size_t i = 0; i < config->n_clouds; i++)
		config_cloud_fill(&config->clouds[i]);
	for (size_t i = 0; i < config->n_queues; i++)
		queue_fill(config, &config->queues[i]);
}

static void free_config(struct config **config)
{
	config_free(*config);
}

int config_check(const char *path, struct config **ret, struct buf *problems, struct err *err)
{
	AUTO(free_config) struct config *config = xcalloc(1, sizeof(*config));
	AUTO(free_str) char *file = main_path(path);
	AUTO(free_str) char *parts = beside(file, "conf.d");
	AUTO(free_str) char *mapping = beside(file, "mapping.d");
	struct load load = { .config = config };
	int syntax, rc = 0;

	err_clear(err);
	for (size_t i = 0; i < CONFIG_SECTIONS; i++)
		if (!config_sections[i].of)
			each_item(config_sections[i].name, config, config_item_reset);
	config->queue.name = xstrdup("");
	config->path = xstrdup("");
	if (path || access(file, F_OK) == 0) {
		free(config->path);
		config->path = xstrdup(file);
		rc |= ini_file_parse(file, on_entry, &load, problems, err);
	}
	rc |= ini_directory_parse(parts, on_entry, &load, problems, err);
	syntax = rc;
	rc |= mapping_load(&config->mappings, mapping, problems, err);
	fill(config);
	/* only of what was read right, else one mistake is told twice */
	for (size_t i = 0; !syntax && i < config->n_clouds; i++)
		rc |= config_cloud_check(&config->clouds[i], problems, err);
	if (rc)
		return -1;
	*ret = TAKE(config);
	return 0;
}

int config_load(const char *path, struct config **ret, struct err *err)
{
	return config_check(path, ret, NULL, err);
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < CONFIG_SECTIONS; i++)
		if (!config_sections[i].of)
			each_item(config_sections[i].name, config, config_item_clear);
	for (size_t i = 0; i < config->n_clouds; i++) {
		each_item("cloud", &config->clouds[i], config_item_clear);
		free(config->clouds[i].name);
		free(config->clouds[i].where);
	}
	for (size_t i = 0; i < config->n_queues; i++) {
		each_item("queue", &config->queues[i], config_item_clear);
		free(config->queues[i].name);
	}
	free(config->clouds);
	free(config->queues);
	free(config->queue.name);
	free(config->path);
	mapping_clear(&config->mappings);
	free(config);
}

/* ---- answers ----------------------------------------------------------------------------------
 */

static void print_items(const char *section, const void *base, FILE *out)
{
	const struct config_cloud *cloud = strcmp(section, "cloud") == 0 ? base : NULL;
	const struct config_item *item;
	struct buf text;

	for (size_t i = 0; i < CONFIG_ITEMS; i++) {
		item = &config_items[i];
		if (strcmp(item->section, section) != 0 ||
		    (cloud && !config_cloud_has(cloud, item->key)))
			continue;
		buf_init(&text, CONFIG_FILE_MAX);
		item->kind->format(item, (const char *)base + item->offset, &text);
		(void)fprintf(out, "%s = %s\n", item->key, buf_text(&text));
		buf_clear(&text);
	}
}

void config_print(const struct config *config, FILE *out)
{
	const char *name, *blank = "";

	for (size_t i = 0; i < CONFIG_SECTIONS; i++) {
		name = config_sections[i].name;
		if (!config_sections[i].of) {
			(void)fprintf(out, "%s[%s]\n", blank, name);
			print_items(name, config, out);
		}
		blank = "\n";
	}
	for (size_t i = 0; i < config->n_clouds; i++) {
		(void)fprintf(out, "\n[cloud %s]\n", config->clouds[i].name);
		print_items("cloud", &config->clouds[i], out);
	}
	for (size_t i = 0; i < config->n_queues; i++) {
		(void)fprintf(out, "\n[queue %s]\n", config->queues[i].name);
		print_items("queue", &config->queues[i], out);
	}
}

const struct config_cloud *config_cloud(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_clouds; i++)
		if (strcmp(config->clouds[i].name, name) == 0)
			return &config->clouds[i];
	return NULL;
}

const struct config_queue *config_queue(const struct config *config, const char *queue)
{
	for (size_t i = 0; i < config->n_queues; i++)
		if (is_same_queue(config->queues[i].name, queue))
			return &config->queues[i];
	return &config->queue;
}

bool config_allows(const struct config_queue *queue, const char *format)
{
	return is_listed(format, always_allowed, ARRAY_SIZE(always_allowed)) ||
	       is_listed(format, (const char *const *)queue->allow_formats.items,
	                 queue->allow_formats.n);
}

bool config_names(const struct config *config, const char *queue, const char *format)
{
	const struct config_queue *own = config_queue(config, queue);

	return is_listed(format, (const char *const *)own->allow_formats.items,
	                 own->allow_formats.n) ||
	       (own == &config->queue && strcmp(format, "application/pdf") == 0);
}

static bool matches(const struct config_list *globs, const char *text)
{
	for (size_t i = 0; i < globs->n; i++)
		if (str_glob(globs->items[i], text))
			return true;
	return false;
}

bool config_includes(const struct config *config, const char *queue)
{
	return matches(&config->include, queue) && !matches(&config->exclude, queue);
}
