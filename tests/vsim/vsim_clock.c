/* In place of base/clock.c and of the system's randomness: what a node reads
 * is the life's time, as its own clock tells it, and the life's numbers.  Also
 * what must not happen to a process with many nodes in it. */
#include "config.h"

#include "tests/vsim/vsim_clock.h"

#include "base/clock.h"
#include "base/map.h"
#include "tests/vsim/vsim_world.h"

#include <sodium.h>
#include <string.h>
#include <unistd.h>

#define STEADY_BEGINS_US UINT64_C(1000000000)

static const struct vsim_node *at_work(void)
{
    return vsim.current != VSIM_NOBODY ? &vsim.nodes[vsim.current] : NULL;
}

static uint64_t passed_us(const struct vsim_node *node)
{
    return node != NULL ? vsim.now_us * node->rate_permille / 1000
                        : vsim.now_us;
}

uint64_t clock_steady_us(void)
{
    return STEADY_BEGINS_US + passed_us(at_work());
}

uint64_t clock_steady_ms(void)
{
    return clock_steady_us() / 1000;
}

uint64_t clock_wall_ms(void)
{
    const struct vsim_node *node = at_work();
    int64_t off_ms = node != NULL ? node->wall_ms : 0;
    return (uint64_t)((int64_t)(VSIM_GENESIS_MS + passed_us(node) / 1000) +
                      off_ms);
}

uint64_t vsim_clock_delay_us(uint64_t delay_ms)
{
    const struct vsim_node *node = at_work();
    uint64_t us = delay_ms * 1000;
    return node != NULL ? us * 1000 / node->rate_permille : us;
}

/* ---- randomness */

static const char *name(void)
{
    return "vsim";
}

static uint32_t draw(void)
{
    return (uint32_t)sim_rng_next(&vsim.rng);
}

static void fill(void *const out, const size_t size)
{
    for (size_t done = 0; done < size; done += sizeof(uint64_t)) {
        uint64_t number = sim_rng_next(&vsim.rng);
        size_t left = size - done;
        memcpy((char *)out + done, &number,
               left < sizeof(number) ? left : sizeof(number));
    }
}

static struct randombytes_implementation source = {
    .implementation_name = name,
    .random = draw,
    .buf = fill,
};

/* The secret of base/map.c is drawn once: before any life, so that all have
 * the same. */
bool vsim_clock_open(void)
{
    static const uint8_t key[MAP_KEY_SIZE];
    struct map map = {0};
    if (randombytes_set_implementation(&source) != 0 || sodium_init() < 0) {
        return false;
    }
    (void)map_put(&map, key, &map);
    map_fini(&map);
    return true;
}

/* A node that cannot stop ends its process so (node/stopping.c). */
_Noreturn void _Exit(int code)
{
    static const char text[] = "vsim: a node took too long to stop\n";
    ssize_t ignored = write(STDOUT_FILENO, text, sizeof(text) - 1);
    (void)ignored;
    _exit(code != 0 ? code : 1);
}
