#include "common/ini.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/str.h"
#include "common/util.h"

static size_t count_lines(const struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		n += b->data[i] == '\n';
	return n;
}

int ini_problem(struct buf *problems, const char *where, const struct err *problem, struct err *err)
{
	const char *colon = *where ? ": " : "";

	if (problems && count_lines(problems) < INI_PROBLEMS_MAX)
		(void)buf_printf(problems, "%s%s%s\n", where, colon, problem->text);
	if (err->kind == ERR_NONE) {
		*err = *problem;
		if (*where)
			(void)err_wrap(err, "%s", where);
	}
	return -1;
}

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		text[--len] = '\0';
	return text;
}

/* "[section NAME]" in place. The last bracket counts: a name may be an address in brackets. */
static int section_parse(char *text, char **ret_section, char **ret_name, struct err *err)
{
	size_t len = strlen(text);
	char *section, *name;

	if (text[len - 1] != ']')
		return err_set(err, ERR_REJECTED, 0, "the section lacks its ]");
	text[len - 1] = '\0';
	section = trim(text + 1);
	name = section + strcspn(section, " \t");
	if (*name)
		*name++ = '\0';
	if (!*section)
		return err_set(err, ERR_REJECTED, 0, "the section has no name");
	*ret_section = section;
	*ret_name = trim(name);
	return 0;
}

static int key_parse(char *text, char **ret_key, char **ret_value, struct err *err)
{
	char *equals = strchr(text, '=');
	char shown[64];

	if (!equals) {
		str_clean(text, shown, sizeof(shown));
		return err_set(err, ERR_REJECTED, 0, "\"%s\" is neither [section] nor key = value",
		               shown);
	}
	*equals = '\0';
	*ret_key = trim(text);
	*ret_value = trim(equals + 1);
	if (!**ret_key)
		return err_set(err, ERR_REJECTED, 0, "nothing stands before the =");
	return 0;
}

struct parser {
	ini_handler *handler;
	void *handler_data;
	struct ini_entry entry;
	char section[INI_LINE_MAX + 1]; /* the line of the section, cut in section and name */
	bool skip;                      /* the section was wrong, so its keys mean nothing */
};

static int line_parse(struct parser *p, char *line, struct err *err)
{
	char *section = "", *name = "", *key = "", *value = "";

	if (*line == '[') {
		p->skip = true;
		(void)str_copy(p->section, sizeof(p->section), line);
		p->entry.section = NULL;
		if (section_parse(p->section, &section, &name, err) < 0)
			return -1;
		p->entry.section = section;
		p->entry.name = name;
		p->entry.key = NULL;
		p->entry.value = "";
		if (p->handler(p->handler_data, &p->entry, err) < 0)
			return -1;
		p->skip = false;
		return 0;
	}
	if (p->skip)
		return 0;
	if (key_parse(line, &key, &value, err) < 0)
		return -1;
	if (!p->entry.section)
		return err_set(err, ERR_REJECTED, 0, "\"%.40s\" stands before the first [section]",
		               key);
	p->entry.key = key;
	p->entry.value = value;
	return p->handler(p->handler_data, &p->entry, err);
}

/* Copies a line without its end; it must be text. */
static int line_take(const char *data, size_t len, char *out, struct err *err)
{
	if (len && data[len - 1] == '\r')
		len--;
	if (len > INI_LINE_MAX)
		return err_set(err, ERR_REJECTED, 0, "the line is longer than %d bytes",
		               INI_LINE_MAX);
	memcpy(out, data, len);
	out[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)out[i] < 0x20 && out[i] != '\t') || out[i] == 0x7f)
			return err_set(err, ERR_REJECTED, 0, "the line has a control character");
	if (!str_is_utf8(out))
		return err_set(err, ERR_REJECTED, 0, "the line is not UTF-8 text");
	return 0;
}

int ini_parse(const char *file, const void *data, size_t len, ini_handler *handler,
              void *handler_data, struct buf *problems, struct err *err)
{
	struct parser p = { .handler = handler, .handler_data = handler_data };
	const char *next = len ? data : "", *end, *stop = next + len;
	char line[INI_LINE_MAX + 1], *text;
	struct err problem;
	char where[512];
	int rc = 0;

	p.entry.file = file;
	err_clear(err);
	if (len >= 3 && memcmp(next, "\xef\xbb\xbf", 3) == 0)
		next += 3; /* the byte order mark of some editors */
	for (; next < stop; next = end + 1) {
		p.entry.line++;
		end = memchr(next, '\n', (size_t)(stop - next));
		if (!end)
			end = stop;
		err_clear(&problem);
		if (line_take(next, (size_t)(end - next), line, &problem) == 0) {
			text = trim(line);
			if (!*text || *text == '#' || *text == ';' ||
			    line_parse(&p, text, &problem) == 0)
				continue;
		}
		(void)snprintf(where, sizeof(where), "%s:%u", file, p.entry.line);
		rc = ini_problem(problems, where, &problem, err);
	}
	return rc;
}
