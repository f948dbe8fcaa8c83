/* A struct reader is sticky: the first fault writes why, everything after it
 * is skipped, and one check at the end tells. */
#include "config.h"

#include "proto/genesis.h"

#include "base/alloc.h"
#include "base/amount.h"
#include "base/check.h"
#include "base/file.h"
#include "base/limits.h"
#include "proto/codec.h"
#include "proto/genesis_params.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACE_SIZE  64
#define TIME_MS_MAX INT64_C(253402300799999) /* the end of the year 9999 */

struct reader {
    char *why; /* GENESIS_WHY_SIZE bytes */
    bool is_bad;
};

__attribute__((format(printf, 2, 3))) static void fail(struct reader *r,
                                                       const char *format, ...)
{
    if (!r->is_bad) {
        va_list args;
        va_start(args, format);
        (void)vsnprintf(r->why, GENESIS_WHY_SIZE, format, args);
        va_end(args);
        r->is_bad = true;
    }
}

/* ---- rules that hold for a Pot__Genesis however it came to be */

static bool chain_id_is_good(const char *text)
{
    size_t size = strlen(text);
    return size >= 1 && size <= TX_TEXT_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-") == size;
}

static bool moniker_is_good(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            return false;
        }
    }
    return strlen(text) <= TX_TEXT_MAX;
}

static void check_params(struct reader *r, const Pot__GenesisParams *p)
{
    for (size_t i = 0; i < GENESIS_PARAM_COUNT; i++) {
        const struct genesis_param *param = &genesis_params[i];
        uint64_t value = genesis_param_get(p, param);
        if (value < param->min || value > param->max) {
            fail(r,
                 "params.%s: must be %" PRIu64 " to %" PRIu64 ", not %" PRIu64,
                 param->key, param->min, param->max, value);
        }
    }
    if (p->attesting_bps + p->proposing_bps > BPS_ONE) {
        fail(r, "params: attesting_bps and proposing_bps add up to more than"
                " 10000");
    }
    if (p->unbonding_blocks < p->evidence_blocks_max) {
        fail(r, "params: unbonding_blocks must be at least"
                " evidence_blocks_max: a stake is withdrawn no sooner than"
                " evidence against it expires");
    }
}

static void add_supply(struct reader *r, struct amount *supply, uint64_t units)
{
    if (!amount_add(supply, *supply, (struct amount){units})) {
        fail(r, "the balances and stakes add up to more than 2^64 base units");
    }
}

static void check_accounts(struct reader *r, const Pot__Genesis *g,
                           struct amount *supply)
{
    for (size_t i = 0; i < g->n_accounts && !r->is_bad; i++) {
        const Pot__GenesisAccount *account = g->accounts[i];
        if (account->address.len != PUBLIC_KEY_SIZE) {
            fail(r, "accounts[%zu].address: not an address", i);
        } else if (i > 0 &&
                   memcmp(g->accounts[i - 1]->address.data,
                          account->address.data, PUBLIC_KEY_SIZE) >= 0) {
            fail(r,
                 "accounts[%zu].address: accounts must stand by ascending"
                 " public key, each once",
                 i);
        }
        add_supply(r, supply, account->balance);
    }
}

static const char *role_name(Pot__StakeRole role)
{
    switch (role) {
    case POT__STAKE_ROLE__STAKE_VALIDATOR:
        return "validator";
    case POT__STAKE_ROLE__STAKE_MINER:
        return "miner";
    case POT__STAKE_ROLE__STAKE_NONE:
    case _POT__STAKE_ROLE_IS_INT_SIZE:
        break;
    }
    return NULL;
}

