#include "tests/emulator/operations.h"

#include <stddef.h>
#include <string.h>

#include <cups/ipp.h>

#include "tests/emulator/client.h"
#include "tests/emulator/events.h"
#include "tests/emulator/infra.h"

static const struct operation operations[] = {
	/* code, side, target, told, document, handler */
	{ IPP_OP_PRINT_JOB, SIDE_CLIENT, TARGET_PRINTER, true, true, client_print_job },
	{ IPP_OP_VALIDATE_JOB, SIDE_CLIENT, TARGET_PRINTER, false, false, client_validate_job },
	{ IPP_OP_CREATE_JOB, SIDE_CLIENT, TARGET_PRINTER, true, false, client_create_job },
	{ IPP_OP_SEND_DOCUMENT, SIDE_CLIENT, TARGET_JOB, true, true, client_send_document },
	{ IPP_OP_CLOSE_JOB, SIDE_CLIENT, TARGET_JOB, true, false, client_close_job },
	{ IPP_OP_CANCEL_JOB, SIDE_CLIENT, TARGET_JOB, true, false, client_cancel_job },
	{ IPP_OP_HOLD_JOB, SIDE_CLIENT, TARGET_JOB, true, false, client_hold_job },
	{ IPP_OP_RELEASE_JOB, SIDE_CLIENT, TARGET_JOB, true, false, client_release_job },
	{ IPP_OP_PAUSE_PRINTER, SIDE_CLIENT, TARGET_PRINTER, false, false, client_pause_printer },
	{ IPP_OP_RESUME_PRINTER, SIDE_CLIENT, TARGET_PRINTER, false, false, client_resume_printer },
	{ IPP_OP_IDENTIFY_PRINTER, SIDE_CLIENT, TARGET_PRINTER, false, false,
	  client_identify_printer },
	{ IPP_OP_GET_PRINTER_ATTRIBUTES, SIDE_BOTH, TARGET_PRINTER, false, false,
	  client_get_printer_attributes },
	{ IPP_OP_GET_JOBS, SIDE_BOTH, TARGET_PRINTER, false, false, client_get_jobs },
	{ IPP_OP_GET_JOB_ATTRIBUTES, SIDE_BOTH, TARGET_JOB, false, false,
	  client_get_job_attributes },
	{ IPP_OP_GET_DOCUMENTS, SIDE_BOTH, TARGET_JOB, false, false, client_get_documents },
	{ IPP_OP_GET_DOCUMENT_ATTRIBUTES, SIDE_BOTH, TARGET_DOCUMENT, false, false,
	  client_get_document_attributes },
	{ IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS, SIDE_BOTH, TARGET_PRINTER, false, false,
	  events_create_subscriptions },
	{ IPP_OP_RENEW_SUBSCRIPTION, SIDE_BOTH, TARGET_PRINTER, false, false,
	  events_renew_subscription },
	{ IPP_OP_CANCEL_SUBSCRIPTION, SIDE_BOTH, TARGET_PRINTER, false, false,
	  events_cancel_subscription },
	{ IPP_OP_GET_SUBSCRIPTIONS, SIDE_BOTH, TARGET_PRINTER, false, false,
	  events_get_subscriptions },
	{ IPP_OP_GET_NOTIFICATIONS, SIDE_BOTH, TARGET_PRINTER, false, false,
	  events_get_notifications },
	{ IPP_OP_UPDATE_OUTPUT_DEVICE_ATTRIBUTES, SIDE_PROXY, TARGET_PRINTER, false, false,
	  infra_update_output_device_attributes },
	{ IPP_OP_GET_OUTPUT_DEVICE_ATTRIBUTES, SIDE_PROXY, TARGET_PRINTER, false, false,
	  infra_get_output_device_attributes },
	{ IPP_OP_DEREGISTER_OUTPUT_DEVICE, SIDE_PROXY, TARGET_PRINTER, false, false,
	  infra_deregister_output_device },
	{ IPP_OP_UPDATE_ACTIVE_JOBS, SIDE_PROXY, TARGET_PRINTER, false, false,
	  infra_update_active_jobs },
	{ IPP_OP_FETCH_JOB, SIDE_PROXY, TARGET_JOB, true, false, infra_fetch_job },
	{ IPP_OP_ACKNOWLEDGE_JOB, SIDE_PROXY, TARGET_JOB, true, false, infra_acknowledge_job },
	{ IPP_OP_FETCH_DOCUMENT, SIDE_PROXY, TARGET_DOCUMENT, true, false, infra_fetch_document },
	{ IPP_OP_ACKNOWLEDGE_DOCUMENT, SIDE_PROXY, TARGET_DOCUMENT, true, false,
	  infra_acknowledge_document },
	{ IPP_OP_UPDATE_DOCUMENT_STATUS, SIDE_PROXY, TARGET_DOCUMENT, true, false,
	  infra_update_document_status },
	{ IPP_OP_UPDATE_JOB_STATUS, SIDE_PROXY, TARGET_JOB, true, false, infra_update_job_status },
	{ IPP_OP_ACKNOWLEDGE_IDENTIFY_PRINTER, SIDE_PROXY, TARGET_PRINTER, false, false,
	  infra_acknowledge_identify_printer },
	{ IPP_OP_REGISTER_OUTPUT_DEVICE, SIDE_PROXY, TARGET_SYSTEM, false, false,
	  infra_register_output_device },
	{ IPP_OP_CUPS_GET_PRINTERS, SIDE_CLIENT, TARGET_ANY, false, false,
	  client_cups_get_printers },
	{ IPP_OP_CUPS_GET_DEFAULT, SIDE_CLIENT, TARGET_ANY, false, false, client_cups_get_default },
};

#define COUNT (sizeof(operations) / sizeof(operations[0]))

const struct operation *operation_find(int code)
{
	size_t i;

	for (i = 0; i < COUNT; i++) {
		if (operations[i].code == code)
			return &operations[i];
	}
	return NULL;
}

int operations_list(int codes[OPERATIONS_MAX])
{
	size_t i;
	int n = 0;

	for (i = 0; i < COUNT; i++) {
		if (operations[i].target != TARGET_SYSTEM && operations[i].target != TARGET_ANY)
			codes[n++] = operations[i].code;
	}
	return n;
}

static const char *const web_names[] = {
#define WEB_NAME(id, name) name,
	WEB_OPERATIONS(WEB_NAME)
#undef WEB_NAME
};

const char *operation_name(int code)
{
	if (code > WEB_NONE && code < WEB_END)
		return web_names[code - WEB_NONE - 1];
	return ippOpString((ipp_op_t)code);
}

int operation_value(const char *name)
{
	int i;

	for (i = WEB_NONE + 1; i < WEB_END; i++) {
		if (strcmp(operation_name(i), name) == 0)
			return i;
	}
	return (int)ippOpValue(name);
}
