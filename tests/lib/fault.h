/* fault.h - makes system calls fail in unit tests. The calls of WRAPPED (Makefile) go through here;
 * unless armed they are the real ones. Counts over all threads; arm and disarm from one. */
#ifndef TESTS_LIB_FAULT_H
#define TESTS_LIB_FAULT_H

/* The n-th wrapped call from now (0 = the next) fails once, with EIO unless fault_errno() said
 * otherwise. close() fails, but closes. */
void fault_arm(int n);
/* The same, but every call from the n-th on fails until fault_disarm(). */
void fault_arm_all(int n);
/* What errno the armed call gets from now on. */
void fault_errno(int number);
/* Nothing fails any more, and errno is EIO again. Returns whether an armed call failed. */
int fault_disarm(void);
/* Wrapped calls since the last fault_arm() or fault_arm_all(). */
int fault_hits(void);

#endif
