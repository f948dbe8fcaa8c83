#include "config.h"

#include "proto/signed.h"

#include "base/alloc.h"
#include "proto/codec.h"

#include <stdlib.h>

Pot__Signed *signed_make(const char *what, const struct hash *chain,
                         const struct key *key, const void *body)
{
    struct signature signature;
    Pot__Signed *message = pot_alloc(sizeof(*message));
    pot__signed__init(message);
    message->body.data = codec_encode(&message->body.len, body);
    message->public_key = codec_copy_bytes(key_public(key), PUBLIC_KEY_SIZE);
    bool is_signed = key_sign(&signature, key, what, chain, message->body.data,
                              message->body.len);
    if (!is_signed) {
        codec_free(message);
        return NULL;
    }
    message->signature = codec_copy_bytes(signature.b, SIGNATURE_SIZE);
    return message;
}

bool signed_claim(struct key_claim *out, const char *what,
                  const struct hash *chain, const Pot__Signed *message)
{
    struct public_key key;
    struct signature signature;
    if (!codec_key(&key, message->public_key) ||
        !codec_signature(&signature, message->signature)) {
        return false;
    }
    key_claim_init(out, &key, what, chain, message->body.data,
                   message->body.len, &signature);
    return true;
}

bool signed_verify(const char *what, const struct hash *chain,
                   const Pot__Signed *message)
{
    struct key_claim claim;
    return signed_claim(&claim, what, chain, message) &&
           key_claim_holds(&claim);
}

static void add_field(struct hasher *h, ProtobufCBinaryData field)
{
    hasher_add_u64(h, field.len);
    hasher_add(h, field.data, field.len);
}

void signed_hash(struct hash *out, const char *what, const Pot__Signed *message)
{
    struct hasher h;
    hasher_init(&h, what);
    add_field(&h, message->body);
    add_field(&h, message->public_key);
    add_field(&h, message->signature);
    hasher_final(&h, out);
}

Pot__TxBody *signed_tx_of(const Pot__Signed *tx, Pot__TxBody__ActionCase action)
{
    Pot__TxBody *body;
    if (!codec_has_field(tx->body.data, tx->body.len, (uint32_t)action) ||
        CODEC_DECODE(&body, pot__tx_body, tx->body.data, tx->body.len) !=
            POT_OK) {
        return NULL;
    }
    if (body->action_case != action) {
        codec_free(body);
        return NULL;
    }
    return body;
}

Pot__Signed *signed_copy(const Pot__Signed *message)
{
    Pot__Signed *copy = pot_alloc(sizeof(*copy));
    pot__signed__init(copy);
    copy->body = codec_copy_bytes(message->body.data, message->body.len);
    copy->public_key =
        codec_copy_bytes(message->public_key.data, message->public_key.len);
    copy->signature =
        codec_copy_bytes(message->signature.data, message->signature.len);
    return copy;
}

Pot__Signed **signed_list_copy(const Pot__Signed *const *messages, size_t count)
{
    Pot__Signed **copies = pot_calloc(count, sizeof(Pot__Signed *));
    for (size_t i = 0; i < count; i++) {
        copies[i] = signed_copy(messages[i]);
    }
    return copies;
}

void signed_list_free(Pot__Signed **messages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        codec_free(messages[i]);
    }
    free(messages);
}
