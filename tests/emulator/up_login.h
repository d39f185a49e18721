/* up_login.h - Entra as far as it is needed: the device authorization grant of RFC 8628 for users,
 * nonce and signed request for printers. */
#ifndef TESTS_EMULATOR_UP_LOGIN_H
#define TESTS_EMULATOR_UP_LOGIN_H

struct buffer;
struct web;

/* The code with this user_code, NULL: the newest that waits. -1: there is none. */
int up_login_decide(const char *user_code, int approve);
void up_login_write_codes(struct buffer *b);
void up_login_write_secrets(struct buffer *b); /* into a list: device codes and nonces */
void up_login_free(void);

/* 0: unused and in time, and now used. Else what is wrong with it. */
enum nonce_state { NONCE_GOOD, NONCE_UNKNOWN, NONCE_USED, NONCE_OLD };
enum nonce_state up_nonce_use(const char *nonce);

/* Verifies the signed request of a printer. 0: `ret_printer` is who it is, else the HTTP status
 * with the answer written. */
struct up_printer;
unsigned int up_jwt_check(struct web *w, const char *jwt, struct up_printer **ret_printer);

#endif
