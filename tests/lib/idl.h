/* idl.h - reads a Varlink interface file, so that tests can compare it with what the programs do.
 * Knows the whole grammar (https://varlink.org/Interface-Definition) except nested structs inside
 * fields, which ours does not use. */
#ifndef TESTS_LIB_IDL_H
#define TESTS_LIB_IDL_H

#include <stddef.h>

struct idl_field {
	char name[64];
	char type[64]; /* as written: "?string", "[]Job", "[string]int" */
};

struct idl_fields {
	struct idl_field items[32];
	size_t n;
};

enum idl_kind { IDL_TYPE, IDL_METHOD, IDL_ERROR };

struct idl_member {
	enum idl_kind kind;
	char name[64];
	struct idl_fields in;  /* of a type or an error: its fields */
	struct idl_fields out; /* of a method */
};

struct idl {
	char interface[128];
	struct idl_member members[64];
	size_t n;
};

/* NULL when it is right, else what is wrong, with its line. The text is static. */
const char *idl_parse(const char *text, struct idl *ret);
/* NULL: there is none. */
const struct idl_member *idl_find(const struct idl *idl, enum idl_kind kind, const char *name);
const struct idl_field *idl_field(const struct idl_fields *fields, const char *name);
/* Whether a type as written is built in or defined in the interface. */
int idl_knows(const struct idl *idl, const char *type);

#endif
