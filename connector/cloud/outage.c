#include "connector/cloud/outage.h"

#define STATUS_GONE 0x0407
#define HTTP_LAST   599 /* codes up to here are of HTTP or curl, IPP's begin above */

static bool is_http(const struct err *err, int a, int b)
{
	return err->code == a || err->code == b;
}

bool outage_is_refusal(const struct err *err)
{
	switch (err->kind) {
	case ERR_DENIED: /* not a certificate of the cloud that does not verify, not a proxy */
		return is_http(err, 401, 403) || err->code > HTTP_LAST;
	case ERR_GONE: /* not an IPP not-found: a server that restarted has forgotten us */
		return is_http(err, 404, 410);
	case ERR_NONE:
	case ERR_TEMPORARY:
	case ERR_REJECTED:
	case ERR_CORRUPT:
	case ERR_CANCELED:
		return false;
	}
	return false;
}

/* A strict service means it when it says that a printer is gone. */
static bool is_refusal(const struct outage *o, const struct err *err)
{
	return outage_is_refusal(err) ||
	       (o->strict && err->kind == ERR_GONE && err->code == STATUS_GONE);
}

static int64_t delay_of(unsigned failures, uint64_t random)
{
	int64_t most = OUTAGE_FIRST_MS;

	while (failures-- > 0 && most < OUTAGE_CAP_MS)
		most *= 2;
	if (most > OUTAGE_CAP_MS)
		most = OUTAGE_CAP_MS;
	return (int64_t)(random % (uint64_t)(most + 1));
}

struct outage_plan outage_after(struct outage *o, const struct err *err, int64_t online_ms,
                                uint64_t random)
{
	struct outage_plan plan = { CHANNEL_OFFLINE, 0 };
	int64_t floor_ms = (int64_t)err->retry_after_s * 1000;

	if (online_ms >= OUTAGE_GOOD_MS)
		*o = (struct outage){ .strict = o->strict };
	o->refusals = is_refusal(o, err) ? o->refusals + 1 : 0;
	if (o->refusals > !o->strict) {
		plan.state = CHANNEL_REFUSED;
		plan.delay_ms =
			OUTAGE_REFUSED_MS + (int64_t)(random % (uint64_t)(OUTAGE_REFUSED_MS + 1));
	} else if (err->kind == ERR_GONE && !o->refusals && !o->failures && online_ms > 0) {
		plan.state = CHANNEL_CONNECTING;
	} else {
		plan.delay_ms = delay_of(o->failures, random);
	}
	if (o->failures < 32)
		o->failures++;
	if (plan.delay_ms < floor_ms) /* those who were told the same do not come at once */
		plan.delay_ms = floor_ms + (int64_t)(random % (uint64_t)(floor_ms / 8 + 1));
	return plan;
}

void outage_explain(const struct err *err, struct err *ret)
{
	const char *kind = err->code > HTTP_LAST ? "IPP" : "HTTP";

	if (err->kind == ERR_GONE)
		err_set(ret, ERR_GONE, err->code,
		        "no such printer at this cloud (HTTP %d): check its address, or register "
		        "it again",
		        err->code);
	else
		err_set(ret, ERR_DENIED, err->code,
		        "the cloud does not accept us for this printer (%s %d): check user name, "
		        "password or certificate",
		        kind, err->code);
}
