#include "common/messages.h"

static const struct {
	const char *id;
	const char *subject;
} messages[] = {
#define X(name, id, subject) [MESSAGE_##name] = { id, subject },
	MESSAGES(X)
#undef X
};

const char *message_id(enum message message)
{
	return messages[message].id;
}

const char *message_subject(enum message message)
{
	return messages[message].subject;
}