static void check_stake(struct reader *r, const Pot__Genesis *g, size_t i)
{
    const Pot__GenesisStake *stake = g->stakes[i];
    const Pot__GenesisParams *p = g->params;
    bool is_validator = stake->role == POT__STAKE_ROLE__STAKE_VALIDATOR;
    uint64_t min = is_validator ? p->min_validator_stake : p->min_miner_stake;
    char text[AMOUNT_TEXT_SIZE];
    if (stake->address.len != PUBLIC_KEY_SIZE) {
        fail(r, "stakes[%zu].address: not an address", i);
    } else if (role_name(stake->role) == NULL) {
        fail(r, "stakes[%zu].role: must be \"validator\" or \"miner\"", i);
    } else if (is_validator && i > 0 && g->stakes[i - 1]->role != stake->role) {
        fail(r, "stakes[%zu].role: validators must stand before miners", i);
    } else if (stake->amount < min || stake->amount == 0) {
        fail(r, "stakes[%zu].amount: a %s needs at least %s POT", i,
             role_name(stake->role), amount_format((struct amount){min}, text));
    } else if (!moniker_is_good(stake->moniker)) {
        fail(r,
             "stakes[%zu].moniker: at most %d bytes, no control"
             " characters",
             i, TX_TEXT_MAX);
    }
}

/* Orders pointers to stakes by address, then role. */
static int compare_stakes(const void *a, const void *b)
{
    const Pot__GenesisStake *x = *(Pot__GenesisStake *const *)a;
    const Pot__GenesisStake *y = *(Pot__GenesisStake *const *)b;
    int order = memcmp(x->address.data, y->address.data, PUBLIC_KEY_SIZE);
    return order != 0 ? order : (x->role > y->role) - (x->role < y->role);
}

static void check_repeats(struct reader *r, const Pot__Genesis *g)
{
    if (g->n_stakes == 0) {
        return;
    }
    Pot__GenesisStake **sorted =
        pot_memdup(g->stakes, g->n_stakes * sizeof(*sorted));
    qsort(sorted, g->n_stakes, sizeof(*sorted), compare_stakes);
    for (size_t i = 1; i < g->n_stakes && !r->is_bad; i++) {
        struct public_key key;
        char text[ADDRESS_TEXT_SIZE];
        if (!codec_bytes_equal(sorted[i - 1]->address, sorted[i]->address.data,
                               PUBLIC_KEY_SIZE) ||
            !codec_key(&key, sorted[i]->address)) {
            continue;
        }
        if (sorted[i - 1]->role == sorted[i]->role) {
            fail(r, "stakes: %s stands twice as a %s",
                 address_format(&key, text), role_name(sorted[i]->role));
        } else if (strcmp(sorted[i - 1]->moniker, sorted[i]->moniker) != 0) {
            fail(r, "stakes: %s has two monikers", address_format(&key, text));
        }
    }
    free(sorted);
}

static void check_stakes(struct reader *r, const Pot__Genesis *g,
                         struct amount *supply)
{
    size_t validators = 0;
    for (size_t i = 0; i < g->n_stakes && !r->is_bad; i++) {
        check_stake(r, g, i);
        add_supply(r, supply, g->stakes[i]->amount);
        validators += g->stakes[i]->role == POT__STAKE_ROLE__STAKE_VALIDATOR;
    }
    if (validators < 1 || validators > VALIDATORS_MAX) {
        fail(r, "stakes: there must be 1 to %d validators, not %zu",
             VALIDATORS_MAX, validators);
    }
    if (!r->is_bad) {
        check_repeats(r, g);
    }
}

enum pot_err genesis_check(const Pot__Genesis *genesis,
                           char why[static GENESIS_WHY_SIZE])
{
    struct reader r = {why, false};
    struct amount supply = {0};
    if (!chain_id_is_good(genesis->chain_id)) {
        fail(&r, "chain_id: must be 1 to %d of a-z 0-9 . _ -", TX_TEXT_MAX);
    } else if (genesis->time_ms > TIME_MS_MAX) {
        fail(&r, "time_ms: beyond the year 9999");
    } else if (genesis->params == NULL) {
        fail(&r, "params: missing");
    } else if (genesis->n_accounts > GENESIS_ACCOUNTS_MAX ||
               genesis->n_stakes > GENESIS_STAKES_MAX) {
        fail(&r, "at most %d accounts and %d stakes", GENESIS_ACCOUNTS_MAX,
             GENESIS_STAKES_MAX);
    } else {
        check_params(&r, genesis->params);
        check_accounts(&r, genesis, &supply);
        check_stakes(&r, genesis, &supply);
    }
    return r.is_bad ? POT_EFORMAT : POT_OK;
}

