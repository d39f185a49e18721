#include "tests/lib/says.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

void assert_says(const struct err *err, const char *text)
{
	if (!strstr(err->text, text))
		fail_msg("\"%s\" does not say \"%s\"", err->text, text);
}

void assert_says_what_helps(const struct err *err)
{
	if (!strstr(err->text, "; "))
		fail_msg("\"%s\" does not say what helps", err->text);
}
