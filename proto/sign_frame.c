#include "config.h"

#include "proto/sign_frame.h"

#include "base/bytes.h"
#include "base/check.h"

#include <string.h>

static const char *const whats[] = {
#define X(tag, what) [tag] = (what),
    SIGN_TAG_MAP(X)
#undef X
};

static const char *const texts[] = {
#define X(verdict, text) [verdict] = (text),
    SIGN_VERDICT_MAP(X)
#undef X
};

const char *sign_tag_what(enum sign_tag tag)
{
    POT_ASSERT(tag < SIGN_TAGS);
    return whats[tag];
}

bool sign_tag_find(enum sign_tag *out, const char *what)
{
    for (int i = SIGN_HELLO + 1; i < SIGN_TAGS; i++) {
        if (strcmp(whats[i], what) == 0) {
            *out = (enum sign_tag)i;
            return true;
        }
    }
    return false;
}

const char *sign_verdict_text(enum sign_verdict verdict)
{
    POT_ASSERT(verdict < SIGN_VERDICTS);
    return texts[verdict];
}

size_t sign_question_write(uint8_t out[static SIGN_QUESTION_MAX],
                           const struct sign_question *question)
{
    struct bytes_writer w;
    POT_ASSERT(question->size <= SIGN_MESSAGE_MAX);
    bytes_writer_init(&w, out, SIGN_QUESTION_MAX);
    bytes_write_u32(&w, (uint32_t)(SIGN_HEADER_SIZE - 4 + question->size));
    bytes_write_u8(&w, (uint8_t)question->tag);
    bytes_write(&w, question->chain.b, HASH_SIZE);
    bytes_write(&w, question->message, question->size);
    return w.offset;
}

bool sign_question_view(struct sign_question *out, size_t *used,
                        const uint8_t *data, size_t size)
{
    struct bytes_reader r;
    *used = 0;
    if (size < 4) {
        return true;
    }
    bytes_reader_init(&r, data, size);
    uint32_t body = bytes_read_u32(&r);
    if (body < SIGN_HEADER_SIZE - 4 || body > SIGN_QUESTION_MAX - 4) {
        return false;
    }
    if (size - 4 < body) {
        return true;
    }
    uint8_t tag = bytes_read_u8(&r);
    if (tag >= SIGN_TAGS) {
        return false;
    }
    out->tag = (enum sign_tag)tag;
    bytes_read(&r, out->chain.b, HASH_SIZE);
    out->size = body + 4 - SIGN_HEADER_SIZE;
    out->message = bytes_borrow(&r, out->size);
    *used = body + 4;
    return true;
}

void sign_answer_write(uint8_t out[static SIGN_ANSWER_SIZE],
                       enum sign_verdict verdict,
                       const struct signature *signature)
{
    out[0] = (uint8_t)verdict;
    memcpy(out + 1, signature->b, SIGNATURE_SIZE);
}

bool sign_answer_read(enum sign_verdict *verdict, struct signature *signature,
                      const uint8_t data[static SIGN_ANSWER_SIZE])
{
    if (data[0] >= SIGN_VERDICTS) {
        return false;
    }
    *verdict = (enum sign_verdict)data[0];
    memcpy(signature->b, data + 1, SIGNATURE_SIZE);
    return true;
}
