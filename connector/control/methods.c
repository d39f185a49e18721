/* methods.c - what can be called, with which right; and what every Varlink service has. */
#include "connector/control/control_private.h"

#include <string.h>

#include "common/util.h"
#include "connector/control/json.h"

#define SERVICE "org.varlink.service"

static const char connector_idl[] =
#include "varlink_idl.inc"
	;

static const char service_idl[] =
	"interface " SERVICE "\n"
	"\n"
	"method GetInfo() -> (\n"
	"  vendor: string,\n"
	"  product: string,\n"
	"  version: string,\n"
	"  url: string,\n"
	"  interfaces: []string\n"
	")\n"
	"\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n"
	"\n"
	"error InterfaceNotFound (interface: string)\n"
	"error MethodNotFound (method: string)\n"
	"error MethodNotImplemented (method: string)\n"
	"error InvalidParameter (parameter: string)\n";

static const struct {
	const char *name;
	const char *description;
} interfaces[] = { { SERVICE, service_idl }, { VARLINK_INTERFACE, connector_idl } };

const char *method_description(const char *interface)
{
	for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++)
		if (strcmp(interfaces[i].name, interface) == 0)
			return interfaces[i].description;
	return NULL;
}

static void get_info(struct call *call)
{
	cJSON *names = cJSON_CreateArray(), *reply = cJSON_CreateObject();

	for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++)
		(void)cJSON_AddItemToArray(names, cJSON_CreateString(interfaces[i].name));
	json_add_text(reply, "vendor", "print-connector");
	json_add_text(reply, "product", "print-connector");
	json_add_text(reply, "version", call->control->version);
	json_add_text(reply, "url", "");
	(void)cJSON_AddItemToObject(reply, "interfaces", names);
	call_reply(call, reply);
}

static void get_interface_description(struct call *call)
{
	const char *name, *description;
	cJSON *reply;

	if (call_text(call, "interface", VARLINK_METHOD_SIZE, &name) < 0)
		return;
	description = method_description(name ? name : "");
	reply = cJSON_CreateObject();
	if (!description) {
		json_add_text(reply, "interface", name ? name : "");
		call_error(call, VARLINK_NO_INTERFACE, reply);
		return;
	}
	(void)cJSON_AddStringToObject(reply, "description", description);
	call_reply(call, reply);
}

#define PARAMETERS(...)                                                                            \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__ __VA_OPT__(, ) NULL                                                    \
	}

/* clang-format off */
static const struct method methods[] = {
	{ SERVICE, "GetInfo", RIGHT_NONE, PARAMETERS(), get_info },
	{ SERVICE, "GetInterfaceDescription", RIGHT_NONE, PARAMETERS("interface"),
	  get_interface_description },
	{ VARLINK_INTERFACE, "GetStatus", RIGHT_READ, PARAMETERS(), method_get_status },
	{ VARLINK_INTERFACE, "Watch", RIGHT_READ, PARAMETERS(), method_watch },
	{ VARLINK_INTERFACE, "ListPrinters", RIGHT_READ, PARAMETERS(), method_list_printers },
	{ VARLINK_INTERFACE, "ListQueues", RIGHT_READ, PARAMETERS(), method_list_queues },
	{ VARLINK_INTERFACE, "ListJobs", RIGHT_READ, PARAMETERS("printer", "all", "before", "limit"),
	  method_list_jobs },
	{ VARLINK_INTERFACE, "GetJob", RIGHT_READ, PARAMETERS("id"), method_get_job },
	{ VARLINK_INTERFACE, "Explain", RIGHT_READ, PARAMETERS("queue", "ticket"), method_explain },
	{ VARLINK_INTERFACE, "Register", RIGHT_CHANGE,
	  PARAMETERS("queue", "queues", "all", "cloud", "name", "cloud_uri", "certificate_file",
	             "key_file", "username", "password_file", "renew", "dry_run"),
	  method_register },
	{ VARLINK_INTERFACE, "Unregister", RIGHT_CHANGE, PARAMETERS("queue", "cloud"),
	  method_unregister },
	{ VARLINK_INTERFACE, "Diagnose", RIGHT_READ, PARAMETERS("queue"), method_diagnose },
	{ VARLINK_INTERFACE, "Rebind", RIGHT_CHANGE, PARAMETERS("printer", "queue", "cloud"),
	  method_rebind },
	{ VARLINK_INTERFACE, "Reset", RIGHT_CHANGE, PARAMETERS("queue", "cloud", "trust_new_key"),
	  method_reset },
	{ VARLINK_INTERFACE, "Cancel", RIGHT_CHANGE, PARAMETERS("id"), method_cancel },
	{ VARLINK_INTERFACE, "Resolve", RIGHT_CHANGE, PARAMETERS("id", "verdict"),
	  method_resolve },
	{ VARLINK_INTERFACE, "Retry", RIGHT_CHANGE, PARAMETERS("id"), method_retry },
	{ VARLINK_INTERFACE, "Pause", RIGHT_CHANGE, PARAMETERS("queue", "cloud"), method_pause },
	{ VARLINK_INTERFACE, "Resume", RIGHT_CHANGE, PARAMETERS("queue", "cloud"),
	  method_resume },
	{ VARLINK_INTERFACE, "Drain", RIGHT_CHANGE, PARAMETERS(), method_drain },
	{ VARLINK_INTERFACE, "GetMetrics", RIGHT_READ, PARAMETERS(), method_get_metrics },
};
/* clang-format on */

const struct method *method_at(size_t i)
{
	return i < ARRAY_SIZE(methods) ? &methods[i] : NULL;
}
