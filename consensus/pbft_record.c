#include "config.h"

#include "consensus/pbft_record.h"

#include "base/check.h"
#include "consensus/pbft_state.h"
#include "proto/codec.h"

/* The own votes as a repeated field. */
struct own_votes {
    struct vote votes[VOTES_PHASES];
    Pot__Vote messages[VOTES_PHASES]; /* they borrow from votes */
    Pot__Vote *list[VOTES_PHASES];    /* and these point to them */
};

static void fill_votes(Pot__PbftRecord *record, struct own_votes *own,
                       const struct pbft *p)
{
    record->votes = own->list;
    for (int i = POT__PHASE__PHASE_PRE_PREPARE; i <= POT__PHASE__PHASE_COMMIT;
         i++) {
        size_t at = record->n_votes;
        if (p->own[i].is_cast) {
            own->votes[at] = pbft_own_vote(p, (Pot__Phase)i);
            own->messages[at] =
                pbft_message_vote(&own->votes[at], &p->own[i].signature);
            own->list[at] = &own->messages[at];
            record->n_votes++;
        }
    }
}

uint8_t *pbft_recovering_record(size_t *size)
{
    Pot__PbftRecord record = POT__PBFT_RECORD__INIT;
    record.height = 1;
    record.recovering = true;
    return codec_encode(size, &record);
}

bool pbft_is_recovering(const void *data, size_t size)
{
    Pot__PbftRecord *record;
    if (CODEC_DECODE(&record, pot__pbft_record, data, size) != POT_OK) {
        return false;
    }
    bool is_recovering = record->recovering;
    codec_free(record);
    return is_recovering;
}

uint8_t *pbft_trusted_record(size_t *size)
{
    Pot__PbftRecord record = POT__PBFT_RECORD__INIT;
    record.height = 1;
    record.trusted = true;
    return codec_encode(size, &record);
}

/* What this life may use, and what an earlier one may have used. */
static uint64_t next_views(const struct pbft *p)
{
    uint64_t own = p->advance.height == p->height + 1 ? p->advance.views : 0;
    uint64_t spent = p->spent.height == p->height + 1 ? p->spent.views : 0;
    return own > spent ? own : spent;
}

uint8_t *pbft_record_encode(size_t *size, const struct pbft *p)
{
    struct own_votes own;
    if (p->is_recovering) {
        return pbft_recovering_record(size);
    }
    Pot__Vote pre_prepare;
    Pot__PbftRecord record = POT__PBFT_RECORD__INIT;
    record.height = p->height;
    record.view = p->view;
    record.start_view = p->start_view;
    record.view_changing = p->is_changing;
    record.next_views = next_views(p);
    fill_votes(&record, &own, p);
    record.prepared = p->prepared;
    record.view_change = p->own_change;
    if (p->prepared != NULL) {
        record.prepared_block =
            codec_bytes(p->prepared_block->data, p->prepared_block->size);
    }
    if (record.n_votes > 0) {
        const struct pbft_block *voted = p->proposal.block;
        POT_ASSERT(voted != NULL && p->proposal.is_signed);
        pre_prepare =
            pbft_message_vote(&p->proposal.vote, &p->proposal.signature);
        record.pre_prepare = &pre_prepare;
        if (p->prepared_block == NULL ||
            !hash_equal(&voted->digest, &p->prepared_block->digest)) {
            record.voted_block = codec_bytes(voted->data, voted->size);
        }
    }
    uint8_t *data = codec_encode(size, &record);
    POT_ASSERT(*size <= PBFT_RECORD_BYTES_MAX);
    return data;
}

static bool is_block(ProtobufCBinaryData data, ProtobufCBinaryData digest)
{
    struct pbft_block *block = pbft_block_new(data.data, data.len);
    bool is_it =
        block != NULL && codec_bytes_equal(digest, block->digest.b, HASH_SIZE);
    pbft_block_unref(block);
    return is_it;
}

static bool is_prepared_whole(const Pot__PbftRecord *record)
{
    const Pot__PreparedCertificate *prepared = record->prepared;
    if (prepared == NULL) {
        return record->prepared_block.len == 0;
    }
    return prepared->pre_prepare != NULL &&
           is_block(record->prepared_block, prepared->digest);
}

/* A vote comes with the primary's, and with the block. */
static bool is_voted_whole(const Pot__PbftRecord *record)
{
    if (record->n_votes == 0) {
        return record->pre_prepare == NULL && record->voted_block.len == 0;
    }
    struct vote vote;
    struct signature signature;
    if (record->pre_prepare == NULL ||
        !vote_decode(&vote, &signature, record->pre_prepare)) {
        return false;
    }
    return is_block(record->voted_block.len > 0 ? record->voted_block
                                                : record->prepared_block,
                    record->pre_prepare->digest);
}

static bool is_bare(const Pot__PbftRecord *record)
{
    return record->n_votes == 0 && record->prepared == NULL &&
           record->view_change == NULL && !record->view_changing &&
           record->next_views == 0;
}

