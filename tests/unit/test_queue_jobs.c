/* Operations on jobs and the life of queues, against doubles of the client and the clock. */
#include "tests/unit/fake_ipp.h"

#include "common/str.h"
#include "connector/base/attrs.h"

#define UUID "urn:uuid:11111111-2222-4333-8444-555555555555"

struct result {
	unsigned done;
	struct err err; /* kind NONE: it worked */
};

static void on_done(struct local_op *op, const struct err *err)
{
	struct result *r = op->data;

	r->done++;
	err_clear(&r->err);
	if (err != NULL)
		r->err = *err;
}

static const char *text_of(ipp_t *m, const char *name)
{
	return ipp_get_text(m, IPP_TAG_ZERO, name, "");
}

static ipp_t *new_ticket(void)
{
	ipp_t *m = ippNew();

	ippAddInteger(m, IPP_TAG_JOB, IPP_TAG_INTEGER, "copies", 3);
	add_word(m, IPP_TAG_JOB, "sides", "two-sided-long-edge");
	return m;
}

struct job_case {
	struct fixture f;
	struct local_op op;
	struct result r;
	struct local_ticket ticket;
	struct attrs *attrs;
	struct err err;
};

static void open_case(struct job_case *c, const char *name)
{
	memset(c, 0, sizeof(*c));
	open_fixture(&c->f, name);
	settle_fixture(&c->f);
	c->attrs = attrs_new(new_ticket());
	c->ticket = (struct local_ticket){ .ticket = c->attrs,
		                           .job_uuid = UUID,
		                           .user_name = "anna",
		                           .job_name = "letter",
		                           .cancel_after_s = 60 };
	c->op.user_name = "anna";
	c->op.data = &c->r;
	c->op.done = on_done;
}

static void close_case(struct job_case *c)
{
	queue_ops.op_clear(&c->op);
	attrs_unref(c->attrs);
	close_fixture(&c->f);
}

static void test_create_names_the_owner_the_uuid_and_what_the_queue_can_do(void **state)
{
	struct job_case c;
	ipp_t *m;

	(void)state;
	open_case(&c, "laser");
	assert_int_equal(queue_ops.create(c.f.q, &c.op, &c.ticket, &c.err), 0);
	m = asked(IPP_OP_CREATE_JOB);
	assert_string_equal(text_of(m, "printer-uri"), "ipp://localhost/printers/laser");
	assert_string_equal(text_of(m, "requesting-user-name"), "anna");
	assert_string_equal(text_of(m, "job-name"), "letter");
	assert_string_equal(text_of(m, "job-uuid"), UUID);
	assert_int_equal(ipp_get_int(m, IPP_TAG_JOB, "job-cancel-after", 0), 60);
	assert_int_equal(ipp_get_int(m, IPP_TAG_JOB, "copies", 0), 3);
	assert_null(ippFindAttribute(m, "sides", IPP_TAG_ZERO));
	assert_null(ippFindAttribute(m, "document-format", IPP_TAG_ZERO));
	assert_non_null(strstr(c.op.dropped, "two-sided-long-edge"));
	assert_int_equal(c.r.done, 0);
	answer(IPP_OP_CREATE_JOB, add_job(new_answer(), 7, IPP_JSTATE_HELD, "job-incoming", NULL));
	assert_int_equal(c.r.done, 1);
	assert_int_equal(c.r.err.kind, ERR_NONE);
	assert_int_equal(c.op.job.id, 7);
	assert_true(c.op.job.incoming);
	close_case(&c);
}

static void test_names_are_encoded_in_the_uri(void **state)
{
	struct job_case c;

	(void)state;
	open_case(&c, "a b%c");
	assert_int_equal(queue_ops.get(c.f.q, &c.op, 3, &c.err), 0);
	assert_string_equal(text_of(asked(IPP_OP_GET_JOB_ATTRIBUTES), "printer-uri"),
	                    "ipp://localhost/printers/a%20b%25c");
	answer(IPP_OP_GET_JOB_ATTRIBUTES,
	       add_job(new_answer(), 3, IPP_JSTATE_PENDING, "none", UUID));
	assert_string_equal(c.op.job.job_uuid, UUID);
	close_case(&c);
}

