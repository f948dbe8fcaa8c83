#include "config.h"

#include "node/block/brief_work.h"

#include "node/block/proposal.h"
#include "proto/codec.h"
#include "proto/fee.h"

#define TXS_MAX 4

static bool is_brief_tx(const Pot__Signed *tx)
{
    Pot__TxBody *body;
    bool is_brief = CODEC_DECODE(&body, pot__tx_body, tx->body.data,
                                 tx->body.len) == POT_OK &&
                    fee_work(body) == 0;
    codec_free(body);
    return is_brief;
}

static bool are_brief(Pot__Signed *const *txs, size_t count)
{
    bool are = count <= TXS_MAX;
    for (size_t i = 0; are && i < count; i++) {
        are = is_brief_tx(txs[i]);
    }
    return are;
}

bool brief_work_request(const struct proposal_request *request)
{
    return request->round_count == 0 && request->evidence_count == 0 &&
           are_brief(request->txs, request->tx_count);
}

bool brief_work_block(const Pot__Block *body)
{
    return body->n_round_updates == 0 && body->n_evidence == 0 &&
           are_brief(body->txs, body->n_txs);
}
