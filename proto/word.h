/* word: what a view change, a new view and a suspicion sign, under their names
 * and the chain: u64 height | u64 view | 32 hash, little-endian. */
#ifndef POT_PROTO_WORD_H
#define POT_PROTO_WORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"
#include "proto/consensus.pb-c.h"

#define WORD_VIEW_CHANGE "view-change"
#define WORD_NEW_VIEW    "new-view"
#define WORD_SUSPICION   "suspicion"

struct word {
    const char *name; /* WORD_... */
    uint64_t height;
    uint64_t view;
    struct hash hash;
};

/* word_view_change: hash is that of the encoded prepared certificate, zero
 * for NULL. */
struct word word_view_change(uint64_t height, uint64_t view,
                             const Pot__PreparedCertificate *prepared);

/* word_read: what a word of this name signs.  False: no such bytes. */
POT_MUST_USE bool word_read(struct word *out, const char *name,
                            const void *bytes, size_t size);

/* word_sign: false: key_sign's. */
bool word_sign(struct signature *out, const struct key *key,
               const struct hash *chain, const struct word *word);
POT_MUST_USE bool word_verify(const struct public_key *signer,
                              const struct hash *chain, const struct word *word,
                              const struct signature *signature);

#endif
