#include "config.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

static void (*excuse_of)(void);

void check_set_excuse(void (*excuse)(void))
{
    excuse_of = excuse;
}

_Noreturn void check_failed(const char *condition, const char *file, int line,
                            const char *function)
{
    if (excuse_of != NULL) {
        excuse_of();
    }
    fprintf(stderr, "BUG: %s:%d: %s: %s does not hold\n", file, line, function,
            condition);
    abort();
}
