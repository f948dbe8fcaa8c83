#include "config.h"

#include "consensus/ahead.h"

#include "consensus/pbft_state.h"
#include "consensus/vouched.h"

void ahead_note(struct ahead *ahead, uint32_t replica, uint64_t height)
{
    if (height > ahead->heights[replica]) {
        ahead->heights[replica] = height;
    }
}

void ahead_tell(struct pbft *p, bool is_again)
{
    uint64_t reached = vouched_value(p->ahead.heights, p->set.count, p->self);
    uint64_t height = reached > 0 ? reached - 1 : 0; /* what they built on */
    if (height < p->height || (!is_again && height <= p->ahead.told)) {
        return;
    }
    p->ahead.told = height;
    pbft_emit(p, PBFT_SYNC)->height = height;
}
