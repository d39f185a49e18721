#include "tests/lib/idl.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "common/varlink.h"

/* As the daemon serves it. */
static const char interface_text[] =
#include "varlink_idl.inc"
	;

static struct idl idl;

static int set_up(void **state)
{
	const char *problem = idl_parse(interface_text, &idl);

	(void)state;
	if (problem)
		fail_msg("%s", problem);
	return 0;
}

static void assert_fields(const struct idl_fields *fields, const char *expected)
{
	char text[1024] = "";

	for (size_t i = 0; i < fields->n; i++) {
		(void)strncat(text, fields->items[i].name, 64);
		(void)strncat(text, " ", 2);
	}
	assert_string_equal(text, expected);
}

static void assert_method(const char *name, const char *in, const char *out)
{
	const struct idl_member *m = idl_find(&idl, IDL_METHOD, name);

	assert_non_null(m);
	assert_fields(&m->in, in);
	assert_fields(&m->out, out);
}

static void test_the_interface_has_its_name(void **state)
{
	(void)state;
	assert_string_equal(idl.interface, VARLINK_INTERFACE);
}

static void test_the_methods_are_those_of_the_commands(void **state)
{
	(void)state;
	assert_method("GetStatus", "", "version since clouds printers jobs health ");
	assert_method("Watch", "", "version since clouds printers jobs health open ");
	assert_method("ListPrinters", "", "printers ");
	assert_method("ListQueues", "", "queues ");
	assert_method("ListJobs", "printer all before limit ", "jobs next left ");
	assert_method("GetJob", "id ", "job events ");
	assert_method(
		"Explain", "queue ticket ",
		"queue registered make_and_model attention options choices attributes refused ");
	assert_method("Register",
	              "queue queues all cloud name cloud_uri certificate_file key_file username "
	              "password_file renew dry_run ",
	              "event queue printer text remedy user_code verification_uri expires_at "
	              "registered failed key ");
	assert_method("Unregister", "queue cloud ", "text ");
	assert_method("Diagnose", "queue ",
	              "event step mark cloud subject text remedy passed warned failed ");
	assert_method("Rebind", "printer queue cloud ", "text ");
	assert_method("Reset", "queue cloud trust_new_key ", "key ");
	assert_method("Cancel", "id ", "");
	assert_method("GetMetrics", "", "text ");
}

static void test_the_shapes_are_those_of_the_json_output(void **state)
{
	static const struct {
		const char *type, *fields;
	} rows[] = {
		{ "Printer",
		  "id queue name cloud cloud_printer state reasons since jobs certificate trust " },
		{ "Certificate", "not_after sha256 " },
		{ "Job", "id uuid queue cloud cloud_job name user state outcome local_job bytes "
		         "impressions "
		         "attempts error dropped times " },
		{ "Failure", "kind code text " },
		{ "Times", "received acknowledged handed finished reported " },
		{ "Event", "time source text " },
		{ "Cloud", "name type reachable since error " },
		{ "Health", "code severity subject text remedy " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct idl_member *type = idl_find(&idl, IDL_TYPE, rows[i].type);

		assert_non_null(type);
		assert_fields(&type->in, rows[i].fields);
	}
}

static void test_every_error_says_what_helps(void **state)
{
	static const char *const errors[] = { "NotFound", "NotPermitted", "InvalidArgument",
		                              "Conflict", "Ambiguous",    "Failed" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		const struct idl_member *error = idl_find(&idl, IDL_ERROR, errors[i]);

		assert_non_null(error);
		assert_non_null(idl_field(&error->in, "text"));
		assert_non_null(idl_field(&error->in, "remedy"));
	}
}

static void test_what_may_be_left_out_says_so(void **state)
{
	const struct idl_member *m = idl_find(&idl, IDL_METHOD, "Register");

	(void)state;
	for (size_t i = 0; i < m->in.n; i++)
		assert_int_equal(*m->in.items[i].type, '?');
	assert_string_equal(idl_field(&m->in, "queues")->type, "?[]string");
	m = idl_find(&idl, IDL_METHOD, "ListJobs");
	assert_string_equal(idl_field(&m->in, "printer")->type, "?string");
	assert_string_equal(idl_field(&m->out, "jobs")->type, "[]Job");
	m = idl_find(&idl, IDL_METHOD, "GetStatus");
	assert_string_equal(idl_field(&m->out, "printers")->type, "[string]int");
}

static void test_a_wrong_interface_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"method A() -> ()\n",
		"interface a.b\nmethod a() -> ()\n",
		"interface a.b\nmethod A()\n",
		"interface a.b\nmethod A(x) -> ()\n",
		"interface a.b\nmethod A(x: y) -> ()\n",
		"interface a.b\nmethod A(x: int, x: int) -> ()\n",
		"interface a.b\nmethod A(x_: int) -> ()\n",
		"interface a.b\nmethod A(x: int,) -> ()\n",
		"interface a.b\nmethod A() -> (\n",
		"interface a.b\nerror E ()\nerror E ()\n",
		"interface a.b\nsomething E ()\n",
		"interface a.b\ntype T (x: []Unknown)\n",
		"interface a.b\ntype T (x: [int]int)\n",
	};
	struct idl other;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_non_null(idl_parse(wrong[i], &other));
	assert_string_equal(idl_parse("interface a.b\n# c\n\nx\n", &other),
	                    "line 4: neither type, method nor error");
	assert_null(idl_parse("interface a.b\ntype T (a: ?[]T, b: [string][]int) # c\n", &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_interface_has_its_name),
		cmocka_unit_test(test_the_methods_are_those_of_the_commands),
		cmocka_unit_test(test_the_shapes_are_those_of_the_json_output),
		cmocka_unit_test(test_every_error_says_what_helps),
		cmocka_unit_test(test_what_may_be_left_out_says_so),
		cmocka_unit_test(test_a_wrong_interface_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
