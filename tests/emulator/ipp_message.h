/* ipp_message.h - IPP messages from and to bytes, by the codec of libcups. */
#ifndef TESTS_EMULATOR_IPP_MESSAGE_H
#define TESTS_EMULATOR_IPP_MESSAGE_H

#include <stddef.h>

#include <cups/ipp.h>

struct buffer;

/* NULL: no IPP message. ret_used: where the document begins. */
ipp_t *ipp_message_decode(const char *data, size_t len, size_t *ret_used);
void ipp_message_encode(ipp_t *message, struct buffer *ret);
/* An answer to `request` (NULL: to something unreadable) with the two first attributes. */
ipp_t *ipp_message_answer(ipp_t *request);

#endif
