/* uuid.h - random urn:uuid: URIs. */
#ifndef TESTS_EMULATOR_UUID_H
#define TESTS_EMULATOR_UUID_H

void uuid_make(char ret[46]);

#endif
