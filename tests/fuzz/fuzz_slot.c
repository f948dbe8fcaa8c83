/* A slot of the sign state: what decodes encodes to the same bytes. */
#include "config.h"

#include "base/check.h"
#include "storage/slot_file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t header[SLOT_HEADER_SIZE];
    for (unsigned index = 0; index < 2; index++) {
        struct slot slot;
        if (slot_decode(&slot, index, data, size)) {
            POT_ASSERT(slot.size <= size - SLOT_HEADER_SIZE);
            slot_encode(header, index, &slot);
            POT_ASSERT(memcmp(header, data, sizeof(header)) == 0);
        }
    }
    /* The checksum keeps noise out: make whole slots of noise, too. */
    if (size >= SLOT_LABEL_SIZE + 8) {
        struct slot slot = {.label = data,
                            .data = data + SLOT_LABEL_SIZE,
                            .size = 8,
                            .sequence = size};
        uint8_t whole[SLOT_HEADER_SIZE + 8];
        slot_encode(whole, 1, &slot);
        memcpy(whole + SLOT_HEADER_SIZE, slot.data, 8);
        POT_ASSERT(slot_decode(&slot, 1, whole, sizeof(whole)));
        POT_ASSERT(!slot_decode(&slot, 0, whole, sizeof(whole)));
        POT_ASSERT(!slot_decode(&slot, 1, whole, sizeof(whole) - 1));
    }
    return 0;
}
