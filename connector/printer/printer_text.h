/* printer_text.h - strings that printers sent, made fit for lines that people read. Pure. */
#ifndef CONNECTOR_PRINTER_PRINTER_TEXT_H
#define CONNECTOR_PRINTER_PRINTER_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Copies in one line without leading spaces, made safe to show (str_clean), cut at a whole
 * character; NULL is "". */
void printer_text_copy(char *out, size_t size, const char *text);
/* The same of a format. */
void printer_text_set(char *out, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Appends in the same way. */
void printer_text_add(char *out, size_t size, const char *text);
/* Whether a list joined by commas has the word. */
bool printer_text_has(const char *list, const char *word);

#endif
