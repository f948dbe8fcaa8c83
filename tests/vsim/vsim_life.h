/* vsim_life: one life: what its seed says, faults, healing, the reckoning. */
#ifndef POT_TESTS_VSIM_LIFE_H
#define POT_TESTS_VSIM_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/vsim/vsim_world.h"

struct vsim_request {
    uint64_t seed;
    bool is_verbose;
    unsigned without;     /* kinds of faults that are left out */
    unsigned planted;     /* bits of enum vsim_plant */
    uint64_t height_goal; /* faults end there; 0: as the seed says */
    uint32_t n;           /* 0: as the seed says */
    const char *folder;   /* a fresh one for this life's files */
};

/* vsim_life_run: fills vsim; vsim_world_fini is still to be called. */
void vsim_life_run(const struct vsim_request *request);

/* The same in parts, for measurements: no client sends anything, and nothing
 * goes wrong. */
void vsim_life_draw(const struct vsim_request *request);
void vsim_life_open(const struct vsim_request *request);
bool vsim_life_run_to(uint64_t height, uint64_t until_us);
void vsim_life_close(void);

#endif