static void test_a_document_to_cups_stays_open_until_finish(void **state)
{
	struct stream *s = stream_new(16384);
	struct job_case c;
	struct ipp_op *op;
	ipp_t *m;

	(void)state;
	open_case(&c, "laser");
	assert_int_equal(
		queue_ops.send(c.f.q, &c.op, &c.ticket, 7, s, -1, "application/pdf", true, &c.err),
		0);
	op = fake.ops[waiting(IPP_OP_SEND_DOCUMENT)];
	m = op->request;
	assert_ptr_equal(op->body, s);
	assert_int_equal(op->body_len, -1);
	assert_true(op->idle_ms > 0);
	assert_int_equal(op->timeout_ms, 0);
	assert_int_equal(ipp_get_int(m, IPP_TAG_OPERATION, "job-id", 0), 7);
	assert_string_equal(text_of(m, "document-format"), "application/pdf");
	assert_string_equal(text_of(m, "requesting-user-name"), "anna");
	assert_false(ipp_get_bool(m, IPP_TAG_OPERATION, "last-document", true));
	answer(IPP_OP_SEND_DOCUMENT,
	       add_job(new_answer(), 7, IPP_JSTATE_HELD, "job-incoming", NULL));
	assert_int_equal(c.r.done, 1);

	assert_int_equal(queue_ops.finish(c.f.q, &c.op, 7, &c.err), 0);
	op = fake.ops[waiting(IPP_OP_SEND_DOCUMENT)];
	assert_null(op->body);
	assert_true(ipp_get_bool(op->request, IPP_TAG_OPERATION, "last-document", false));
	assert_null(ippFindAttribute(op->request, "document-format", IPP_TAG_ZERO));
	answer(IPP_OP_SEND_DOCUMENT, add_job(new_answer(), 7, IPP_JSTATE_PENDING, "none", NULL));
	assert_int_equal(c.r.done, 2);
	assert_false(c.op.job.incoming);
	close_case(&c);
	stream_free(s);
}

static void test_a_failed_upload_fails_its_stream(void **state)
{
	struct stream *s = stream_new(16384);
	struct job_case c;

	(void)state;
	open_case(&c, "laser");
	assert_int_equal(
		queue_ops.send(c.f.q, &c.op, &c.ticket, 7, s, -1, "application/pdf", true, &c.err),
		0);
	cut(IPP_OP_SEND_DOCUMENT, ERR_TEMPORARY, 56);
	assert_int_equal(c.r.err.kind, ERR_TEMPORARY);
	assert_non_null(strstr(c.r.err.text, "queue laser: "));
	assert_int_equal(stream_state(s), STREAM_FAILED);
	close_case(&c);
	stream_free(s);
}

static void test_an_ipp_printer_gets_a_length_and_no_uuid_of_ours(void **state)
{
	struct stream *s = stream_new(16384);
	struct job_case c;
	ipp_t *m;

	(void)state;
	open_case(&c, "ipp://printer.example/ipp/print");
	assert_true(queue_ops.status(c.f.q)->whole);
	assert_int_equal(queue_ops.create(c.f.q, &c.op, &c.ticket, &c.err), 0);
	m = asked(IPP_OP_CREATE_JOB);
	assert_string_equal(text_of(m, "printer-uri"), "ipp://printer.example/ipp/print");
	assert_null(ippFindAttribute(m, "job-uuid", IPP_TAG_ZERO));
	assert_null(ippFindAttribute(m, "job-cancel-after", IPP_TAG_ZERO));
	answer(IPP_OP_CREATE_JOB, add_job(new_answer(), 2, IPP_JSTATE_HELD, "none", NULL));
	assert_int_equal(
		queue_ops.send(c.f.q, &c.op, &c.ticket, 2, s, -1, "application/pdf", true, &c.err),
		-1);
	assert_int_equal(c.err.kind, ERR_REJECTED);
	assert_int_equal(
		queue_ops.send(c.f.q, &c.op, &c.ticket, 2, s, 0, "application/pdf", true, &c.err),
		0);
	assert_true(ipp_get_bool(asked(IPP_OP_SEND_DOCUMENT), IPP_TAG_OPERATION, "last-document",
	                         false));
	answer(IPP_OP_SEND_DOCUMENT, add_job(new_answer(), 2, IPP_JSTATE_PENDING, "none", UUID));
	assert_string_equal(c.op.job.own_uuid, UUID);
	assert_string_equal(c.op.job.job_uuid, "");
	close_case(&c);
	stream_free(s);
}

