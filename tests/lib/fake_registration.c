/* The registration service of a fake world: signs in, makes certificates, knows what was begun. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/str.h"
#include "common/util.h"
#include "tests/lib/fake_cert.h"
#include "tests/lib/fake_world.h"

#define APPROVE_MS 5000 /* how long somebody types */

struct cloud_session {
	struct fake_world *w;
};

bool fake_wants_sign_in(const struct cloud *c)
{
	(void)c;
	return fake_world->wants_sign_in;
}

static void done_cloud(struct fake_call *c, const struct err *err)
{
	struct cloud_op *op = c->op;

	op->done(op, err);
}

static void end_canceled(struct fake_call *c)
{
	struct err err;

	(void)err_set(&err, ERR_CANCELED, 0, "canceled");
	fake_call_end(c, &err);
}

static void run_sign_in(struct fake_call *c)
{
	struct fake_world *w = c->w;
	struct cloud_op *op = c->op;

	if (c->canceled) {
		end_canceled(c);
		return;
	}
	if (c->step++ == 0) {
		(void)str_copy(op->user_code, sizeof(op->user_code), FAKE_USER_CODE);
		(void)str_copy(op->verification_uri, sizeof(op->verification_uri),
		               "https://login.example/device");
		op->expires_s = 900;
		op->code(op);
		if (!w->never_signed_in)
			fake_call_again(c, APPROVE_MS);
		return;
	}
	if (c->planned) { /* declined */
		fake_call_end(c, NULL);
		return;
	}
	op->session = xcalloc(1, sizeof(*op->session));
	op->session->w = w;
	w->sessions++;
	w->sign_ins++;
	fake_call_end(c, NULL);
}

int fake_sign_in(struct cloud *cl, struct cloud_op *op, struct err *err)
{
	(void)cl;
	return fake_call_start(fake_world, "cloud.sign_in", op, 0, run_sign_in, done_cloud, err)
	               ? 0
	               : -1;
}

void fake_sign_out(struct cloud_session *s)
{
	if (s)
		s->w->sessions--;
	free(s);
}

/* ---- registrations ---- */

static struct fake_registration *find(struct fake_world *w, const char *id)
{
	for (size_t i = 0; i < w->registration_count; i++)
		if (strcmp(w->registrations[i].id, id) == 0)
			return &w->registrations[i];
	return NULL;
}

static struct fake_registration *begin(struct fake_world *w, const char *device,
                                       const char *request)
{
	struct fake_registration *r = &w->registrations[w->registration_count++];

	assert(w->registration_count <= FAKE_PRINTERS_MAX);
	(void)str_copy(r->device, sizeof(r->device), device);
	(void)snprintf(r->id, sizeof(r->id), "reg-%zu", w->registration_count);
	r->request = xstrdup(request);
	return r;
}

unsigned fake_devices(const struct fake_world *w)
{
	unsigned n = 0;

	for (size_t i = 0; i < w->registration_count; i++) {
		bool known = false;

		for (size_t k = 0; k < i; k++)
			known = known ||
			        strcmp(w->registrations[i].device, w->registrations[k].device) == 0;
		n += !known;
	}
	return n;
}

/* The certificate is for the request with which it was begun. */
static void answer(struct fake_world *w, struct cloud_op *op, const struct fake_registration *r)
{
	struct cloud_identity *id = &op->identity;
	AUTO(free_str) char *pem = NULL;
	AUTO(free_str) char *other = w->wrong_key ? fake_cert_request() : NULL;

	pem = fake_cert_issue(other ? other : r->request, w->clock.wall_ms / 1000, w->valid_days);
	buf_init(&op->certificate, 64 * 1024);
	(void)buf_append(&op->certificate, pem, strlen(pem));
	(void)snprintf(id->device, sizeof(id->device), "%s%s", w->other_device ? "x-" : "d-",
	               r->device);
	(void)str_copy(id->token_url, sizeof(id->token_url), "https://login.example/t/token");
	(void)str_copy(id->client_id, sizeof(id->client_id), "app");
	(void)str_copy(id->resource, sizeof(id->resource), "https://print.example");
	(void)snprintf(op->printer_uri, sizeof(op->printer_uri),
	               "ipps://print.example/printers/d-%.40s", r->device);
	(void)snprintf(op->printer_uuid, sizeof(op->printer_uuid), "urn:uuid:d-%.40s", r->device);
	w->enrolled++;
}

static void end_enroll(struct fake_call *c, const struct err *err)
{
	c->w->enrolling--;
	done_cloud(c, err);
}

static void run_enroll(struct fake_call *c)
{
	struct fake_world *w = c->w;
	struct cloud_op *op = c->op;
	struct fake_registration *r = find(w, c->uuid);
	struct err err;

	if (c->canceled) {
		end_canceled(c);
		return;
	}
	if (c->step++ == 0) {
		if (!r || w->forgets_registrations) {
			(void)err_set(&err, ERR_GONE, 404, "no such registration");
			fake_call_end(c, &err);
			return;
		}
		(void)str_copy(op->identity.registration_id, sizeof(op->identity.registration_id),
		               r->id);
		if (c->last && op->begun)
			op->begun(op);
		if (!c->planned || c->how != FAKE_AFTER)
			fake_call_again(c, w->wants_sign_in ? 1000 : 0);
		else
			fake_call_end(c, NULL);
		return;
	}
	if (!c->planned)
		answer(w, op, r);
	fake_call_end(c, NULL);
}

int fake_enroll(struct cloud *cl, struct cloud_op *op, const struct cloud_enrolment *what,
                struct err *err)
{
	struct fake_world *w = fake_world;
	struct fake_call *c;

	(void)cl;
	assert(!what->session == !w->wants_sign_in);
	assert(*what->device_uuid && *what->name && *what->manufacturer && *what->model);
	assert(strstr(what->request_pem, "CERTIFICATE REQUEST"));
	c = fake_call_start(w, "cloud.enroll", op, 0, run_enroll, end_enroll, err);
	if (!c)
		return -1;
	w->enrolling++;
	if (w->enrolling > w->most_enrolling)
		w->most_enrolling = w->enrolling;
	c->last = !*what->registration_id; /* begins one */
	if (c->planned && c->how == FAKE_BEFORE)
		return 0;
	(void)str_copy(c->uuid, sizeof(c->uuid),
	               c->last ? begin(w, what->device_uuid, what->request_pem)->id
	                       : what->registration_id);
	return 0;
}

void fake_registrations_clear(struct fake_world *w)
{
	assert(w->sessions == 0 && w->enrolling == 0);
	for (size_t i = 0; i < w->registration_count; i++)
		free(w->registrations[i].request);
	w->registration_count = 0;
}
