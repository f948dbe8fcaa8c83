#include "config.h"

#include "node/reload.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/log.h"
#include "node/node_parts.h"
#include "node/startup.h"
#include "p2p/net.h"

#include <stdlib.h>
#include <string.h>

#define FAULTS_BYTES_MAX 65536

/* One a line, as they are printed. */
static void tell_faults(struct buf *faults)
{
    char *rest = NULL;
    char *text = pot_strdup(buf_text(faults));
    char *line = strtok_r(text, "\n", &rest);
    while (line != NULL) {
        LOG(LOG_ERROR, "node", "config not re-read", log_text("why", line));
        line = strtok_r(NULL, "\n", &rest);
    }
    free(text);
}

/* What is changed in the file and not here is told: nobody should take it for
 * done. */
static void tell_restart(const struct node_config *old,
                         const struct node_config *fresh)
{
    static const char *const taken[] = {
        "log.level", "log.format",          "log.file",
        "p2p.peers", "storage.max_size_mb", "storage.min_free_mb",
    };
    size_t at = 0;
    const char *key;
    while ((key = node_config_changed(&at, old, fresh)) != NULL) {
        bool is_taken = false;
        for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
            is_taken = is_taken || strcmp(taken[i], key) == 0;
        }
        if (!is_taken) {
            LOG(LOG_WARN, "node",
                "a setting was changed that needs a restart: the old value"
                " counts until then",
                log_text("setting", key));
        }
    }
}

void reload(struct node *node)
{
    struct node_config *fresh = NULL;
    struct buf faults;
    buf_init(&faults, FAULTS_BYTES_MAX);
    if (node_config_load(&fresh, node->config->path, &faults) != POT_OK) {
        tell_faults(&faults);
        buf_fini(&faults);
        return;
    }
    const char *file = fresh->log_file[0] != '\0' ? fresh->log_file : NULL;
    if (log_open(fresh->log_level, fresh->log_format, file) != POT_OK) {
        LOG(LOG_ERROR, "node", "log not re-opened",
            log_text("file", fresh->log_file));
    }
    startup_set_limits(node, fresh);
    mending_again(&node->mending);
    if (net_set_peers(node->net, fresh->p2p_peers, fresh->p2p_peer_count) !=
        POT_OK) {
        LOG(LOG_ERROR, "node", "peers not changed",
            log_u64("peers", fresh->p2p_peer_count));
    }
    LOG(LOG_INFO, "node", "config re-read: log, peers, limits of the store",
        log_u64("peers", fresh->p2p_peer_count),
        log_u64("min_free_mb", fresh->min_free_mb),
        log_u64("max_size_mb", fresh->max_size_mb));
    tell_restart(node->config, fresh);
    node_config_free(fresh);
    buf_fini(&faults);
}