static ipp_t *new_old_printer(void)
{
	ipp_t *m = new_printer(IPP_PSTATE_IDLE, "");

	ippDeleteAttribute(m, ippFindAttribute(m, "operations-supported", IPP_TAG_ZERO));
	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "operations-supported", IPP_OP_PRINT_JOB);
	return m;
}

static void test_a_printer_without_create_job_gets_print_job(void **state)
{
	struct stream *s = stream_new(16384);
	struct job_case c;
	ipp_t *m;

	(void)state;
	open_case(&c, "ipp://printer.example/ipp/print");
	queue_ops.close(c.f.q);
	drain();
	c.f.q = queue_ops.open(
		c.f.qs, "ipp://old.example/", "",
		&(struct queue_listener){ .changed = on_queue_changed, .data = &c.f });
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_old_printer());
	assert_int_equal(queue_ops.create(c.f.q, &c.op, &c.ticket, &c.err), 0);
	answer(IPP_OP_VALIDATE_JOB, new_answer());
	assert_int_equal(c.r.err.kind, ERR_NONE);
	assert_int_equal(c.op.job.id, 0);
	assert_int_equal(
		queue_ops.send(c.f.q, &c.op, &c.ticket, 0, s, 0, "application/pdf", true, &c.err),
		0);
	m = asked(IPP_OP_PRINT_JOB);
	assert_string_equal(text_of(m, "document-format"), "application/pdf");
	assert_int_equal(ipp_get_int(m, IPP_TAG_JOB, "copies", 0), 3);
	answer(IPP_OP_PRINT_JOB, add_job(new_answer(), 8, IPP_JSTATE_PENDING, "none", NULL));
	assert_int_equal(c.op.job.id, 8);
	close_case(&c);
	stream_free(s);
}

static const struct {
	int status; /* of IPP from 0x0400 on, else of HTTP */
	enum err_kind kind;
	const char *text;
} refusals[] = {
	{ 413, ERR_TEMPORARY, "spool of CUPS is full" },
	{ IPP_STATUS_ERROR_REQUEST_VALUE, ERR_TEMPORARY, "spool of CUPS is full" },
	{ IPP_STATUS_ERROR_REQUEST_ENTITY, ERR_TEMPORARY, "spool of CUPS is full" },
	{ IPP_STATUS_ERROR_NOT_AUTHORIZED, ERR_DENIED, "does not let user anna print" },
	{ IPP_STATUS_ERROR_FORBIDDEN, ERR_DENIED, "queue laser does not let user anna" },
	{ 401, ERR_DENIED, "queue laser does not let user anna" },
	{ 403, ERR_DENIED, "queue laser does not let user anna" },
	{ IPP_STATUS_ERROR_BUSY, ERR_TEMPORARY, "queue laser: " },
	{ IPP_STATUS_ERROR_NOT_ACCEPTING_JOBS, ERR_TEMPORARY, "queue laser: " },
	{ IPP_STATUS_ERROR_NOT_FOUND, ERR_GONE, "queue laser: " },
	{ IPP_STATUS_ERROR_DOCUMENT_FORMAT_NOT_SUPPORTED, ERR_REJECTED, "document format" },
	{ IPP_STATUS_ERROR_ATTRIBUTES_OR_VALUES, ERR_REJECTED, "queue laser: " },
};

static void test_refusals_are_told_apart_and_explained(void **state)
{
	struct job_case c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		open_case(&c, "laser");
		assert_int_equal(queue_ops.create(c.f.q, &c.op, &c.ticket, &c.err), 0);
		if (refusals[i].status >= 0x0400 && refusals[i].status != 413)
			refuse(IPP_OP_CREATE_JOB, (ipp_status_t)refusals[i].status, "no");
		else
			cut(IPP_OP_CREATE_JOB,
			    refusals[i].status == 413 ? ERR_TEMPORARY : ERR_DENIED,
			    refusals[i].status);
		assert_int_equal(c.r.done, 1);
		assert_int_equal(c.r.err.kind, refusals[i].kind);
		assert_int_equal(c.r.err.code, refusals[i].status);
		assert_non_null(strstr(c.r.err.text, refusals[i].text));
		close_case(&c);
	}
}

