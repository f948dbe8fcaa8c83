#include "config.h"

#include "node/block/owed.h"

bool owed_pass(struct owed *owed, const struct owed_rule *rule)
{
    if (owed->passed == 0 || owed->view != rule->view) {
        owed->primaries += owed->is_overdue;
        owed->is_overdue = false;
        owed->view = rule->view;
        owed->since_ms = rule->now_ms;
        owed->passed = 0;
    }
    owed->passed++;
    owed->is_overdue = owed->passed >= OWED_BLOCKS &&
                       rule->now_ms - owed->since_ms >= rule->timeout_ms;
    return owed->is_overdue && owed->primaries <= rule->faults;
}
