/* Challenges by pages: a node that has more of them than an answer holds. */
#include "config.h"

#include "ctl/challenges.h"

#include "ctl/client.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT 2345
#define PAGE  1000

/* ctl/client.c's, of a node that has COUNT of them; tests/e2e/test_challenge.sh
 * asks a real one, which has a few. */
enum exit_code __wrap_client_get(json_t **out, struct ctl *ctl,
                                 const char *format, ...);

static unsigned requests;
static unsigned failing; /* that request; 0: none */
static bool is_stuck;    /* the next page is always the same one */
static char last_path[256];

static json_t *page(uint64_t from)
{
    uint64_t left = from < COUNT ? from + 1 : COUNT;
    json_t *list = json_array();
    for (size_t i = 0; i < PAGE && left > 0; i++, left--) {
        (void)json_array_append_new(
            list, json_pack("{sI}", "number", (json_int_t)(left - 1)));
    }
    json_t *next = left > 0 ? json_integer((json_int_t)left - 1) : json_null();
    if (is_stuck) {
        (void)json_integer_set(next, (json_int_t)from);
    }
    return json_pack("{so so}", "challenges", list, "next", next);
}

enum exit_code __wrap_client_get(json_t **out, struct ctl *ctl,
                                 const char *format, ...)
{
    uint64_t from;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(last_path, sizeof(last_path), format, args);
    va_end(args);
    *out = NULL;
    if (++requests == failing) {
        return ctl_fail(ctl, EXIT_CODE_CONNECT, "gone");
    }
    int found =
        sscanf(last_path, "/v1/challenges?limit=1000&from=%" SCNu64, &from);
    assert_int_equal(found, 1);
    *out = page(from);
    return EXIT_CODE_DONE;
}

static void all_pages_are_read_once(void **state)
{
    (void)state;
    struct ctl ctl = {0};
    json_t *list;
    requests = 0;
    assert_int_equal(challenges_get(&list, &ctl, NULL), EXIT_CODE_DONE);
    assert_int_equal(requests, 3);
    assert_int_equal(json_array_size(list), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(client_count(json_array_get(list, i), "number"),
                         COUNT - 1 - i);
    }
    assert_null(strstr(last_path, "task="));
    json_decref(list);
}

static void a_task_is_asked_for_by_its_id(void **state)
{
    (void)state;
    struct ctl ctl = {0};
    json_t *list;
    assert_int_equal(challenges_get(&list, &ctl, "ab12"), EXIT_CODE_DONE);
    assert_non_null(strstr(last_path, "&task=ab12"));
    json_decref(list);
}

static void a_node_that_goes_away_is_told(void **state)
{
    (void)state;
    struct ctl ctl = {0};
    json_t *list;
    requests = 0;
    failing = 2;
    assert_int_equal(challenges_get(&list, &ctl, NULL), EXIT_CODE_CONNECT);
    assert_null(list);
    failing = 0;
}

static void a_node_that_goes_in_circles_is_left(void **state)
{
    (void)state;
    struct ctl ctl = {0};
    json_t *list;
    requests = 0;
    is_stuck = true;
    assert_int_equal(challenges_get(&list, &ctl, NULL), EXIT_CODE_DONE);
    assert_int_equal(requests, 1);
    is_stuck = false;
    json_decref(list);
}

static void a_status_says_what_came_of_the_deposit(void **state)
{
    (void)state;
    static const char *const back[] = {"upheld", "planted", "expired"};
    for (size_t i = 0; i < sizeof(back) / sizeof(*back); i++) {
        assert_non_null(
            strstr(challenges_meaning(back[i]), "the deposit is back"));
    }
    assert_non_null(
        strstr(challenges_meaning("rejected"), "the deposit is lost"));
    assert_non_null(strstr(challenges_meaning("expired"), "in time"));
    assert_string_equal(challenges_meaning("other"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_pages_are_read_once),
        cmocka_unit_test(a_task_is_asked_for_by_its_id),
        cmocka_unit_test(a_node_that_goes_away_is_told),
        cmocka_unit_test(a_node_that_goes_in_circles_is_left),
        cmocka_unit_test(a_status_says_what_came_of_the_deposit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