static void test_an_answer_without_a_number_is_no_job(void **state)
{
	struct job_case c;

	(void)state;
	open_case(&c, "laser");
	assert_int_equal(queue_ops.create(c.f.q, &c.op, &c.ticket, &c.err), 0);
	answer(IPP_OP_CREATE_JOB, new_answer());
	assert_int_equal(c.r.err.kind, ERR_TEMPORARY);
	close_case(&c);
}

static void test_find_returns_every_job_with_the_uuid(void **state)
{
	struct job_case c;
	ipp_t *m = new_answer();

	(void)state;
	open_case(&c, "laser");
	assert_int_equal(queue_ops.find(c.f.q, &c.op, UUID, 2, &c.err), 0);
	add_job(m, 2, IPP_JSTATE_CANCELED, "none", UUID);
	add_job(m, 3, IPP_JSTATE_PENDING, "none", UUID);
	add_job(m, 4, IPP_JSTATE_PENDING, "none", NULL);
	add_job(m, 5, IPP_JSTATE_COMPLETED, "none", "urn:uuid:other");
	answer(IPP_OP_GET_JOBS, m);
	assert_int_equal(c.r.done, 1);
	assert_int_equal(c.op.found_count, 2);
	assert_int_equal(c.op.found[0].id, 2);
	assert_int_equal(c.op.found[1].id, 3);

	assert_int_equal(queue_ops.find(c.f.q, &c.op, UUID, 2, &c.err), 0);
	answer(IPP_OP_GET_JOBS, new_answer());
	assert_int_equal(c.r.err.kind, ERR_NONE);
	assert_int_equal(c.op.found_count, 0);
	close_case(&c);
}

/* A list of CUPS with ended jobs ends after 500, which is no failure. */
static void test_find_is_not_fooled_by_a_list_that_cups_cuts(void **state)
{
	struct job_case c;
	ipp_t *m;

	(void)state;
	open_case(&c, "laser");
	assert_int_equal(queue_ops.find(c.f.q, &c.op, UUID, 514, &c.err), 0);
	m = asked(IPP_OP_GET_JOBS);
	assert_string_equal(text_of(m, "which-jobs"), "all");
	assert_int_equal(ipp_get_int(m, IPP_TAG_OPERATION, "first-job-id", 0), 514);
	answer(IPP_OP_GET_JOBS, add_job(new_answer(), 514, IPP_JSTATE_HELD, "job-incoming", UUID));
	assert_int_equal(c.r.done, 1);
	assert_int_equal(c.op.found[0].id, 514);

	/* its number was not heard of: open ones, of which all are shown, and those that ended last
	 */
	assert_int_equal(queue_ops.find(c.f.q, &c.op, UUID, 0, &c.err), 0);
	m = asked(IPP_OP_GET_JOBS);
	assert_string_equal(text_of(m, "which-jobs"), "not-completed");
	assert_null(ippFindAttribute(m, "first-job-id", IPP_TAG_ZERO));
	answer(IPP_OP_GET_JOBS, add_job(new_answer(), 514, IPP_JSTATE_HELD, "job-incoming", UUID));
	assert_int_equal(c.r.done, 1);
	m = asked(IPP_OP_GET_JOBS);
	assert_string_equal(text_of(m, "which-jobs"), "completed");
	assert_null(ippFindAttribute(m, "first-job-id", IPP_TAG_ZERO));
	answer(IPP_OP_GET_JOBS, new_answer());
	assert_int_equal(c.r.done, 2);
	assert_int_equal(c.op.found_count, 1);
	close_case(&c);
}

static void test_find_asks_twice_where_a_printer_cannot_list_all(void **state)
{
	struct job_case c;

	(void)state;
	open_case(&c, "ipp://printer.example/ipp/print");
	assert_int_equal(queue_ops.find(c.f.q, &c.op, UUID, 2, &c.err), 0);
	assert_string_equal(text_of(asked(IPP_OP_GET_JOBS), "which-jobs"), "not-completed");
	assert_null(ippFindAttribute(asked(IPP_OP_GET_JOBS), "first-job-id", IPP_TAG_ZERO));
	answer(IPP_OP_GET_JOBS, add_job(new_answer(), 1, IPP_JSTATE_PENDING, "none", UUID));
	assert_int_equal(c.r.done, 0);
	assert_string_equal(text_of(asked(IPP_OP_GET_JOBS), "which-jobs"), "completed");
	answer(IPP_OP_GET_JOBS, add_job(new_answer(), 2, IPP_JSTATE_COMPLETED, "none", UUID));
	assert_int_equal(c.r.done, 1);
	assert_int_equal(c.op.found_count, 2);
	close_case(&c);
}

