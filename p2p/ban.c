#include "config.h"

#include "p2p/ban.h"

#include <stdio.h>
#include <string.h>

#define FAULTS_WITHIN_MS 60000

static struct ban *ban_new(struct ban_list *list, const char *why,
                           uint64_t until_ms)
{
    struct ban *ban = &list->bans[list->next];
    list->next = (list->next + 1) % BANS_MAX;
    *ban = (struct ban){.why = why, .until_ms = until_ms};
    return ban;
}

void ban_add(struct ban_list *list, const struct public_key *key,
             const char *why, uint64_t until_ms)
{
    ban_new(list, why, until_ms)->key = *key;
}

bool ban_holds(const struct ban_list *list, const struct public_key *key,
               uint64_t now_ms)
{
    for (size_t i = 0; i < BANS_MAX; i++) {
        const struct ban *ban = &list->bans[i];
        if (ban->until_ms > now_ms && ban->ip[0] == '\0' &&
            public_key_equal(&ban->key, key)) {
            return true;
        }
    }
    return false;
}

static struct stranger *stranger_of(struct ban_list *list, const char *ip,
                                    uint64_t now_ms)
{
    struct stranger *s = NULL;
    for (size_t i = 0; i < STRANGERS_MAX && s == NULL; i++) {
        if (strcmp(list->strangers[i].ip, ip) == 0) {
            s = &list->strangers[i];
        }
    }
    if (s == NULL) {
        s = &list->strangers[list->next_stranger];
        list->next_stranger = (list->next_stranger + 1) % STRANGERS_MAX;
        *s = (struct stranger){.since_ms = now_ms};
        (void)snprintf(s->ip, sizeof(s->ip), "%s", ip);
    } else if (now_ms - s->since_ms > FAULTS_WITHIN_MS) {
        s->faults = 0;
        s->since_ms = now_ms;
    }
    return s;
}

bool ban_fault(struct ban_list *list, const char *ip, const char *why,
               uint64_t now_ms, uint64_t until_ms)
{
    struct stranger *s = stranger_of(list, ip, now_ms);
    if (++s->faults < STRANGER_FAULTS_MAX) {
        return false;
    }
    s->faults = 0;
    struct ban *ban = ban_new(list, why, until_ms);
    (void)snprintf(ban->ip, sizeof(ban->ip), "%s", ip);
    return true;
}

bool ban_holds_ip(const struct ban_list *list, const char *ip, uint64_t now_ms)
{
    for (size_t i = 0; i < BANS_MAX; i++) {
        const struct ban *ban = &list->bans[i];
        if (ban->until_ms > now_ms && ban->ip[0] != '\0' &&
            strcmp(ban->ip, ip) == 0) {
            return true;
        }
    }
    return false;
}
