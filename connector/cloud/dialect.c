#include "connector/cloud/dialect.h"

#include <stddef.h>

#include <cups/ipp.h>

#include "common/str.h"

static const char *const infra_events[] = { "job-fetchable", "job-state-changed", "job-completed",
	                                    "printer-state-changed", NULL };
/* As it lies there first: undoing gzip costs more than a local network gains. */
static const char *const infra_compressions[] = { "none", "gzip", NULL };
/* PWG 5100.18 tables 7 and 8: facts of the Infrastructure Printer itself. */
static const char *const infra_withheld[] = {
	"attributes-charset",
	"attributes-natural-language",
	"ippget-event-life",
	"job-ids-supported",
	"multiple-document-jobs-supported",
	"multiple-operation-time-out*",
	"notify-*",
	"oauth-*",
	"output-device-uuid-supported",
	"printer-get-attributes-supported",
	"printer-mode-*",
	"printer-more-info",
	"printer-supply-info-uri",
	"printer-uri-supported",
	"printer-uuid",
	"printer-xri-supported",
	"uri-*-supported",
	"which-jobs-supported",
	NULL,
};

const struct dialect dialect_ipp_infra = {
	/* ippserver says processing-stopped, as the specification does; PAPPL pending */
	.fetchable_states = 1u << IPP_JSTATE_PENDING | 1u << IPP_JSTATE_STOPPED,
	.lease_s = 0,
	.active_jobs = true,
	.refusal_ends_job = true, /* ippserver takes a refusal as acceptance */
	.document_status = true,
	.document_acknowledge = true,
	.notify_wait = true,
	.spread_ms = 5000,
	.relist_ms = 60000,
	.relist_all_ms = 10000,
	.canceled_is_checked = true, /* PAPPL */
	.events = infra_events,
	.compressions = infra_compressions,
	.withheld = infra_withheld,
};

/* Microsoft's own list has no document events, and only these two are needed. */
static const char *const universal_events[] = { "job-fetchable", "job-state-changed", NULL };
static const char *const no_names[] = { NULL };

const struct dialect dialect_universal_print = {
	.fetchable_states = 1u << IPP_JSTATE_PENDING | 1u << IPP_JSTATE_HELD |
	                    1u << IPP_JSTATE_PROCESSING | 1u << IPP_JSTATE_STOPPED,
	.lease_s = 0,
	.document_acknowledge = true,
	.one_document = true,
	.list_all = true,
	.internal_is_final = true,
	.microsoft = true,
	.spread_ms = 15000,
	.relist_ms = 600000,
	.relist_all_ms = 30000,
	.events = universal_events,
	.compressions = no_names,
	.withheld = no_names, /* what it takes is chosen in up_attributes.c */
};

bool dialect_takes(const struct dialect *d, const char *attribute)
{
	for (const char *const *p = d->withheld; *p; p++)
		if (str_glob(*p, attribute))
			return false;
	return true;
}
