/* op.h - the contract of every asynchronous operation (struct *_op, *_req, *_item).
 *
 * The caller owns the struct, zeroes it, fills the members above its "private" line and starts it.
 *   start returned 0:  done() runs exactly once, later, from the loop, never from inside start or
 *                      cancel. Until then the struct and everything it borrows must stay.
 *   start returned -1: err says why, done() does not run.
 *   cancel:            done() still runs, later, with ERR_CANCELED (or with the result, when that
 *                      had been there first). Cancelling an operation that does not run does
 * nothing. done() is the last thing an operation does; the struct is the caller's again inside it,
 * to be freed or started anew. Its err is NULL on success and lives only during the call. */
#ifndef CONNECTOR_BASE_OP_H
#define CONNECTOR_BASE_OP_H
#endif