static void test_cancel_repeats_the_owner(void **state)
{
	struct job_case c;

	(void)state;
	open_case(&c, "laser");
	assert_int_equal(queue_ops.cancel(c.f.q, &c.op, 5, &c.err), 0);
	assert_string_equal(text_of(asked(IPP_OP_CANCEL_JOB), "requesting-user-name"), "anna");
	assert_int_equal(ipp_get_int(asked(IPP_OP_CANCEL_JOB), IPP_TAG_OPERATION, "job-id", 0), 5);
	refuse(IPP_OP_CANCEL_JOB, IPP_STATUS_ERROR_NOT_FOUND, "no such job");
	assert_int_equal(c.r.err.kind, ERR_GONE);
	close_case(&c);
}

static void test_purge_is_a_cancel_that_leaves_nothing(void **state)
{
	struct job_case c;

	(void)state;
	open_case(&c, "laser");
	assert_int_equal(queue_ops.purge(c.f.q, &c.op, 5, &c.err), 0);
	assert_string_equal(text_of(asked(IPP_OP_CANCEL_JOB), "requesting-user-name"), "anna");
	assert_int_equal(ipp_get_int(asked(IPP_OP_CANCEL_JOB), IPP_TAG_OPERATION, "job-id", 0), 5);
	assert_true(ipp_get_bool(asked(IPP_OP_CANCEL_JOB), IPP_TAG_OPERATION, "purge-job", false));
	answer(IPP_OP_CANCEL_JOB, new_answer());
	assert_int_equal(c.r.done, 1);
	close_case(&c);
}

static void test_a_canceled_operation_ends_once(void **state)
{
	struct job_case c;

	(void)state;
	open_case(&c, "laser");
	assert_int_equal(queue_ops.get(c.f.q, &c.op, 5, &c.err), 0);
	queue_ops.op_cancel(&c.op);
	assert_int_equal(c.r.done, 0);
	drain();
	assert_int_equal(c.r.done, 1);
	assert_int_equal(c.r.err.kind, ERR_CANCELED);
	close_case(&c);
}

static void test_identify_is_refused_where_it_does_not_exist(void **state)
{
	struct job_case c;

	(void)state;
	open_case(&c, "laser");
	assert_int_equal(queue_ops.identify(c.f.q, &c.op, "sound", NULL, &c.err), -1);
	assert_int_equal(c.err.kind, ERR_REJECTED);
	close_case(&c);
}

/* Queues that nobody looks after. */
struct probe_case {
	struct fixture f;
	struct local_op op;
	struct result r;
	struct err err;
};

static int open_probe(void **state)
{
	struct queues_settings settings = { .clock = &fake_clock, .cups_server = "/s" };
	static struct probe_case c;

	memset(&fake, 0, sizeof(fake));
	c = (struct probe_case){ .op = { .data = &c.r, .done = on_done } };
	*state = &c;
	return queue_ops.open_all(&c.f.qs, &settings, &c.err);
}

static int close_probe(void **state)
{
	struct probe_case *c = *state;

	queue_ops.op_clear(&c->op);
	queue_ops.close_all(c->f.qs);
	assert_int_equal(fake.count, 0);
	assert_int_equal(fake.peers, 0);
	return 0;
}

#define BY_PROBE(test) cmocka_unit_test_setup_teardown(test, open_probe, close_probe)

static void test_probe_reads_a_queue_and_tries_its_policy(void **state)
{
	struct probe_case *c = *state;

	assert_int_equal(queue_ops.probe(c->f.qs, "laser", &c->op, &c->err), 0);
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_STOPPED, "out of toner"));
	assert_string_equal(text_of(asked(IPP_OP_VALIDATE_JOB), "requesting-user-name"),
	                    "print-connector");
	answer(IPP_OP_VALIDATE_JOB, new_answer());
	assert_int_equal(c->r.done, 1);
	assert_int_equal(c->r.err.kind, ERR_NONE);
	assert_int_equal(c->op.status.health, QUEUE_STOPPED);
	assert_string_equal(c->op.status.make_and_model, "Model 1");
	assert_non_null(c->op.capabilities);

	assert_int_equal(queue_ops.probe(c->f.qs, "laser", &c->op, &c->err), 0);
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	cut(IPP_OP_VALIDATE_JOB, ERR_DENIED, 401);
	assert_int_equal(c->r.err.kind, ERR_REJECTED);
	assert_non_null(strstr(c->r.err.text, "lpadmin -p laser"));

	assert_int_equal(queue_ops.probe(c->f.qs, "laser", &c->op, &c->err), 0);
	refuse(IPP_OP_GET_PRINTER_ATTRIBUTES, IPP_STATUS_ERROR_NOT_FOUND, "?");
	assert_int_equal(c->r.err.kind, ERR_GONE);
	assert_string_equal(c->r.err.text, "CUPS has no queue laser; print-connector printers "
	                                   "--available lists those it has");
	assert_int_equal(c->r.done, 3);
}

