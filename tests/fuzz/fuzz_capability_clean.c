/* fuzz_capability_clean.c - a printer's hostile answer on its way to the clouds: the first byte
 * says whether it is a queue of CUPS, the rest is the message. Whatever it says, what clouds are
 * told keeps to the syntaxes and limits of the standards. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"
#include "connector/cloud/up_attributes.h"
#include "connector/cloud/up_table.h"
#include "connector/printer/capabilities.h"
#include "connector/printer/capability_class.h"
#include "connector/printer/capability_clean.h"
#include "connector/printer/capability_table.h"
#include "connector/printer/printer_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT_MAX   1023
#define NAMES_LEFT 128 /* rules that may not hold */

static void check_strings(ipp_attribute_t *a)
{
	for (int i = 0; i < ippGetCount(a); i++) {
		const char *text = ippGetString(a, i, NULL);

		if (!text)
			continue;
		assert(strlen(text) <= TEXT_MAX);
		for (const char *p = text; *p; p++)
			assert((unsigned char)*p >= ' ' && *p != 0x7f);
	}
}

/* Each name once, values within limits, and bytes that are a message again. */
static void check_set(ipp_t *set)
{
	struct buf out;
	struct err err;
	ipp_t *again;
	int n = 0;

	for (ipp_attribute_t *a = ippFirstAttribute(set); a; a = ippNextAttribute(set)) {
		assert(ippGetName(a));
		assert(ippGetGroupTag(a) == IPP_TAG_PRINTER);
		assert(ippGetCount(a) >= 1 && ippGetCount(a) <= 2 * CAPABILITY_VALUES_MAX + 4);
		check_strings(a);
		assert(n++ < 300);
	}
	buf_init(&out, IPP_MESSAGE_MAX);
	if (ipp_encode(set, &out, &err) == 0) {
		assert(ipp_decode(out.data, out.len, &again, &err) == 0);
		ippDelete(again);
	}
	buf_clear(&out);
}

static void check_universal(struct attrs *capabilities, struct attrs *state)
{
	const struct up_host host = { "1", "Linux", "host" };
	ipp_t *set = up_attributes_new(capabilities, state, &host);
	const char *names[NAMES_LEFT];

	for (ipp_attribute_t *a = ippFirstAttribute(set); a; a = ippNextAttribute(set)) {
		const struct up_attribute *as = up_table_find(ippGetName(a));

		assert(as && as->syntaxes & up_table_syntax(ippGetValueTag(a)));
		assert(as->many || ippGetCount(a) == 1);
	}
	check_set(set);
	(void)up_attributes_check(set, names, NAMES_LEFT);
	ippDelete(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct queue_status status = { .health = QUEUE_READY };
	struct attrs *capabilities, *class, *state;
	bool cups, connecting;
	struct err err;
	ipp_t *answer;

	if (size < 2 || ipp_decode(data + 1, size - 1, &answer, &err) < 0)
		return 0;
	cups = data[0] & 1;
	status.whole = !cups;
	capabilities = capabilities_new(answer, cups, NULL);
	check_set(attrs_ipp(capabilities));
	class = capability_class_new(answer, (ipp_t *[]){ answer, answer }, 2, NULL);
	check_set(attrs_ipp(class));
	printer_identity_read(answer, cups, &status);
	printer_state_read(answer, "queue", cups, &status, &connecting);
	state = printer_state_attrs(answer, &status, attrs_ipp(capabilities), answer);
	check_set(attrs_ipp(state));
	check_universal(capabilities, state);
	check_universal(class, state);
	attrs_unref(capabilities);
	attrs_unref(class);
	attrs_unref(state);
	ippDelete(answer);
	return 0;
}
