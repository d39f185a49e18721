#include "connector/printer/printer_text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/str.h"

void printer_text_add(char *out, size_t size, const char *text)
{
	size_t used = strnlen(out, size - 1), i;

	for (i = 0; text != NULL && text[i] != '\0' && used + i + 1 < size; i++)
		out[used + i] = strchr("\r\n\t", text[i]) != NULL ? ' ' : text[i];
	if (text != NULL && text[i] != '\0')
		while (i > 0 && ((unsigned char)text[i] & 0xc0) == 0x80)
			i--;
	out[used + i] = '\0';
	str_clean(out, out, size);
}

void printer_text_copy(char *out, size_t size, const char *text)
{
	out[0] = '\0';
	while (text != NULL && *text == ' ')
		text++;
	printer_text_add(out, size, text);
}

void printer_text_set(char *out, size_t size, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	printer_text_copy(out, size, line);
}

bool printer_text_has(const char *list, const char *word)
{
	size_t len = strlen(word);
	const char *at;

	for (at = strstr(list, word); at != NULL; at = strstr(at + 1, word))
		if ((at == list || at[-1] == ',') && (at[len] == ',' || at[len] == '\0'))
			return true;
	return false;
}
