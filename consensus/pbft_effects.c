#include "config.h"

#include "consensus/pbft_effects.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct pbft_effect *pbft_effects_add(struct pbft_effects *effects,
                                     enum pbft_effect_type type)
{
    if (effects->count == effects->capacity) {
        effects->capacity = effects->capacity > 0 ? 2 * effects->capacity : 8;
        effects->items = pot_realloc(effects->items, effects->capacity,
                                     sizeof(*effects->items));
    }
    struct pbft_effect *effect = &effects->items[effects->count++];
    memset(effect, 0, sizeof(*effect));
    effect->type = type;
    return effect;
}

void pbft_effects_fini(struct pbft_effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        free(effects->items[i].bytes);
        block_free(effects->items[i].opened);
        free(effects->items[i].certificate);
    }
    free(effects->items);
    memset(effects, 0, sizeof(*effects));
}
