#include "config.h"

#include "node/round/round_input.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/codec.h"

#include <stdlib.h>

struct round_input *round_input_ref(struct round_input *input)
{
    POT_ASSERT(input->holders > 0);
    input->holders++;
    return input;
}

void round_input_unref(struct round_input *input)
{
    if (input == NULL) {
        return;
    }
    POT_ASSERT(input->holders > 0);
    if (--input->holders == 0) {
        free(input->theta);
        free(input->dataset);
        codec_free(input->published);
        free(input);
    }
}

uint64_t *round_input_rows(const struct round_input *input,
                           const struct public_key *miner)
{
    uint64_t *rows = pot_calloc(input->row_count, sizeof(*rows));
    assign_rows(rows, input->row_count, &input->from, &input->seed, miner);
    return rows;
}

size_t round_input_block_rows(const struct round_input *input)
{
    return input->local_steps > 1 ? input->row_count / input->local_steps
                                  : assign_block_rows(input->row_count);
}

size_t round_input_divisor(const struct round_input *input)
{
    return input->local_steps > 1 ? 1 : input->row_count;
}
