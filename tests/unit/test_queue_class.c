/* Reading a class of CUPS: its members behind it, what is kept of them, what goes wrong meanwhile.
 */
#include "tests/unit/fake_ipp.h"

#include "connector/base/attrs.h"
#include "connector/base/ipp_codec.h"

static ipp_t *class_of(const char *first, const char *second)
{
	const char *names[] = { first, second };
	ipp_t *m = new_printer(IPP_PSTATE_IDLE, "");

	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "printer-type", CUPS_PRINTER_CLASS);
	ippAddStrings(m, IPP_TAG_PRINTER, IPP_TAG_NAME, "member-names", 2, NULL, names);
	return m;
}

static ipp_t *member(const char *sides)
{
	const char *all[] = { "one-sided", sides };
	ipp_t *m = new_printer(IPP_PSTATE_IDLE, "");
	ipp_attribute_t *old = ippFindAttribute(m, "sides-supported", IPP_TAG_ZERO);

	ippDeleteAttribute(m, old);
	ippAddStrings(m, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "sides-supported", 2, NULL, all);
	return m;
}

static const char *asked_uri(void)
{
	return ipp_get_text(asked(IPP_OP_GET_PRINTER_ATTRIBUTES), IPP_TAG_OPERATION, "printer-uri",
	                    "");
}

static void assert_sides(struct fixture *f, const char *expected)
{
	char text[128];

	assert_non_null(queue_ops.capabilities(f->q));
	ipp_join_text(attrs_ipp(queue_ops.capabilities(f->q)), IPP_TAG_ZERO, "sides-supported",
	              text, sizeof(text));
	assert_string_equal(text, expected);
}

static void test_a_class_can_what_all_its_members_can(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, "both");
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, class_of("left", "right"));
	assert_string_equal(asked_uri(), "ipp://localhost/printers/left");
	assert_null(queue_ops.capabilities(f.q));
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, member("two-sided-long-edge"));
	assert_string_equal(asked_uri(), "ipp://localhost/printers/right");
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, member("two-sided-short-edge"));
	assert_sides(&f, "one-sided");
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_READY);
	close_fixture(&f);
}

static void test_a_member_that_is_gone_is_left_out(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, "both");
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, class_of("left", "right"));
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, member("two-sided-long-edge"));
	refuse(IPP_OP_GET_PRINTER_ATTRIBUTES, IPP_STATUS_ERROR_NOT_FOUND, "no such printer");
	assert_sides(&f, "one-sided,two-sided-long-edge");
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_READY);
	close_fixture(&f);
}

static void test_a_class_in_a_class_stands_for_its_members_and_ends(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, "outer");
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, class_of("inner", "left"));
	assert_string_equal(asked_uri(), "ipp://localhost/printers/inner");
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, class_of("LEFT", "inner"));
	assert_string_equal(asked_uri(), "ipp://localhost/printers/left");
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, member("two-sided-long-edge"));
	assert_false(is_waiting(IPP_OP_GET_PRINTER_ATTRIBUTES));
	assert_sides(&f, "one-sided,two-sided-long-edge");
	close_fixture(&f);
}

static void test_a_member_that_does_not_answer_fails_the_whole(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, "both");
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, class_of("left", "right"));
	refuse(IPP_OP_GET_PRINTER_ATTRIBUTES, IPP_STATUS_ERROR_INTERNAL, "?");
	assert_int_equal(queue_ops.status(f.q)->health, QUEUE_DOWN);
	assert_null(queue_ops.capabilities(f.q));
	pass(70000); /* and is tried again from the begin */
	assert_string_equal(asked_uri(), "ipp://localhost/printers/both");
	close_fixture(&f);
}

static void test_a_class_is_closed_while_its_members_are_read(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, "both");
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, class_of("left", "right"));
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_class_can_what_all_its_members_can),
		cmocka_unit_test(test_a_member_that_is_gone_is_left_out),
		cmocka_unit_test(test_a_class_in_a_class_stands_for_its_members_and_ends),
		cmocka_unit_test(test_a_member_that_does_not_answer_fails_the_whole),
		cmocka_unit_test(test_a_class_is_closed_while_its_members_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
