#include "config.h"

#include "tests/vsim/vsim_network.h"

#include <arpa/inet.h>
#include <string.h>

#define NETWORK        UINT32_C(0x0a000000)
#define BYTES_A_US     100 /* 100 MB/s */
#define RESEND_MIN_US  200000
#define EXTRA_MAX_US   300000
#define ONE_WAY_CHANCE 250

void vsim_network_address(struct sockaddr_in *out, uint32_t node, uint16_t port)
{
    memset(out, 0, sizeof(*out));
    out->sin_family = AF_INET;
    out->sin_port = htons(port);
    out->sin_addr.s_addr = htonl(NETWORK + node + 1);
}

uint32_t vsim_network_node(const struct sockaddr *address)
{
    const void *any = address;
    const struct sockaddr_in *in = any;
    uint32_t node = ntohl(in->sin_addr.s_addr) - NETWORK - 1;
    return address->sa_family == AF_INET && node < vsim.node_count
               ? node
               : VSIM_NOBODY;
}

uint64_t vsim_network_delay_us(uint32_t from, uint32_t to, size_t size)
{
    return vsim.config.latency_us + vsim_below(vsim.config.jitter_us + 1) +
           vsim.extra_us[from][to] + size / BYTES_A_US;
}

uint64_t vsim_network_resend_us(void)
{
    return RESEND_MIN_US + vsim_below(RESEND_MIN_US);
}

void vsim_network_heal(void)
{
    memset(vsim.is_blocked, 0, sizeof(vsim.is_blocked));
    memset(vsim.extra_us, 0, sizeof(vsim.extra_us));
}

void vsim_network_slow(void)
{
    for (uint32_t a = 0; a < vsim.node_count; a++) {
        for (uint32_t b = 0; b < vsim.node_count; b++) {
            vsim.extra_us[a][b] = vsim_below(EXTRA_MAX_US);
        }
    }
    vsim_mark(MARK_DELAY);
}

/* ---- splits: is_blocked of those who do not reach each other */

static void split_groups(uint64_t members)
{
    for (uint32_t a = 0; a < vsim.node_count; a++) {
        for (uint32_t b = 0; b < vsim.node_count; b++) {
            vsim.is_blocked[a][b] = (members >> a & 1) != (members >> b & 1);
        }
    }
}

static void split_halves(void)
{
    uint64_t members = 0;
    for (uint32_t left = vsim.node_count / 2; left > 0;) {
        uint64_t bit = UINT64_C(1) << vsim_below(vsim.node_count);
        left -= (members & bit) == 0;
        members |= bit;
    }
    split_groups(members);
    vsim_mark(MARK_SPLIT_HALVES);
    vsim_say(VSIM_NOBODY, "the network falls into halves: %llx",
             (unsigned long long)members);
}

static void split_one(void)
{
    uint64_t one = vsim_below(vsim.node_count);
    split_groups(UINT64_C(1) << one);
    vsim_mark(MARK_SPLIT_ONE);
    vsim_say(VSIM_NOBODY, "node %llu is alone", (unsigned long long)one);
}

static void split_ring(void)
{
    uint32_t n = vsim.node_count;
    for (uint32_t a = 0; a < n; a++) {
        for (uint32_t b = 0; b < n; b++) {
            vsim.is_blocked[a][b] =
                a != b && (a + 1) % n != b && (b + 1) % n != a;
        }
    }
    vsim_mark(MARK_SPLIT_RING);
    vsim_say(VSIM_NOBODY, "each node reaches its neighbours only");
}

static void split_one_way(void)
{
    for (uint32_t a = 0; a < vsim.node_count; a++) {
        for (uint32_t b = 0; b < vsim.node_count; b++) {
            vsim.is_blocked[a][b] = a != b && vsim_chance(ONE_WAY_CHANCE);
        }
    }
    vsim_mark(MARK_SPLIT_ONE_WAY);
    vsim_say(VSIM_NOBODY, "links fail in one direction");
}

void vsim_network_split(void)
{
    static void (*const splits[])(void) = {split_halves, split_one, split_ring,
                                           split_one_way};
    splits[vsim_below(sizeof(splits) / sizeof(*splits))]();
}
