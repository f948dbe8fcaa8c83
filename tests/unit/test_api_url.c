#include "config.h"

#include "node/api/api_url.h"
#include "p2p/net_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static void a_url_is_split_and_its_path_decoded(void **state)
{
    struct api_url url;
    (void)state;
    assert_int_equal(api_url_parse(&url, "/v1/a%2Fb?x=1&y=%20#z"), POT_OK);
    assert_string_equal(url.path, "/v1/a/b");
    assert_string_equal(url.query, "x=1&y=%20");
    assert_int_equal(api_url_parse(&url, "/"), POT_OK);
    assert_string_equal(url.path, "/");
    assert_string_equal(url.query, "");
}

static void a_malformed_url_is_refused(void **state)
{
    static const char *const urls[] = {"",      "v1",     "*",        "/%",
                                       "/%4",   "/%zz",   "/%00",     "/a%0ab",
                                       "/\x7f", "/%7f/a", "http://a/"};
    struct api_url url;
    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        assert_int_equal(api_url_parse(&url, urls[i]), POT_EFORMAT);
    }
}

static void a_long_url_is_refused(void **state)
{
    static char text[4096];
    struct api_url url;
    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    text[0] = '/';
    assert_int_equal(api_url_parse(&url, text), POT_ELIMIT);
    text[API_PATH_MAX] = '?';
    assert_int_equal(api_url_parse(&url, text), POT_ELIMIT);
    text[API_PATH_MAX + 1 + API_QUERY_MAX] = '\0';
    assert_int_equal(api_url_parse(&url, text), POT_OK);
    assert_int_equal(strlen(url.query), API_QUERY_MAX);
}

static void a_path_is_matched_part_by_part(void **state)
{
    char args[API_ARGS_MAX][API_ARG_SIZE];
    (void)state;
    assert_true(api_url_match("/v1/status", "/v1/status", args));
    assert_false(api_url_match("/v1/status", "/v1/status/", args));
    assert_false(api_url_match("/v1/status", "/v1/stat", args));
    assert_true(
        api_url_match("/v1/d/{d}/chunks/{i}", "/v1/d/ab/chunks/7", args));
    assert_string_equal(args[0], "ab");
    assert_string_equal(args[1], "7");
    assert_false(api_url_match("/v1/d/{d}", "/v1/d/", args));
    assert_false(api_url_match("/v1/d/{d}", "/v1/d/a/b", args));
}

static void a_part_that_is_too_long_does_not_match(void **state)
{
    char args[API_ARGS_MAX][API_ARG_SIZE];
    char path[API_ARG_SIZE + 2];
    (void)state;
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    path[API_ARG_SIZE + 1] = '\0';
    assert_false(api_url_match("/{x}", path, args));
    path[API_ARG_SIZE] = '\0';
    assert_true(api_url_match("/{x}", path, args));
}

static void a_query_gives_its_values(void **state)
{
    char value[API_VALUE_SIZE];
    uint64_t n;
    (void)state;
    const char *query = "limit=10&from=12.3&task=a%2bb+c&empty=&max";
    assert_true(api_query_text(query, "from", value));
    assert_string_equal(value, "12.3");
    assert_true(api_query_text(query, "task", value));
    assert_string_equal(value, "a+b c");
    assert_false(api_query_text(query, "rom", value));
    assert_int_equal(api_query_u64(&n, query, "limit", 100, 5), POT_OK);
    assert_int_equal(n, 10);
    assert_int_equal(api_query_u64(&n, query, "missing", 100, 5), POT_OK);
    assert_int_equal(n, 5);
    assert_int_equal(api_query_u64(&n, query, "limit", 9, 5), POT_ERANGE);
    assert_int_equal(api_query_u64(&n, query, "from", 9, 5), POT_EFORMAT);
    assert_int_equal(api_query_u64(&n, query, "empty", 9, 5), POT_EFORMAT);
    assert_int_equal(api_query_u64(&n, query, "max", 9, 5), POT_EFORMAT);
}

