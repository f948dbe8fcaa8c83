/* What a node says to its signer: a question that is read is written as the
 * same bytes, and what the rules let through they remember as such. */
#include "config.h"

#include "base/check.h"
#include "proto/sign_frame.h"
#include "signer/sign_rules.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(struct sign_rules *rules, const struct sign_question *asked)
{
    struct sign_step step;
    struct sign_rules read;
    uint8_t record[SIGN_RULES_SIZE];
    uint8_t again[SIGN_RULES_SIZE];
    bool is_step;
    if (!sign_step_view(&step, &is_step, asked) || !is_step ||
        sign_rules_judge(rules, &step) != SIGN_DONE) {
        return;
    }
    sign_rules_take(rules, &step);
    POT_ASSERT(sign_rules_is_known(rules, &step));
    sign_rules_encode(record, rules);
    POT_ASSERT(sign_rules_decode(&read, record, sizeof(record)) == POT_OK);
    sign_rules_encode(again, &read);
    POT_ASSERT(memcmp(record, again, sizeof(record)) == 0);
    POT_ASSERT(sign_rules_judge(&read, &step) == SIGN_DONE);
    step.digest.b[0] ^= 1;
    POT_ASSERT(sign_rules_judge(&read, &step) == SIGN_CONTRADICTS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t written[SIGN_QUESTION_MAX];
    struct sign_rules rules = {0};
    struct sign_question question;
    size_t used;
    if (size > 0 && sign_rules_decode(&rules, data, size) == POT_OK) {
        uint8_t again[SIGN_RULES_SIZE];
        sign_rules_encode(again, &rules);
        POT_ASSERT(memcmp(again, data, size) == 0);
    }
    memset(&rules, 0, sizeof(rules));
    while (sign_question_view(&question, &used, data, size) && used > 0) {
        POT_ASSERT(sign_question_write(written, &question) == used);
        POT_ASSERT(memcmp(written, data, used) == 0);
        judge(&rules, &question);
        data += used;
        size -= used;
    }
    return 0;
}