#define EVE "ipps://eve.example/ipp/print"

static void untrusted(const char *key)
{
	struct ipp_op *op = fake.ops[waiting(IPP_OP_GET_PRINTER_ATTRIBUTES)];

	(void)str_copy(op->req.server_key, sizeof(op->req.server_key), key);
	cut(IPP_OP_GET_PRINTER_ATTRIBUTES, ERR_DENIED, 60);
}

static void test_probe_learns_the_key_of_a_printer_that_no_authority_knows(void **state)
{
	struct probe_case *c = *state;

	assert_int_equal(queue_ops.probe(c->f.qs, EVE, &c->op, &c->err), 0);
	assert_string_equal(fake.pin, "");
	untrusted("sha256//AAAA");
	assert_string_equal(fake.pin, "sha256//AAAA");
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	answer(IPP_OP_VALIDATE_JOB, new_answer());
	assert_int_equal(c->r.err.kind, ERR_NONE);
	assert_string_equal(c->op.learned, "sha256//AAAA");

	/* a key that changes while one looks is not chased */
	assert_int_equal(queue_ops.probe(c->f.qs, EVE, &c->op, &c->err), 0);
	untrusted("sha256//AAAA");
	untrusted("sha256//BBBB");
	assert_int_equal(c->r.err.kind, ERR_DENIED);

	/* one that an authority knows */
	assert_int_equal(queue_ops.probe(c->f.qs, EVE, &c->op, &c->err), 0);
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, new_printer(IPP_PSTATE_IDLE, ""));
	answer(IPP_OP_VALIDATE_JOB, new_answer());
	assert_string_equal(c->op.learned, "");
	assert_int_equal(c->r.done, 3);
}

static void test_probe_believes_only_what_it_is_told_to(void **state)
{
	struct probe_case *c = *state;

	c->op.pinned_key = "";
	assert_int_equal(queue_ops.probe(c->f.qs, EVE, &c->op, &c->err), 0);
	untrusted("sha256//AAAA");
	assert_int_equal(c->r.done, 1);
	assert_int_equal(c->r.err.kind, ERR_DENIED);
	c->op.pinned_key = "sha256//BBBB";
	assert_int_equal(queue_ops.probe(c->f.qs, EVE, &c->op, &c->err), 0);
	assert_string_equal(fake.pin, "sha256//BBBB");
	untrusted("");
	assert_int_equal(c->r.done, 2);
}

static void test_probe_warns_of_a_queue_that_writes_to_a_file(void **state)
{
	struct probe_case *c = *state;
	ipp_t *m = new_printer(IPP_PSTATE_IDLE, "");

	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_URI, "device-uri", NULL, "file:///tmp/x");
	assert_int_equal(queue_ops.probe(c->f.qs, "file", &c->op, &c->err), 0);
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, m);
	answer(IPP_OP_VALIDATE_JOB, new_answer());
	assert_non_null(strstr(c->op.warning, "writes to a file"));
}

static void test_probe_warns_of_a_queue_without_a_driver(void **state)
{
	struct probe_case *c = *state;
	ipp_t *m = ippNew();

	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "printer-state", IPP_PSTATE_IDLE);
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-make-and-model", NULL,
	             "Local Raw Printer");
	assert_int_equal(queue_ops.probe(c->f.qs, "bare", &c->op, &c->err), 0);
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, m);
	answer(IPP_OP_VALIDATE_JOB, new_answer());
	assert_non_null(strstr(c->op.warning, "queue bare has no driver"));
	assert_non_null(strstr(c->op.warning, "allow-formats in [queue bare]"));
}

