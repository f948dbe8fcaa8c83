#include "config.h"

#include "node/round/hearsay.h"

bool hearsay_is_behind(struct hearsay *hearsay, uint64_t height,
                       uint64_t claimed, uint64_t now_ms)
{
    bool is_near = claimed <= height + 1;
    if (!is_near || hearsay->near_ms == 0) {
        hearsay->near_ms = is_near ? now_ms : 0;
    }
    return claimed > height &&
           (!is_near || now_ms < hearsay->near_ms + HEARSAY_NEAR_MS);
}
