/* A replica that begins again from its sign state and the tip is one that was
 * started again: what makes a crash safe makes this safe.  It takes no old
 * answer for a new one: see replica_is_quiet. */
#include "config.h"

#include "node/mending.h"

#include "base/log.h"
#include "node/block/chain.h"
#include "node/block/pruning.h"
#include "node/block/replica.h"
#include "node/block/validator_sets.h"
#include "node/node_parts.h"
#include "storage/sign_state.h"

#define TICK_MS     1000
#define WAIT_MAX_MS 32000
#define TEND_MS     60000

static struct store *store_of(const struct mending *m)
{
    return m->node->holdings.store;
}

/* ---- falling ill */

static void fall_silent(struct mending *m, enum store_health health,
                        const char *what)
{
    char why[STORE_HEALTH_TEXT_SIZE];
    struct node *node = m->node;
    m->health = health;
    m->has_failed |= health == STORE_FAILED;
    m->wait_ms = TICK_MS;
    m->due_ms = uv_now(&node->loop) + m->wait_ms;
    LOG(LOG_ERROR, "node", "fault: nothing is stored or signed any more",
        log_text("state", store_health_name(health)), log_text("what", what),
        log_text("why", store_health_text(why, store_of(m), health)));
    chain_hold(node->chain);
    if (node->replica != NULL) {
        replica_silence(node->replica);
    }
    if (health >= STORE_CORRUPT) {
        node->exit_code = EXIT_CODE_STORE;
    }
}

static void look(struct mending *m, const char *what)
{
    enum store_health health = store_health(store_of(m));
    if (health > m->health) {
        fall_silent(m, health, what);
    }
}

void mending_failed(struct mending *m, enum pot_err err, const char *what)
{
    enum store_health health = err == POT_EFULL      ? STORE_DISK_FULL
                               : err == POT_EFORMAT  ? STORE_DIVERGED
                               : err == POT_ECORRUPT ? STORE_CORRUPT
                                                     : STORE_FAILED;
    store_ail(store_of(m), health);
    look(m, what);
}

bool mending_is_ailing(const struct mending *m)
{
    return m->health != STORE_SOUND;
}

void mending_again(struct mending *m)
{
    if (m->node != NULL) {
        m->wait_ms = TICK_MS;
        m->due_ms = uv_now(&m->node->loop);
    }
}

/* ---- mending */

static void on_work(void *context)
{
    struct mending *m = context;
    struct node *node = m->node;
    if (m->is_tending) {
        store_tend(store_of(m));
        return;
    }
    m->err = store_cure(store_of(m), m->why, sizeof(m->why));
    if (m->err == POT_OK && m->has_failed && node->sign_state != NULL) {
        m->err = sign_state_renew(node->sign_state);
        if (m->err != POT_OK) {
            store_ail(store_of(m),
                      m->err == POT_EFULL ? STORE_DISK_FULL : STORE_FAILED);
        }
    }
}

/* A snapshot that waits to be installed needs the replica silent, and wakes it
 * in the end. */
static enum pot_err resume(struct node *node)
{
    struct validator_set set;
    bool is_installing = chain_is_installing(node->chain);
    enum pot_err err = chain_resume(node->chain);
    if (err == POT_OK && node->replica != NULL && !is_installing) {
        const struct chain_tip *tip = chain_tip(node->chain);
        err = validator_sets_read(&node->holdings, &tip->next_signers, &set);
        if (err == POT_OK) {
            err = replica_resume(node->replica, &set);
        }
    }
    return err;
}

static void on_cured(struct mending *m)
{
    struct node *node = m->node;
    m->health = STORE_SOUND;
    m->has_failed = false;
    m->err = resume(node);
    if (m->err == POT_EIO || m->err == POT_EFULL || m->err == POT_ECORRUPT) {
        mending_failed(m, m->err, "beginning again");
    } else if (m->err != POT_OK) {
        LOG(LOG_ERROR, "node", "cannot begin again: stopping",
            log_text("why", err_text(m->err)),
            log_text("do", m->err == POT_EGUARD
                               ? "start it again; if it refuses, `potctl"
                                 " recover --config FILE`"
                               : "`potctl store verify --config FILE`, and if"
                                 " that finds damage `potctl resync`"));
        node->exit_code =
            m->err == POT_EGUARD ? EXIT_CODE_GUARD : EXIT_CODE_STORE;
        m->stop(node);
    } else {
        LOG(LOG_INFO, "node", "cured: it stores and signs again",
            log_u64("height", chain_tip(node->chain)->height));
    }
}

static void on_worked(void *context)
{
    struct mending *m = context;
    m->is_working = false;
    if (m->is_tending || m->node->is_stopping) {
        m->is_tending = false;
        return;
    }
    enum store_health health = store_health(store_of(m));
    if (m->err == POT_OK && health == STORE_SOUND) {
        on_cured(m);
        return;
    }
    char text[STORE_HEALTH_TEXT_SIZE];
    bool is_full = health == STORE_DISK_FULL || health == STORE_MAP_FULL;
    const char *why = m->err != POT_OK && !is_full
                          ? m->why
                          : store_health_text(text, store_of(m), health);
    m->wait_ms = m->wait_ms < WAIT_MAX_MS ? 2 * m->wait_ms : WAIT_MAX_MS;
    m->due_ms = uv_now(&m->node->loop) + m->wait_ms;
    LOG(LOG_WARN, "node", "not cured yet", log_text("why", why),
        log_u64("again_in_ms", m->wait_ms));
    look(m, "curing it");
}

/* Whether a cure may be tried: what it takes may be underway. */
static bool is_due(const struct mending *m)
{
    const struct node *node = m->node;
    return m->health != STORE_SOUND && m->health < STORE_CORRUPT &&
           uv_now(&node->loop) >= m->due_ms && chain_is_idle(node->chain) &&
           pruning_is_idle(node->pruning) &&
           (node->replica == NULL || replica_is_quiet(node->replica));
}

static void on_tick(void *context)
{
    struct mending *m = context;
    uint64_t now = uv_now(&m->node->loop);
    store_watch_disk(store_of(m));
    look(m, "reading or writing it");
    if (m->is_working) {
        return;
    }
    m->is_tending = !is_due(m);
    if (m->is_tending && now - m->tended_ms < TEND_MS) {
        m->is_tending = false;
        return;
    }
    m->tended_ms = m->is_tending ? now : m->tended_ms;
    m->is_working = true;
    offload_start(&m->offload, &m->node->loop, on_work, on_worked, m);
}

void mending_open(struct mending *m, struct node *node,
                  void (*stop)(struct node *node))
{
    *m = (struct mending){
        .node = node, .stop = stop, .tended_ms = uv_now(&node->loop)};
    loop_timer_open(&m->timer, &node->loop, on_tick, m);
    loop_timer_start(&m->timer, TICK_MS, TICK_MS);
}

void mending_stop(struct mending *m)
{
    if (m->node != NULL) {
        look(m, "reading or writing it"); /* since the last tick */
        loop_timer_close(&m->timer);
    }
}