static void test_probe_warns_of_a_queue_that_takes_nothing(void **state)
{
	struct probe_case *c = *state;
	ipp_t *m = ippNew();

	ippAddInteger(m, IPP_TAG_PRINTER, IPP_TAG_ENUM, "printer-state", IPP_PSTATE_IDLE);
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_MIMETYPE, "document-format-supported", NULL,
	             "text/plain");
	assert_int_equal(queue_ops.probe(c->f.qs, "texts", &c->op, &c->err), 0);
	answer(IPP_OP_GET_PRINTER_ATTRIBUTES, m);
	answer(IPP_OP_VALIDATE_JOB, new_answer());
	assert_non_null(strstr(c->op.warning, "takes neither PDF nor images"));
}

static void test_probe_refuses_what_is_no_address(void **state)
{
	struct probe_case *c = *state;

	assert_int_equal(queue_ops.probe(c->f.qs, "ipp://bad", &c->op, &c->err), -1);
	assert_int_equal(c->err.kind, ERR_REJECTED);
	assert_int_equal(c->r.done, 0);
}

static void count_name(void *data, const char *name, const char *info, const char *model)
{
	char *line = data;

	(void)snprintf(line + strlen(line), 200 - strlen(line), "%s|%s|%s;", name, info, model);
}

static void test_list_names_the_queues_of_cups(void **state)
{
	struct probe_case *c = *state;
	ipp_t *m = new_answer();
	char line[200] = "";

	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_NAME, "printer-name", NULL, "a");
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-info", NULL, "A\nB");
	ippAddSeparator(m);
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_NAME, "printer-name", NULL, "b");
	ippAddString(m, IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-make-and-model", NULL, "M");
	assert_int_equal(queue_ops.list(c->f.qs, &c->op, count_name, line, &c->err), 0);
	answer(IPP_OP_CUPS_GET_PRINTERS, m);
	assert_string_equal(line, "a|A B|;b||M;");
	assert_int_equal(queue_ops.list(c->f.qs, &c->op, count_name, line, &c->err), 0);
	refuse(IPP_OP_CUPS_GET_PRINTERS, IPP_STATUS_ERROR_NOT_FOUND, "no destinations");
	assert_int_equal(c->r.err.kind, ERR_NONE);
	assert_int_equal(queue_ops.list(c->f.qs, &c->op, count_name, line, &c->err), 0);
	cut(IPP_OP_CUPS_GET_PRINTERS, ERR_TEMPORARY, 7);
	assert_int_equal(c->r.err.kind, ERR_TEMPORARY);
	assert_int_equal(c->r.done, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_names_the_owner_the_uuid_and_what_the_queue_can_do),
		cmocka_unit_test(test_names_are_encoded_in_the_uri),
		cmocka_unit_test(test_a_document_to_cups_stays_open_until_finish),
		cmocka_unit_test(test_a_failed_upload_fails_its_stream),
		cmocka_unit_test(test_an_ipp_printer_gets_a_length_and_no_uuid_of_ours),
		cmocka_unit_test(test_a_printer_without_create_job_gets_print_job),
		cmocka_unit_test(test_refusals_are_told_apart_and_explained),
		cmocka_unit_test(test_an_answer_without_a_number_is_no_job),
		cmocka_unit_test(test_find_returns_every_job_with_the_uuid),
		cmocka_unit_test(test_find_is_not_fooled_by_a_list_that_cups_cuts),
		cmocka_unit_test(test_find_asks_twice_where_a_printer_cannot_list_all),
		cmocka_unit_test(test_cancel_repeats_the_owner),
		cmocka_unit_test(test_purge_is_a_cancel_that_leaves_nothing),
		cmocka_unit_test(test_a_canceled_operation_ends_once),
		cmocka_unit_test(test_identify_is_refused_where_it_does_not_exist),
		BY_PROBE(test_probe_reads_a_queue_and_tries_its_policy),
		BY_PROBE(test_probe_learns_the_key_of_a_printer_that_no_authority_knows),
		BY_PROBE(test_probe_believes_only_what_it_is_told_to),
		BY_PROBE(test_probe_warns_of_a_queue_that_writes_to_a_file),
		BY_PROBE(test_probe_warns_of_a_queue_without_a_driver),
		BY_PROBE(test_probe_warns_of_a_queue_that_takes_nothing),
		BY_PROBE(test_probe_refuses_what_is_no_address),
		BY_PROBE(test_list_names_the_queues_of_cups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
