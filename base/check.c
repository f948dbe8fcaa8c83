#include "config.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void check_failed(const char *condition, const char *file, int line,
                            const char *function)
{
    fprintf(stderr, "BUG: %s:%d: %s: %s does not hold\n", file, line, function,
            condition);
    abort();
}
