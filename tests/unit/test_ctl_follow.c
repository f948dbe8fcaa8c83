/* A node that goes away while its task is followed. */
#include "config.h"

#include "ctl/client.h"
#include "ctl/follow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ctl/client.c's, of a node that answers a few times and then is gone, and
 * ctl/ctl.c's, without the time. */
enum exit_code __wrap_client_get(json_t **out, struct ctl *ctl,
                                 const char *format, ...);
enum exit_code __wrap_ctl_pause(struct ctl *ctl, uint64_t ms,
                                const char *waiting_for);

static unsigned left;   /* answers */
static unsigned pauses; /* so far */

enum exit_code __wrap_client_get(json_t **out, struct ctl *ctl,
                                 const char *format, ...)
{
    *out = NULL;
    if (left == 0) {
        return ctl_fail(ctl, EXIT_CODE_CONNECT, "cannot reach the node");
    }
    left--;
    *out = strstr(format, "rounds") != NULL
               ? json_pack("{s[]}", "rounds")
               : json_pack("{ss sI}", "status", "running", "rounds",
                           (json_int_t)10);
    return EXIT_CODE_DONE;
}

enum exit_code __wrap_ctl_pause(struct ctl *ctl, uint64_t ms,
                                const char *waiting_for)
{
    (void)ctl;
    (void)ms;
    (void)waiting_for;
    pauses++;
    return EXIT_CODE_DONE;
}

static enum exit_code follow(struct ctl *ctl, unsigned answers)
{
    json_t *task;
    left = answers;
    pauses = 0;
    enum exit_code rc = follow_task(&task, ctl, "ab12", stdout, FOLLOW_NONE);
    assert_null(task);
    return rc;
}

static void who_follows_waits_and_then_says_where_to_go_on(void **state)
{
    (void)state;
    struct ctl ctl = {0};
    assert_int_equal(follow(&ctl, 4), EXIT_CODE_CONNECT);
    assert_true(pauses > 10);
    assert_string_equal(ctl.error, "cannot reach the node: the task goes on,"
                                   " and `potctl watch ab12` follows it there");
}

static void who_never_reached_it_is_told_at_once(void **state)
{
    (void)state;
    struct ctl ctl = {0};
    assert_int_equal(follow(&ctl, 0), EXIT_CODE_CONNECT);
    assert_int_equal(pauses, 0);
    assert_string_equal(ctl.error, "cannot reach the node");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_follows_waits_and_then_says_where_to_go_on),
        cmocka_unit_test(who_never_reached_it_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
