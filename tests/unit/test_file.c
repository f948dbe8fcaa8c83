#include "config.h"

#include "base/file.h"

#include "tests/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *folder;
static char *path;

static int set_up(void **state)
{
    (void)state;
    folder = scratch_folder();
    path = file_join(folder, ".//./a");
    char *plain = file_join(folder, "a");
    assert_string_equal(path, plain);
    free(plain);
    plain = file_join(folder, ".");
    assert_string_equal(plain, folder);
    free(plain);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(folder); /* fails when there is more than files */
    free(path);
    return 0;
}

static void expect(const char *text)
{
    char *found;
    size_t size;
    assert_int_equal(file_read(&found, &size, path, 100), POT_OK);
    assert_string_equal(found, text);
    free(found);
}

static void expect_nothing_beside(void)
{
    struct stat info;
    char *beside = file_join(folder, "a.new");
    assert_int_equal(file_stat(beside, &info), POT_ENOENT);
    free(beside);
}

static void a_file_is_created_once(void **state)
{
    (void)state;
    assert_int_equal(file_create(path, 0600, "one", 3), POT_OK);
    assert_int_equal(file_create(path, 0600, "two", 3), POT_EEXIST);
    expect("one");
}

static void a_file_is_replaced_as_a_whole(void **state)
{
    struct file_replacement r;
    (void)state;
    assert_int_equal(file_replace(path, 0600, "old", 3), POT_OK);
    assert_int_equal(file_replace_begin(&r, path, 0600), POT_OK);
    assert_int_equal(file_write_all(r.fd, "ne", 2), POT_OK);
    expect("old");
    assert_int_equal(file_write_all(r.fd, "w", 1), POT_OK);
    assert_int_equal(file_replace_end(&r, POT_OK), POT_OK);
    expect("new");
    expect_nothing_beside();
}

static void what_fails_on_the_way_leaves_the_old_file(void **state)
{
    struct file_replacement r;
    (void)state;
    assert_int_equal(file_replace(path, 0600, "old", 3), POT_OK);
    assert_int_equal(file_replace_begin(&r, path, 0600), POT_OK);
    assert_int_equal(file_write_all(r.fd, "half", 4), POT_OK);
    assert_int_equal(file_replace_end(&r, POT_ENOENT), POT_ENOENT);
    expect("old");
    expect_nothing_beside();
}

static void a_missing_folder_is_told(void **state)
{
    struct file_replacement r;
    char *lost = file_join(folder, "no/such");
    (void)state;
    assert_int_equal(file_replace_begin(&r, lost, 0600), POT_ENOENT);
    assert_int_equal(file_create(lost, 0600, "", 0), POT_ENOENT);
    free(lost);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_file_is_created_once),
        CASE(a_file_is_replaced_as_a_whole),
        CASE(what_fails_on_the_way_leaves_the_old_file),
        CASE(a_missing_folder_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