/* ---- from JSON */

static bool is_known(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        if (strcmp(key, *keys) == 0) {
            return true;
        }
    }
    return false;
}

/* An object with these keys and no others; place ends in "." or is "". */
static bool read_object(struct reader *r, json_t *object, const char *place,
                        const char *const *keys)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object)) {
        fail(r, "%.*s: must be an object",
             place[0] == '\0' ? 4 : (int)strlen(place) - 1,
             place[0] == '\0' ? "file" : place);
        return false;
    }
    json_object_foreach(object, key, value)
    {
        if (!is_known(key, keys)) {
            fail(r, "%s%.64s: unknown key", place, key);
        }
    }
    for (; *keys != NULL; keys++) {
        if (json_object_get(object, *keys) == NULL) {
            fail(r, "%s%s: missing", place, *keys);
        }
    }
    return !r->is_bad;
}

static const char *read_text(struct reader *r, json_t *object,
                             const char *place, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL) {
        fail(r, "%s%s: must be a text in quotes", place, key);
        return "";
    }
    return text;
}

static uint64_t read_count(struct reader *r, json_t *object, const char *place,
                           const char *key, uint64_t max)
{
    json_t *value = json_object_get(object, key);
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || (uint64_t)number > max) {
        fail(r, "%s%s: must be a whole number from 0 to %" PRIu64, place, key,
             max);
        return 0;
    }
    return (uint64_t)number;
}

/* Base units as decimal text, written in the one way there is. */
static uint64_t read_amount(struct reader *r, json_t *object, const char *place,
                            const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    uint64_t units = 0;
    bool is_good =
        text != NULL && text[0] != '\0' && (text[0] != '0' || text[1] == '\0');
    for (const char *at = text; is_good && *at != '\0'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        is_good =
            *at >= '0' && *at <= '9' && units <= (UINT64_MAX - digit) / 10;
        units = units * 10 + digit;
    }
    if (!is_good) {
        fail(r,
             "%s%s: must be an amount in base units as text, such as"
             " \"1000000000\" for 1 POT",
             place, key);
        return 0;
    }
    return units;
}

static ProtobufCBinaryData read_address(struct reader *r, json_t *object,
                                        const char *place, const char *key)
{
    struct public_key address = {{0}};
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL || address_parse(&address, text) != POT_OK) {
        fail(r, "%s%s: must be an address, pot1...", place, key);
    }
    return codec_copy_bytes(address.b, PUBLIC_KEY_SIZE);
}

static void read_params(struct reader *r, json_t *object,
                        Pot__GenesisParams *out)
{
    const char *keys[GENESIS_PARAM_COUNT + 1] = {NULL};
    for (size_t i = 0; i < GENESIS_PARAM_COUNT; i++) {
        keys[i] = genesis_params[i].key;
    }
    if (!read_object(r, object, "params.", keys)) {
        return;
    }
    for (size_t i = 0; i < GENESIS_PARAM_COUNT; i++) {
        const struct genesis_param *param = &genesis_params[i];
        uint64_t value =
            param->type == GENESIS_PARAM_AMOUNT
                ? read_amount(r, object, "params.", param->key)
                : read_count(r, object, "params.", param->key, param->max);
        genesis_param_set(out, param, value);
    }
}

