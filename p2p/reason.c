#include "config.h"

#include "p2p/reason.h"

#include "base/check.h"

const char *reason_text(enum reason reason)
{
    static const char *const texts[] = {
#define X(value, name, text) text,
        REASON_MAP(X)
#undef X
    };
    POT_ASSERT(reason < REASON_COUNT);
    return texts[reason];
}

const char *reason_name(enum reason reason)
{
    static const char *const names[] = {
#define X(value, name, text) #name,
        REASON_MAP(X)
#undef X
    };
    POT_ASSERT(reason < REASON_COUNT);
    return names[reason];
}
