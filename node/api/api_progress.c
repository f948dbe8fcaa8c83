#include "config.h"

#include "node/api/api_progress.h"

/* Of a validator that it votes, of others that they are up to date and reach
 * someone. */
static bool awaits_blocks(const struct api_progress *p)
{
    return p->is_validator ? !p->is_held : p->peers > 0 && !p->is_behind;
}

/* No view, and no change of views, takes so long.  A chain with nothing to do
 * has a block each idle_interval_ms all the same. */
bool api_progress_is_stalled(const struct api_progress *progress)
{
    return awaits_blocks(progress) &&
           progress->stale_ms > progress->patience_ms;
}