/* Storage vouches for the bytes; this is about their meaning. */
static bool is_consistent(const Pot__PbftRecord *record)
{
    return record->height > 0 && record->view <= VIEW_MAX &&
           record->start_view <= record->view &&
           record->next_views <= VIEW_MAX + 1 &&
           record->n_votes <= VOTES_PHASES && is_prepared_whole(record) &&
           is_voted_whole(record) &&
           (record->n_votes == 0 || !record->view_changing) &&
           (!record->recovering || is_bare(record)) &&
           (!record->trusted || (is_bare(record) && !record->recovering)) &&
           (record->view_change == NULL ||
            record->view_change->height == record->height);
}

static bool is_own(const struct pbft_config *config,
                   const Pot__PbftRecord *record)
{
    for (size_t i = 0; i < record->n_votes; i++) {
        struct vote vote;
        struct signature signature;
        if (config->key == NULL ||
            !vote_decode(&vote, &signature, record->votes[i]) ||
            vote.height != record->height || vote.view != record->view ||
            !vote_verify_key(key_public(config->key), &config->chain, &vote,
                             &signature)) {
            return false;
        }
    }
    return true;
}

Pot__PbftRecord *pbft_record_decode(const struct pbft_config *config,
                                    const void *data, size_t size,
                                    enum pot_err *err)
{
    Pot__PbftRecord *record;
    if (CODEC_DECODE(&record, pot__pbft_record, data, size) != POT_OK) {
        *err = POT_ECORRUPT;
        return NULL;
    }
    *err = !is_consistent(record)    ? POT_ECORRUPT
           : !is_own(config, record) ? POT_EGUARD
                                     : POT_OK;
    if (*err != POT_OK) {
        codec_free(record);
        return NULL;
    }
    return record;
}

struct pbft_mark pbft_record_mark(const Pot__PbftRecord *record)
{
    struct pbft_mark mark = {0};
    if (record->view_change != NULL) {
        mark.height = record->height;
        mark.view = record->view_change->view;
        pbft_message_view_change_digest(&mark.digest, record->view_change);
    }
    for (size_t i = 0; i < record->n_votes; i++) {
        struct vote vote;
        struct signature signature;
        bool is_open = vote_decode(&vote, &signature, record->votes[i]);
        POT_ASSERT(is_open);
        const struct pbft_mark voted = {.height = vote.height,
                                        .view = vote.view,
                                        .rank = (uint32_t)vote.phase,
                                        .digest = vote.digest};
        if (pbft_mark_compare(&voted, &mark) > 0) {
            mark = voted;
        }
    }
    if (mark.height == record->height) {
        mark.next_views = record->next_views;
    }
    return mark;
}

static void restore_votes(struct pbft *p, const Pot__PbftRecord *record)
{
    for (size_t i = 0; i < record->n_votes; i++) {
        struct vote vote;
        struct signature signature;
        bool is_open = vote_decode(&vote, &signature, record->votes[i]);
        POT_ASSERT(is_open);
        vote.replica = p->self;
        p->own[vote.phase] = (struct own_vote){
            .is_cast = true,
            .is_durable = true,
            .digest = vote.digest,
            .signature = signature,
        };
        (void)votes_add(&p->votes, &vote, &signature);
    }
}

static void restore_proposal(struct pbft *p, const Pot__PbftRecord *record)
{
    struct proposal *proposal = &p->proposal;
    if (record->n_votes == 0) {
        return;
    }
    proposal->is_signed =
        vote_decode(&proposal->vote, &proposal->signature, record->pre_prepare);
    POT_ASSERT(proposal->is_signed);
    if (record->voted_block.len == 0) {
        pbft_block_set(&proposal->block, p->prepared_block);
    } else {
        proposal->block =
            pbft_block_new(record->voted_block.data, record->voted_block.len);
    }
    POT_ASSERT(proposal->block != NULL);
    proposal->block->is_valid = true; /* or it had no vote */
    if (proposal->vote.replica < p->set.count) {
        (void)votes_add(&p->votes, &proposal->vote, &proposal->signature);
    }
}

void pbft_record_restore(struct pbft *p, const Pot__PbftRecord *record)
{
    POT_ASSERT(record->height == p->height);
    if (p->self == PBFT_NO_REPLICA) {
        return;
    }
    p->view = record->view;
    p->start_view = record->start_view;
    if (record->prepared != NULL) {
        p->prepared_block = pbft_block_new(record->prepared_block.data,
                                           record->prepared_block.len);
        p->prepared = p->prepared_block == NULL
                          ? NULL
                          : pbft_message_copy(record->prepared);
    }
    if (record->view_change != NULL) {
        p->own_change = pbft_message_copy(record->view_change);
    }
    restore_votes(p, record);
    restore_proposal(p, record);
    /* What opened a later view than the first is not in the record: without
     * a block accepted in it, the replica waits for it again. */
    p->is_changing = record->view_changing ||
                     (p->view > p->start_view && p->proposal.block == NULL);
}