static Pot__GenesisAccount *read_account(struct reader *r, json_t *object,
                                         const char *place)
{
    static const char *const keys[] = {"address", "balance", NULL};
    Pot__GenesisAccount *out = pot_alloc(sizeof(*out));
    pot__genesis_account__init(out);
    if (read_object(r, object, place, keys)) {
        out->address = read_address(r, object, place, "address");
        out->balance = read_amount(r, object, place, "balance");
    }
    return out;
}

static Pot__GenesisStake *read_stake(struct reader *r, json_t *object,
                                     const char *place)
{
    static const char *const keys[] = {"address", "role", "amount", "moniker",
                                       NULL};
    Pot__GenesisStake *out = pot_alloc(sizeof(*out));
    pot__genesis_stake__init(out);
    if (!read_object(r, object, place, keys)) {
        return out;
    }
    out->address = read_address(r, object, place, "address");
    const char *role = read_text(r, object, place, "role");
    if (strcmp(role, "validator") == 0) {
        out->role = POT__STAKE_ROLE__STAKE_VALIDATOR;
    } else if (strcmp(role, "miner") == 0) {
        out->role = POT__STAKE_ROLE__STAKE_MINER;
    } else {
        fail(r, "%srole: must be \"validator\" or \"miner\"", place);
    }
    out->amount = read_amount(r, object, place, "amount");
    out->moniker = pot_strdup(read_text(r, object, place, "moniker"));
    return out;
}

static size_t list_size(struct reader *r, json_t *list, const char *key,
                        size_t max)
{
    if (!json_is_array(list) || json_array_size(list) > max) {
        fail(r, "%s: must be a list of at most %zu", key, max);
        return 0;
    }
    return json_array_size(list);
}

static void read_lists(struct reader *r, json_t *file, Pot__Genesis *out)
{
    char place[PLACE_SIZE];
    json_t *accounts = json_object_get(file, "accounts");
    json_t *stakes = json_object_get(file, "stakes");
    size_t account_count =
        list_size(r, accounts, "accounts", GENESIS_ACCOUNTS_MAX);
    size_t stake_count = list_size(r, stakes, "stakes", GENESIS_STAKES_MAX);
    out->accounts = pot_calloc(account_count, sizeof(Pot__GenesisAccount *));
    for (size_t i = 0; i < account_count && !r->is_bad; i++) {
        (void)snprintf(place, sizeof(place), "accounts[%zu].", i);
        out->accounts[out->n_accounts++] =
            read_account(r, json_array_get(accounts, i), place);
    }
    out->stakes = pot_calloc(stake_count, sizeof(Pot__GenesisStake *));
    for (size_t i = 0; i < stake_count && !r->is_bad; i++) {
        (void)snprintf(place, sizeof(place), "stakes[%zu].", i);
        out->stakes[out->n_stakes++] =
            read_stake(r, json_array_get(stakes, i), place);
    }
}

static Pot__Genesis *read_genesis(struct reader *r, json_t *file)
{
    static const char *const keys[] = {"chain_id", "time_ms", "params",
                                       "accounts", "stakes",  NULL};
    Pot__Genesis *out = pot_alloc(sizeof(*out));
    pot__genesis__init(out);
    out->params = pot_alloc(sizeof(*out->params));
    pot__genesis_params__init(out->params);
    if (read_object(r, file, "", keys)) {
        out->chain_id = pot_strdup(read_text(r, file, "", "chain_id"));
        out->time_ms = read_count(r, file, "", "time_ms", TIME_MS_MAX);
        read_params(r, json_object_get(file, "params"), out->params);
        read_lists(r, file, out);
    }
    return out;
}

enum pot_err genesis_parse(Pot__Genesis **out, const char *text, size_t size,
                           char why[static GENESIS_WHY_SIZE])
{
    json_error_t error;
    struct reader r = {why, false};
    *out = NULL;
    json_t *file = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (file == NULL) {
        fail(&r, "line %d: %s", error.line, error.text);
        return POT_EFORMAT;
    }
    Pot__Genesis *genesis = read_genesis(&r, file);
    json_decref(file);
    if (r.is_bad || genesis_check(genesis, why) != POT_OK) {
        codec_free(genesis);
        return POT_EFORMAT;
    }
    *out = genesis;
    return POT_OK;
}

