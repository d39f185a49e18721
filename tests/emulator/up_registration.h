/* up_registration.h - the registration service. */
#ifndef TESTS_EMULATOR_UP_REGISTRATION_H
#define TESTS_EMULATOR_UP_REGISTRATION_H

void up_registration_hosts(const char *login_url, const char *print_url); /* borrowed */
void up_registration_free(void);

#endif