static void numbers_are_decimal_and_fit(void **state)
{
    uint64_t n;
    (void)state;
    assert_int_equal(api_parse_u64(&n, "18446744073709551615"), POT_OK);
    assert_true(n == UINT64_MAX);
    assert_int_equal(api_parse_u64(&n, "18446744073709551616"), POT_EFORMAT);
    assert_int_equal(api_parse_u64(&n, "-1"), POT_EFORMAT);
    assert_int_equal(api_parse_u64(&n, "+1"), POT_EFORMAT);
    assert_int_equal(api_parse_u64(&n, " 1"), POT_EFORMAT);
    assert_int_equal(api_parse_u64(&n, "0x1"), POT_EFORMAT);
    assert_int_equal(api_parse_u64(&n, ""), POT_EFORMAT);
    assert_int_equal(api_parse_u64(&n, "000000000000000000001"), POT_EFORMAT);
}

static void only_names_of_this_machine_are_local(void **state)
{
    static const char *const good[] = {
        "localhost",    "localhost:26680", "LOCALHOST:1", "127.0.0.1",
        "127.0.0.1:80", "[::1]",           "[::1]:26680", "localhost:"};
    static const char *const bad[] = {
        "",           "evil.com",         "localhost.evil.com",
        "[::1].evil", "localhost:123456", "127.0.0.1:80x",
        "[::1",       "127.0.0.1.evil",   "localhost@evil.com",
        "::1",        "127.0.0.2",        "evil.com:26680"};
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        assert_true(api_host_is_local(good[i]));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_false(api_host_is_local(bad[i]));
    }
}

static void an_origin_is_that_of_the_host_alone(void **state)
{
    (void)state;
    assert_true(api_origin_is_host("http://localhost:1", "localhost:1"));
    assert_true(api_origin_is_host("https://node.example", "node.example"));
    assert_false(api_origin_is_host("http://localhost:2", "localhost:1"));
    assert_false(api_origin_is_host("http://evil.com", "localhost:1"));
    assert_false(api_origin_is_host("null", "null"));
    assert_false(api_origin_is_host("localhost:1", "localhost:1"));
}

static void only_this_machine_reaches_a_loopback_address(void **state)
{
    static const char *const own[] = {"127.0.0.1:26680", "127.1.2.3:1",
                                      "[::1]:0", "localhost:1"};
    static const char *const open[] = {"0.0.0.0:1", "[::]:1", "10.0.0.1:1"};
    struct sockaddr_storage out;
    (void)state;
    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
        assert_int_equal(net_address_listen(&out, own[i]), POT_OK);
        assert_true(api_address_is_loopback(&out));
    }
    for (size_t i = 0; i < sizeof(open) / sizeof(*open); i++) {
        assert_int_equal(net_address_listen(&out, open[i]), POT_OK);
        assert_false(api_address_is_loopback(&out));
    }
}

static void what_is_listened_on_is_no_name(void **state)
{
    static const char *const bad[] = {
        "",      "127.0.0.1", ":1",         "127.0.0.1:65536",
        "::1:1", "a.b.c.d:1", "127.0.0.1:", "host.example:1"};
    struct sockaddr_storage out;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(net_address_listen(&out, bad[i]), POT_EFORMAT);
    }
}

static void a_path_to_a_file_never_leads_up(void **state)
{
    (void)state;
    assert_true(api_path_is_safe("index.html"));
    assert_true(api_path_is_safe("assets/app.js"));
    static const char *const bad[] = {
        "",        "/etc/passwd", "../a",     "a/../b", "a/..", "a//b",
        ".hidden", "a/.git/b",    "a\\..\\b", "a/",     "./a"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_false(api_path_is_safe(bad[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_split_and_its_path_decoded),
        cmocka_unit_test(a_malformed_url_is_refused),
        cmocka_unit_test(a_long_url_is_refused),
        cmocka_unit_test(a_path_is_matched_part_by_part),
        cmocka_unit_test(a_part_that_is_too_long_does_not_match),
        cmocka_unit_test(a_query_gives_its_values),
        cmocka_unit_test(numbers_are_decimal_and_fit),
        cmocka_unit_test(only_names_of_this_machine_are_local),
        cmocka_unit_test(an_origin_is_that_of_the_host_alone),
        cmocka_unit_test(only_this_machine_reaches_a_loopback_address),
        cmocka_unit_test(what_is_listened_on_is_no_name),
        cmocka_unit_test(a_path_to_a_file_never_leads_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