enum pot_err genesis_load(Pot__Genesis **out, const char *path,
                          char why[static GENESIS_WHY_SIZE])
{
    char *text;
    size_t size;
    *out = NULL;
    enum pot_err err = file_read(&text, &size, path, GENESIS_BYTES_MAX);
    if (err != POT_OK) {
        (void)snprintf(why, GENESIS_WHY_SIZE, "%s", err_text(err));
        return err;
    }
    err = genesis_parse(out, text, size, why);
    free(text);
    return err;
}

/* ---- to JSON */

static json_t *amount_json(uint64_t units)
{
    return json_sprintf("%" PRIu64, units);
}

static json_t *address_json(ProtobufCBinaryData field)
{
    struct public_key key;
    char text[ADDRESS_TEXT_SIZE];
    bool is_key = codec_key(&key, field);
    POT_ASSERT(is_key);
    return json_string(address_format(&key, text));
}

static json_t *params_json(const Pot__GenesisParams *from)
{
    json_t *out = json_object();
    for (size_t i = 0; i < GENESIS_PARAM_COUNT; i++) {
        uint64_t value = genesis_param_get(from, &genesis_params[i]);
        json_object_set_new(out, genesis_params[i].key,
                            genesis_params[i].type == GENESIS_PARAM_AMOUNT
                                ? amount_json(value)
                                : json_integer((json_int_t)value));
    }
    return out;
}

char *genesis_format(const Pot__Genesis *genesis)
{
    json_t *accounts = json_array();
    for (size_t i = 0; i < genesis->n_accounts; i++) {
        const Pot__GenesisAccount *account = genesis->accounts[i];
        json_array_append_new(
            accounts,
            json_pack("{so so}", "address", address_json(account->address),
                      "balance", amount_json(account->balance)));
    }
    json_t *stakes = json_array();
    for (size_t i = 0; i < genesis->n_stakes; i++) {
        const Pot__GenesisStake *stake = genesis->stakes[i];
        json_array_append_new(
            stakes,
            json_pack("{so ss so ss}", "address", address_json(stake->address),
                      "role", role_name(stake->role), "amount",
                      amount_json(stake->amount), "moniker", stake->moniker));
    }
    json_t *file = json_pack("{ss sI so so so}", "chain_id", genesis->chain_id,
                             "time_ms", (json_int_t)genesis->time_ms, "params",
                             params_json(genesis->params), "accounts", accounts,
                             "stakes", stakes);
    POT_ASSERT(file != NULL);
    char *text = json_dumps(file, JSON_INDENT(2));
    POT_ASSERT(text != NULL);
    json_decref(file);
    size_t size = strlen(text);
    text = pot_realloc(text, size + 2, 1);
    memcpy(text + size, "\n", 2);
    return text;
}

void genesis_hash(struct hash *out, const Pot__Genesis *genesis)
{
    size_t size;
    uint8_t *data = codec_encode(&size, genesis);
    hash_bytes(out, "genesis", data, size);
    free(data);
}

void genesis_validators(struct validator_set *out, const Pot__Genesis *genesis)
{
    out->count = 0;
    for (size_t i = 0; i < genesis->n_stakes && out->count < VALIDATORS_MAX;
         i++) {
        const Pot__GenesisStake *stake = genesis->stakes[i];
        if (stake->role == POT__STAKE_ROLE__STAKE_VALIDATOR) {
            bool is_key = codec_key(&out->keys[out->count++], stake->address);
            POT_ASSERT(is_key);
        }
    }
}

void chain_id_hash(struct hash *out, const char *chain_id)
{
    hash_bytes(out, "chain-id", chain_id, strlen(chain_id));
}
