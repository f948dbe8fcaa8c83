/* node.toml: defaults, overrides, faults with their places. */
#include "config.h"

#include "node/node_config.h"

#include "base/alloc.h"
#include "base/file.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ADDRESS "pot13jglv35q0r5tu9j96cla8jj6e0980yqhjx0jp2kx7n3uyk4aqk6sqsaarq"

static char *path;

static struct node_config *load(const char *text, struct buf *faults)
{
    struct node_config *config = NULL;
    (void)unlink(path);
    assert_int_equal(file_create(path, 0600, text, strlen(text)), POT_OK);
    buf_init(faults, 65536);
    enum pot_err err = node_config_load(&config, path, faults);
    assert_int_equal(err == POT_OK, config != NULL);
    assert_int_equal(err == POT_OK, faults->size == 0);
    return config;
}

static void expect_good(const char *text,
                        void (*check)(const struct node_config *))
{
    struct buf faults;
    struct node_config *config = load(text, &faults);
    if (config == NULL) {
        print_message("%s", buf_text(&faults));
    }
    assert_non_null(config);
    check(config);
    node_config_free(config);
    buf_fini(&faults);
}

static void expect_fault(const char *text, const char *fault)
{
    struct buf faults;
    struct node_config *config = load(text, &faults);
    assert_null(config);
    if (strstr(buf_text(&faults), fault) == NULL) {
        print_message("no \"%s\" in: %s", fault, buf_text(&faults));
        fail();
    }
    buf_fini(&faults);
}

static void check_defaults(const struct node_config *c)
{
    assert_string_equal(c->p2p_listen, "127.0.0.1:26650");
    assert_int_equal(c->propose_timeout_ms, 2000);
    assert_int_equal(c->mempool_max_txs, 5000);
    assert_false(c->validator_enabled);
    assert_false(c->miner_enabled);
    assert_false(c->aggregator_enabled);
    assert_true(c->api_enabled);
    assert_int_equal(c->miner_task_count, 1);
    assert_string_equal(c->miner_tasks[0], "any");
    assert_int_equal(c->p2p_peer_count, 0);
}

static void an_empty_file_means_the_defaults(void **state)
{
    (void)state;
    expect_good("", check_defaults);
}

static void check_values(const struct node_config *c)
{
    assert_string_equal(c->moniker, "x");
    assert_string_equal(c->home, "/somewhere");
    assert_int_equal(c->log_level, LOG_DEBUG);
    assert_int_equal(c->p2p_peer_count, 2);
    assert_string_equal(c->p2p_peers[0].host, "host.example");
    assert_int_equal(c->p2p_peers[0].port, 1234);
    assert_string_equal(c->p2p_peers[1].host, "::1");
    assert_int_equal(c->miner_task_count, 1);
}

static void values_come_from_the_file(void **state)
{
    (void)state;
    expect_good("moniker = \"x\"\nhome = \"/somewhere\"\n"
                "[log]\nlevel = \"debug\"\n"
                "[p2p]\npeers = [\"" ADDRESS "@host.example:1234\", \"" ADDRESS
                "@[::1]:5\"]\n[miner]\ntasks = \"any\"\n",
                check_values);
}

static void check_relative(const struct node_config *c)
{
    char *folder = file_folder(path);
    char *genesis = file_join(folder, "one/two.json");
    assert_string_equal(c->genesis, genesis);
    free(genesis);
    free(folder);
    assert_string_equal(c->log_file, "");
}

static void paths_are_relative_to_the_file(void **state)
{
    (void)state;
    expect_good("genesis = \"one/two.json\"\n", check_relative);
}

static void check_cache(const struct node_config *c)
{
    assert_int_equal(c->data_cache_mb, 4);
}

static void a_cache_has_room_for_rows_in_two_chunks(void **state)
{
    (void)state;
    expect_good("[data]\ncache_mb = 4\n", check_cache);
    for (unsigned mb = 1; mb < 4; mb++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "[data]\ncache_mb = %u\n", mb);
        expect_fault(text, "data.cache_mb: must be 0, or 4 and more");
    }
}

