#include "config.h"

#include "proto/fee.h"

#include "base/key.h"
#include "proto/model.h"
#include "proto/spec.h"

/* theta and the optimizer's moments are int32; an aggregate a round, int16
 * mostly */
#define BYTES_ROUND_A_PARAMETER 2
/* Thetas of closed rounds of the exact lane, which can be challenged still. */
#define THETAS_HELD 20
/* Around the body: public key, signature, three tags and lengths. */
#define BYTES_AROUND (PUBLIC_KEY_SIZE + SIGNATURE_SIZE + 16)
#define VARINT_MAX   10

static uint64_t dataset_work(const Pot__TxBody *body)
{
    return body->publish_dataset->size_bytes;
}

static uint64_t task_work(const Pot__TxBody *body)
{
    const Pot__SubmitTask *submit = body->submit_task;
    struct model_shape shape;
    if (submit->spec == NULL || submit->spec->model == NULL ||
        submit->spec->optimizer == NULL ||
        model_shape_from_spec(&shape, submit->spec->model) != POT_OK) {
        return 0;
    }
    bool is_exact = submit->spec->numerics == POT__NUMERICS__NUMERICS_EXACT;
    uint32_t rounds = submit->spec->rounds;
    uint64_t held = rounds < THETAS_HELD ? rounds : THETAS_HELD;
    uint64_t kept = 1 + (uint64_t)spec_moments(submit->spec->optimizer) +
                    (is_exact ? held : 0);
    uint64_t bytes =
        kept * sizeof(int32_t) + (uint64_t)BYTES_ROUND_A_PARAMETER * rounds;
    return shape.parameter_count * bytes;
}

/* What a kind makes a node do beside carrying it; none for the others. */
static const struct {
    Pot__TxBody__ActionCase action;
    uint64_t (*work)(const Pot__TxBody *body);
} costs[] = {
    {POT__TX_BODY__ACTION_PUBLISH_DATASET, dataset_work},
    {POT__TX_BODY__ACTION_SUBMIT_TASK, task_work},
};

uint64_t fee_work(const Pot__TxBody *body)
{
    for (size_t i = 0; i < sizeof(costs) / sizeof(*costs); i++) {
        if (costs[i].action == body->action_case) {
            return costs[i].work(body);
        }
    }
    return 0;
}

struct amount fee_min(const Pot__GenesisParams *params, const Pot__TxBody *body,
                      size_t tx_bytes)
{
    struct amount base = {params->fee_base};
    struct amount byte = {params->fee_byte};
    struct amount fee;
    uint64_t bytes = tx_bytes + fee_work(body) / FEE_WORK_PER_BYTE;
    if (!amount_mul(&fee, byte, bytes) || !amount_add(&fee, fee, base)) {
        fee.units = UINT64_MAX;
    }
    return fee;
}

struct amount fee_estimate(const Pot__GenesisParams *params,
                           const Pot__TxBody *body)
{
    size_t bytes = pot__tx_body__get_packed_size(body);
    return fee_min(params, body, bytes + VARINT_MAX + BYTES_AROUND);
}
