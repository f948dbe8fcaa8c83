/* exit_code: what potd and potctl exit with; the numbers are a promise to
 * scripts, and stand in both man pages. */
#ifndef POT_BASE_EXIT_CODE_H
#define POT_BASE_EXIT_CODE_H

enum exit_code {
    EXIT_CODE_DONE = 0,
    EXIT_CODE_FAILED = 1,
    EXIT_CODE_USAGE = 2,
    EXIT_CODE_CONFIG = 3, /* config, genesis, key or file invalid */
    EXIT_CODE_CONNECT = 4,
    EXIT_CODE_TIMEOUT = 5,
    EXIT_CODE_REJECTED = 6, /* task or transaction */
    EXIT_CODE_LOCKED = 7,
    EXIT_CODE_STORE = 8,
    EXIT_CODE_GUARD = 9,
    EXIT_CODE_FULL = 10,
    EXIT_CODE_NOT_READY = 11,
};

#endif
