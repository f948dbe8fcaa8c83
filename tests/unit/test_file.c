#include "config.h"

#include "base/file.h"

#include "tests/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Never replaced by a file: a link stays one, and a pipe gets the bytes. */
static void what_is_no_file_is_written_to(void **state)
{
    (void)state;
    struct stat info;
    char got[4] = "";
    char *link = file_join(folder, "link");
    char *pipe = file_join(folder, "pipe");
    assert_int_equal(file_save(path, 0600, "older", 5), POT_OK);
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(file_save(link, 0600, "new", 3), POT_OK);
    expect("new");
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(unlink(link), 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    int fd = open(pipe, O_RDWR); /* so that nobody waits for the other end */
    assert_true(fd >= 0);
    assert_int_equal(file_save(pipe, 0600, "out", 3), POT_OK);
    assert_int_equal(read(fd, got, 3), 3);
    assert_string_equal(got, "out");
    assert_int_equal(lstat(pipe, &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(pipe), 0);
    expect_nothing_beside();
    free(link);
    free(pipe);
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
        CASE(what_is_no_file_is_written_to),
        CASE(a_missing_folder_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
