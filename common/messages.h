/* messages.h - MESSAGE_ID of the events that an administrator acts on: X(NAME, id, subject). The
 * message catalogue (journalctl -x) has one entry for each. Ids are never used again for anything
 * else. Pure. */
#ifndef COMMON_MESSAGES_H
#define COMMON_MESSAGES_H

/* clang-format off */
#define MESSAGES(X) \
	X(START, "abffac3945a945e5b60a583b6a7e24c8", "the connector has started") \
	X(STOP, "56f6d4ebc32a441682558962cec2e139", "the connector has stopped") \
	X(PRINTER_REGISTERED, "f9540331bdbc4201bb1fcc437f7941bc", "a printer was registered") \
	X(PRINTER_UNREGISTERED, "58c4966b50df4d2692940c8361797a6c", "a printer was unregistered") \
	X(PRINTER_ONLINE, "a1f6edc3580e43798f99347d07290975", "a printer is online") \
	X(PRINTER_OFFLINE, "0b36fce81e024f72952375b5e3e9d8e4", "a printer is offline") \
	X(PRINTER_REFUSED, "2cfbd518380f4d7ba600ee42ed9a2e4d", "a cloud no longer accepts a printer") \
	X(JOB_FAILED, "f9fdc4c8840d41a0a9bb1669bc4f288d", "a job was aborted") \
	X(JOB_HELD, "e309645cbb9a4866b6b14d6da90fbecc", "a job waits for a decision") \
	X(STORE_FAILING, "3dead4e8f3c14834a00d4a8315bc5381", "the state cannot be written") \
	X(STATE_DAMAGED, "e4f4e59fe6194bb085a7eaa1c61bacb9", "the state was damaged and has been set aside") \
	X(CLOUD_UNREACHABLE, "f290f2cf3a37489389f018feb8e03610", "a cloud does not answer") \
	X(CERTIFICATE_EXPIRING, "9e3919bd81994fcba735b9f4920bf170", "the certificate of a printer expires soon") \
	X(CERTIFICATE_EXPIRED, "95dc15ed70214a908b68333d67e6579b", "the certificate of a printer has expired") \
	X(CERTIFICATE_RENEWED, "99687a9311f3419abb9352905ea6c5d2", "a printer has a new key and certificate") \
	X(DEFAULT_LOST, "711707a1283b409b8ba31ad1b8f14a6b", "a queue does not have a default of a mapping file") \
	X(JOB_QUARANTINED, "0aef9bb917134f1596ce9e5c4eb2f06f", "a job is left alone after crashes") \
	X(SETTINGS_WRONG, "b6bd11a5345d46aab0b12e56cc4569e0", "new settings are wrong") \
	X(START_FAILED, "15e46827fb56447dab7b323ddc90d409", "the connector cannot start") \
	X(PASSWORDS_LOST, "e795b828ab0e48cb976f93162f77f1bb", "jobs with a PIN cannot be printed") \
	X(LIMIT_REACHED, "2a432182894541ee9c4731874d74df69", "the connector is short of something") \
	X(CRASHING, "8ac40a4760ab45cd84824546d757fc95", "the connector crashed several times in a row") \
	X(NOTIFICATIONS_LOST, "27282f5b988549d48ddb28d896b0673d", "a cloud's notifications do not come")
/* clang-format on */

enum message {
#define X(name, id, subject) MESSAGE_##name,
	MESSAGES(X)
#undef X
		MESSAGE_COUNT
};

/* 32 hexadecimal digits. */
const char *message_id(enum message message);
/* Subject of its catalogue entry. */
const char *message_subject(enum message message);

#endif