static void check_signer(const struct node_config *c)
{
    assert_true(c->validator_enabled);
    assert_string_equal(c->validator_signer, "/run/signer/socket");
}

static void a_signer_stands_for_the_key(void **state)
{
    (void)state;
    expect_good("[validator]\nenabled = true\n"
                "signer = \"unix:/run/signer/socket\"\n",
                check_signer);
}

static void check_overruled(const struct node_config *c)
{
    assert_int_equal(c->mempool_max_txs, 7);
    assert_true(c->validator_enabled);
    assert_int_equal(c->miner_task_count, 2);
    assert_string_equal(c->moniker, "y");
}

static void the_environment_overrules(void **state)
{
    static const char two_tasks[] =
        "0000000000000000000000000000000000000000000000000000000000000001,"
        "0000000000000000000000000000000000000000000000000000000000000002";
    (void)state;
    assert_int_equal(setenv("POTD_MEMPOOL_MAX_TXS", "7", 1), 0);
    assert_int_equal(setenv("POTD_VALIDATOR_ENABLED", "true", 1), 0);
    assert_int_equal(setenv("POTD_VALIDATOR_KEY", "key", 1), 0);
    assert_int_equal(setenv("POTD_MINER_TASKS", two_tasks, 1), 0);
    assert_int_equal(setenv("POTD_MONIKER", "y", 1), 0);
    expect_good("moniker = \"x\"\n", check_overruled);
    assert_int_equal(setenv("POTD_MEMPOOL_MAX_TXS", "7 or so", 1), 0);
    expect_fault("", "environment: POTD_MEMPOOL_MAX_TXS: must be a whole");
    assert_int_equal(setenv("POTD_MEMPOOL_MAX_TXS", "-1", 1), 0);
    expect_fault("", "environment: POTD_MEMPOOL_MAX_TXS: -1 is not between");
    assert_int_equal(unsetenv("POTD_MEMPOOL_MAX_TXS"), 0);
    assert_int_equal(setenv("POTD_VALIDATOR_ENABLED", "yes", 1), 0);
    expect_fault("", "true or false");
    assert_int_equal(unsetenv("POTD_VALIDATOR_ENABLED"), 0);
    assert_int_equal(unsetenv("POTD_VALIDATOR_KEY"), 0);
    assert_int_equal(unsetenv("POTD_MINER_TASKS"), 0);
    assert_int_equal(unsetenv("POTD_MONIKER"), 0);
}

