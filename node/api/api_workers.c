#include "config.h"

#include "node/api/api_workers.h"

#include "node/api/api_config.h"
#include "node/round/miner.h"
#include "node/round/rounds.h"
#include "node/round/workers.h"

void api_workers_stats(const struct api_config *config,
                       struct workers_stats *out)
{
    struct miner_stats mining = {0};
    struct workers_stats auditing;
    if (config->miner != NULL) {
        miner_stats(config->miner, &mining);
    }
    rounds_workers(config->rounds, &auditing);
    *out = mining.workers;
    workers_stats_add(out, &auditing);
}
