/* check: asserts that stay on in every build. */
#ifndef POT_BASE_CHECK_H
#define POT_BASE_CHECK_H

/* POT_ASSERT: we are wrong if this does not hold; prints and aborts. */
#define POT_ASSERT(condition)                                                  \
    do {                                                                       \
        if (!(condition)) {                                                    \
            check_failed(#condition, __FILE__, __LINE__, __func__);            \
        }                                                                      \
    } while (0)

/* check_set_excuse: asked before an assertion ends the program; when it
 * returns, it is our mistake.  At the start, NULL: none. */
void check_set_excuse(void (*excuse)(void));

_Noreturn void check_failed(const char *condition, const char *file, int line,
                            const char *function);

#endif
