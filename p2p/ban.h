/* ban: node keys and addresses that are refused for a while.
 *
 * Whoever shook hands is banned by key: that key was proven, so nobody can get
 * somebody else banned.  Who did not is known by its address alone, behind
 * which others may be: it takes STRANGER_FAULTS_MAX faults within a minute, and
 * whoever lists them leaves out addresses of peers.
 *
 * When BANS_MAX hold, a new one takes the place of the oldest.  The loop
 * alone. */
#ifndef POT_P2P_BAN_H
#define POT_P2P_BAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/key.h"
#include "p2p/net_address.h"

#define BANS_MAX            256
#define STRANGERS_MAX       256
#define STRANGER_FAULTS_MAX 32

struct ban {
    struct public_key key;
    char ip[NET_IP_SIZE]; /* "": the key is banned, else this address */
    const char *why;      /* static */
    uint64_t until_ms;
};

struct stranger { /* an address of which bad handshakes came */
    char ip[NET_IP_SIZE];
    unsigned faults;
    uint64_t since_ms;
};

/* A zeroed list bans nobody. */
struct ban_list {
    struct ban bans[BANS_MAX];
    size_t next; /* < BANS_MAX: the place of the next ban */
    struct stranger strangers[STRANGERS_MAX];
    size_t next_stranger;
};

/* ban_add: until_ms, as now_ms, is the time of the loop. */
void ban_add(struct ban_list *list, const struct public_key *key,
             const char *why, uint64_t until_ms);
bool ban_holds(const struct ban_list *list, const struct public_key *key,
               uint64_t now_ms);

/* ban_fault: a handshake from this address failed in a way of which no honest
 * node's does; true: it was one too many, and the address is banned now. */
bool ban_fault(struct ban_list *list, const char *ip, const char *why,
               uint64_t now_ms, uint64_t until_ms);
bool ban_holds_ip(const struct ban_list *list, const char *ip, uint64_t now_ms);

#endif