static void what_the_environment_set_is_not_the_files_fault(void **state)
{
    static const char *const cases[][3] = {
        {"POTD_LOG_LEVEL", "loud", "environment: POTD_LOG_LEVEL: must be"},
        {"POTD_P2P_LISTEN", "here", "environment: POTD_P2P_LISTEN: \"here\""},
        {"POTD_P2P_PEERS", "x@y", "environment: POTD_P2P_PEERS: \"x@y\""},
        {"POTD_LOG_LEVLE", "x", "environment: POTD_LOG_LEVLE: this variable"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(setenv(cases[i][0], cases[i][1], 1), 0);
        expect_fault("[log]\nlevel = \"info\"\n", cases[i][2]);
        assert_int_equal(unsetenv(cases[i][0]), 0);
    }
}

static void check_listens(const struct node_config *c)
{
    assert_string_equal(c->p2p_listen, "localhost:1");
    assert_string_equal(c->api_listen, "[::1]:0");
}

static void what_can_be_listened_on_is_good(void **state)
{
    (void)state;
    expect_good("[p2p]\nlisten = \"localhost:1\"\n"
                "[api]\nlisten = \"[::1]:0\"\n",
                check_listens);
}

static void the_environment_keeps_to_the_limits_of_lists(void **state)
{
    char peers[2 * (CONFIG_PEERS_MAX + 1) + 1];
    (void)state;
    for (size_t i = 0; i <= CONFIG_PEERS_MAX; i++) {
        peers[2 * i] = 'x';
        peers[2 * i + 1] = ',';
    }
    peers[sizeof(peers) - 1] = '\0';
    assert_int_equal(setenv("POTD_P2P_PEERS", peers, 1), 0);
    expect_fault("", "environment: POTD_P2P_PEERS: too many entries");
    assert_int_equal(unsetenv("POTD_P2P_PEERS"), 0);
}

static void an_unknown_key_is_told_with_its_line_and_a_suggestion(void **state)
{
    (void)state;
    expect_fault("monicker = \"x\"\n", ":1: monicker");
    expect_fault("monicker = \"x\"\n", "did you mean \"moniker\"");
    expect_fault("\n\n[p2p]\nmax_peer = 1\n", ":4: p2p.max_peer");
    expect_fault("[nonsense]\nentirely = 1\n", "unknown key");
    expect_fault("\"a\\nb\" = 1\n", ":1: a b: unknown key");
}

static void a_wrong_value_is_told_with_its_key(void **state)
{
    static const char *const texts[][2] = {
        {"moniker = 5\n", "text in quotes"},
        {"[p2p]\nmax_peers = \"5\"\n", "whole number"},
        {"[p2p]\nmax_peers = 0\n", "is not between 1 and 4096"},
        {"[storage]\nkeep_blocks = 31\n", "31 is too few: 0 for all"},
        {"[p2p]\nmax_peers = 4097\n", "is not between 1 and 4096"},
        {"[p2p]\nmax_peers = -1\n", "is not between 1 and 4096"},
        {"[api]\nenabled = 1\n", "true or false"},
        {"[miner]\ntasks = [1]\n", "list of texts"},
        {"[miner]\ntasks = \"all\"\n", "list of task ids"},
        {"[api]\nlisten = \"here\"\n", ":2: api.listen: \"here\" is not an IP"},
        {"[api]\nlisten = \"host.example:1\"\n", "is not an IP address"},
        {"[p2p]\nlisten = \"host.example:1\"\n", "is not an IP address"},
        {"[api]\nlisten = \"127.0.0.1:26650\"\n", "its own port"},
        {"[miner]\ntasks = {a = 1}\n", ""},
        {"[miner]\nenabled = true\n", "key file"},
        {"[validator]\nenabled = true\n", "key file"},
        {"[aggregator]\nenabled = true\n[validator]\nenabled = true\n"
         "key = \"a\"\n",
         "a validator gathers for itself"},
        {"[validator]\nsigner = \"tcp:/a\"\n",
         "validator.signer: must be unix:"},
        {"[validator]\nsigner = \"unix:a\"\n", "an absolute path"},
        {"[validator]\nkey = \"a\"\nsigner = \"unix:/b\"\n",
         "validator.key is set too"},
        {"[miner]\nblas_core = \"a b\"\n", "OpenBLAS core name"},
        {"[miner]\nexact_kernel = \"sse\"\n", "\"avx512\" or \"neon\""},
        {"[log]\nlevel = \"loud\"\n", ":2: log.level: must be error, warn,"},
        {"[log]\nformat = \"xml\"\n", "text or json"},
        {"[p2p]\npeers = [\"host:1\"]\n",
         "\"host:1\" is not <address>@host:port: there is no @"},
        {"[p2p]\npeers = [\"" ADDRESS "@host\"]\n",
         "what is behind the @ is no host and port"},
        {"[p2p]\npeers = [\"" ADDRESS "@host:0\"]\n", "<address>@host:port"},
        {"[p2p]\npeers = [\"" ADDRESS "@host:65536\"]\n", "@host:port"},
        {"[p2p]\npeers = [\"" ADDRESS "@host:1x\"]\n", "<address>@host:port"},
        {"[p2p]\npeers = [\"pot1x@host:1\"]\n",
         "what is before the @ is no address, or a mistyped one"},
        {"[p2p]\npeers = [\"" ADDRESS "@::1:1\"]\n", "<address>@host:port"},
        {"= = =\n", ":1"},
        {"moniker = \"a\"\nmoniker = \"b\"\n", ":2"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        expect_fault(texts[i][0], texts[i][1]);
    }
}

static void every_fault_is_told_not_the_first_alone(void **state)
{
    struct buf faults;
    size_t lines = 0;
    (void)state;
    assert_null(load("one = 1\ntwo = 2\n[p2p]\nmax_peers = 0\n", &faults));
    for (size_t i = 0; i < faults.size; i++) {
        lines += faults.data[i] == '\n' ? 1 : 0;
    }
    assert_int_equal(lines, 3);
    buf_fini(&faults);
}

static void what_is_printed_loads_again(void **state)
{
    struct buf faults;
    struct buf first;
    struct buf second;
    struct node_config *config = load("moniker = \"x\"\n", &faults);
    (void)state;
    assert_non_null(config);
    buf_init(&first, 65536);
    buf_init(&second, 65536);
    node_config_print(config, &first);
    node_config_free(config);
    buf_fini(&faults);
    config = load(buf_text(&first), &faults);
    if (config == NULL) {
        print_message("%s", buf_text(&faults));
    }
    assert_non_null(config);
    node_config_print(config, &second);
    assert_string_equal(buf_text(&first), buf_text(&second));
    node_config_free(config);
    buf_fini(&faults);
    buf_fini(&first);
    buf_fini(&second);
}

static void what_was_changed_is_named_once_each(void **state)
{
    (void)state;
    struct buf faults[2];
    size_t at = 0;
    struct node_config *a = load("[log]\nlevel = \"warn\"\n", &faults[0]);
    struct node_config *b =
        load("home = \"data\"\n[log]\nlevel = \"info\"\n"
             "[p2p]\npeers = [\"" ADDRESS "@127.0.0.1:1\"]\n"
             "[api]\nlisten = \"127.0.0.1:9\"\nenabled = false\n",
             &faults[1]);
    assert_null(node_config_changed(&at, a, a));
    at = 0;
    assert_string_equal(node_config_changed(&at, a, b), "log.level");
    assert_string_equal(node_config_changed(&at, a, b), "p2p.peers");
    assert_string_equal(node_config_changed(&at, a, b), "api.enabled");
    assert_string_equal(node_config_changed(&at, a, b), "api.listen");
    assert_null(node_config_changed(&at, a, b));
    assert_null(node_config_changed(&at, a, b));
    for (size_t i = 0; i < 2; i++) {
        buf_fini(&faults[i]);
    }
    node_config_free(a);
    node_config_free(b);
}

static void a_missing_file_is_not_found(void **state)
{
    struct buf faults;
    struct node_config *config;
    (void)state;
    buf_init(&faults, 1000);
    assert_int_equal(node_config_load(&config, "/nonexistent.toml", &faults),
                     POT_ENOENT);
    assert_null(config);
    buf_fini(&faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_means_the_defaults),
        cmocka_unit_test(values_come_from_the_file),
        cmocka_unit_test(paths_are_relative_to_the_file),
        cmocka_unit_test(a_cache_has_room_for_rows_in_two_chunks),
        cmocka_unit_test(a_signer_stands_for_the_key),
        cmocka_unit_test(the_environment_overrules),
        cmocka_unit_test(what_the_environment_set_is_not_the_files_fault),
        cmocka_unit_test(what_can_be_listened_on_is_good),
        cmocka_unit_test(the_environment_keeps_to_the_limits_of_lists),
        cmocka_unit_test(an_unknown_key_is_told_with_its_line_and_a_suggestion),
        cmocka_unit_test(a_wrong_value_is_told_with_its_key),
        cmocka_unit_test(every_fault_is_told_not_the_first_alone),
        cmocka_unit_test(what_is_printed_loads_again),
        cmocka_unit_test(what_was_changed_is_named_once_each),
        cmocka_unit_test(a_missing_file_is_not_found),
    };
    char *folder = scratch_folder();
    path = file_join(folder, "node.toml");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(folder);
    free(path);
    return failed;
}
