#include "config.h"

#include "proto/plant.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"
#include "proto/draw.h"

#include <stdlib.h>

bool plant_is_due(const struct hash *secret, const struct hash *link,
                  const struct hash *theta, const struct public_key *miner,
                  uint32_t rate_ppm)
{
    struct hash walked;
    draw_walk(&walked, secret, 1);
    return hash_equal(&walked, link) &&
           draw_names(secret, theta, miner, rate_ppm);
}

void plant_name(struct hash *out, const struct hash *submission,
                const struct hash *secret)
{
    struct hasher h;
    hasher_init(&h, "planted");
    hasher_add(&h, submission->b, HASH_SIZE);
    hasher_add(&h, secret->b, HASH_SIZE);
    hasher_final(&h, out);
}

static bool is_sparse(const struct packed_form *form)
{
    return form->compression == POT__COMPRESSION__COMPRESSION_SIGN ||
           form->compression == POT__COMPRESSION__COMPRESSION_TOPK;
}

/* Away from 0, which sparse forms do not list: a plant that left the list would
 * be seen without computing. */
static int32_t other_value(const struct packed_form *form, int32_t value)
{
    int32_t bound = packed_bound(form);
    int32_t away = value < 0 ? -1 : 1;
    if (form->compression == POT__COMPRESSION__COMPRESSION_SIGN) {
        return -value;
    }
    return value == bound || value == -bound ? value - away : value + away;
}

static size_t place_of(const struct hash *secret, size_t count)
{
    struct hash drawn;
    struct bytes_reader r;
    hash_bytes(&drawn, "plant", secret->b, HASH_SIZE);
    bytes_reader_init(&r, drawn.b, 8);
    return (size_t)(bytes_read_u64(&r) % count);
}

/* The first one from the place on that can be changed; count: none. */
static size_t find(const int32_t *values, size_t count, size_t place,
                   const struct packed_form *form)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = (place + i) % count;
        if (!is_sparse(form) || values[at] != 0) {
            return at;
        }
    }
    return count;
}

bool plant_payload(uint8_t *payload, const struct model_shape *shape,
                   const struct packed_form *form, const struct hash *secret)
{
    struct gradient gradient;
    size_t count = shape->parameter_count;
    int8_t *room = pot_alloc(count);
    int32_t *values = pot_calloc(count, sizeof(*values));
    enum pot_err err = packed_open(&gradient, room, shape, form, payload,
                                   packed_bytes(shape, form));
    POT_ASSERT(err == POT_OK);
    for (size_t i = 0; i < count; i++) {
        values[i] = gradient_get(&gradient, i);
    }
    size_t at = find(values, count, place_of(secret, count), form);
    if (at < count) {
        values[at] = other_value(form, values[at]);
        packed_encode(payload, shape, form, gradient.exponents, values);
    }
    free(values);
    free(room);
    return at < count;
}
