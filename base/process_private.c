#include "config.h"

#include "base/process_private.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void process_private(void)
{
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}
