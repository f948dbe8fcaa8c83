#include "config.h"

#include "storage/sign_state.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "storage/slot_file.h"
#include "tests/unit/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct public_key key = {{1, 2, 3}};
static const struct hash chain = {{4, 5, 6}};

struct fixture {
    char *folder;
    char *path;
};

static int set_up(void **state)
{
    struct fixture *f = pot_calloc(1, sizeof(*f));
    f->folder = scratch_folder();
    f->path = file_join(f->folder, "sign_state");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    scratch_remove(f->folder);
    free(f->path);
    free(f);
    return 0;
}

static struct sign_state *open_it(const struct fixture *f)
{
    struct sign_state *s;
    assert_int_equal(sign_state_open(&s, f->path, &key, &chain), POT_OK);
    return s;
}

static void assert_record(const struct sign_state *s, const char *text)
{
    size_t size;
    const void *data = sign_state_record(s, &size);
    assert_int_equal(size, strlen(text));
    if (size > 0) {
        assert_memory_equal(data, text, size);
    }
}

static void save(struct sign_state *s, const char *text)
{
    assert_int_equal(sign_state_save(s, text, strlen(text)), POT_OK);
    assert_record(s, text);
}

static void a_missing_file_is_told_from_an_empty_record(void **state)
{
    const struct fixture *f = *state;
    struct sign_state *s;
    assert_int_equal(sign_state_open(&s, f->path, &key, &chain), POT_ENOENT);
    assert_null(s);
    assert_int_equal(sign_state_create(f->path, &key, &chain), POT_OK);
    assert_int_equal(sign_state_create(f->path, &key, &chain), POT_EEXIST);
    s = open_it(f);
    assert_record(s, "");
    sign_state_close(s);
}

static void the_last_saved_record_comes_back(void **state)
{
    const struct fixture *f = *state;
    char text[32];
    assert_int_equal(sign_state_create(f->path, &key, &chain), POT_OK);
    for (int i = 0; i < 20; i++) {
        struct sign_state *s = open_it(f);
        (void)snprintf(text, sizeof(text), "record %d", i * 1000);
        save(s, text);
        sign_state_close(s);
        s = open_it(f);
        assert_record(s, text);
        sign_state_close(s);
    }
}

static void the_longest_record_fits(void **state)
{
    const struct fixture *f = *state;
    size_t size;
    uint8_t *data = pot_calloc(SIGN_STATE_RECORD_MAX, 1);
    data[SIGN_STATE_RECORD_MAX - 1] = 7;
    assert_int_equal(sign_state_create(f->path, &key, &chain), POT_OK);
    for (int i = 0; i < 3; i++) {
        data[0] = (uint8_t)i;
        struct sign_state *s = open_it(f);
        assert_int_equal(sign_state_save(s, data, SIGN_STATE_RECORD_MAX),
                         POT_OK);
        sign_state_close(s);
        s = open_it(f);
        const void *again = sign_state_record(s, &size);
        assert_int_equal(size, SIGN_STATE_RECORD_MAX);
        assert_memory_equal(again, data, size);
        sign_state_close(s);
    }
    free(data);
}

static void another_key_or_chain_is_refused(void **state)
{
    const struct fixture *f = *state;
    static const struct public_key other_key = {{9}};
    static const struct hash other_chain = {{9}};
    struct sign_state *s;
    assert_int_equal(sign_state_create(f->path, &key, &chain), POT_OK);
    assert_int_equal(sign_state_open(&s, f->path, &other_key, &chain),
                     POT_EGUARD);
    assert_int_equal(sign_state_open(&s, f->path, &key, &other_chain),
                     POT_EGUARD);
    s = open_it(f);
    save(s, "one");
    save(s, "two");
    sign_state_close(s);
    assert_int_equal(sign_state_open(&s, f->path, &key, &other_chain),
                     POT_EGUARD);
}

static void an_open_file_is_in_use(void **state)
{
    const struct fixture *f = *state;
    struct sign_state *other;
    assert_int_equal(sign_state_create(f->path, &key, &chain), POT_OK);
    struct sign_state *s = open_it(f);
    assert_int_equal(sign_state_open(&other, f->path, &key, &chain), POT_EBUSY);
    sign_state_close(s);
    sign_state_close(open_it(f));
}

/* The two slots of a file, as bytes. */
struct image {
    uint8_t slots[2][256];
    size_t sizes[2];
    size_t stride;
};

static void read_image(struct image *image, const struct fixture *f)
{
    size_t size = SLOT_HEADER_SIZE + SIGN_STATE_RECORD_MAX;
    image->stride = (size + 4095) / 4096 * 4096;
    int fd = open(f->path, O_RDONLY);
    for (size_t i = 0; i < 2; i++) {
        ssize_t n = pread(fd, image->slots[i], sizeof(image->slots[i]),
                          (off_t)(i * image->stride));
        assert_true(n >= 0);
        image->sizes[i] = (size_t)n;
    }
    (void)close(fd);
}

static void write_image(const struct image *image, const struct fixture *f)
{
    int fd = open(f->path, O_RDWR | O_TRUNC);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pwrite(fd, image->slots[i], image->sizes[i],
                                (off_t)(i * image->stride)),
                         image->sizes[i]);
    }
    (void)close(fd);
}

static void a_write_torn_at_any_byte_leaves_the_old_record(void **state)
{
    const struct fixture *f = *state;
    struct image before;
    struct image after;
    assert_int_equal(sign_state_create(f->path, &key, &chain), POT_OK);
    struct sign_state *s = open_it(f);
    for (int odd = 0; odd < 2; odd++) {
        save(s, "the votes of height 7");
        read_image(&before, f);
        save(s, "the votes of height 8, longer");
        read_image(&after, f);
        int slot = memcmp(before.slots[0], after.slots[0], 256) != 0 ? 0 : 1;
        size_t end = SLOT_HEADER_SIZE + 29;
        sign_state_close(s);
        for (size_t cut = 0; cut <= end; cut++) {
            struct image torn = before;
            memcpy(torn.slots[slot], after.slots[slot], cut);
            torn.sizes[slot] =
                before.sizes[slot] > cut ? before.sizes[slot] : cut;
            write_image(&torn, f);
            s = open_it(f);
            assert_record(s, cut == end ? "the votes of height 8, longer"
                                        : "the votes of height 7");
            save(s, "goes on");
            sign_state_close(s);
            s = open_it(f);
            assert_record(s, "goes on");
            sign_state_close(s);
        }
        s = open_it(f);
    }
    sign_state_close(s);
}

/* A tail that is missing needs no hand: the slot before it counts, and signing
 * goes on.  Only a file without any whole slot stops the node. */
static void b13_a_torn_tail_is_dropped_and_signing_goes_on(void **state)
{
    const struct fixture *f = *state;
    struct image whole;
    struct sign_state *s;
    assert_int_equal(sign_state_create(f->path, &key, &chain), POT_OK);
    s = open_it(f);
    save(s, "the votes of height 7");
    save(s, "the votes of height 8");
    assert_false(sign_state_is_torn(s));
    sign_state_close(s);
    read_image(&whole, f);
    size_t slot_end = SLOT_HEADER_SIZE + 21;
    for (size_t end = whole.stride + slot_end; end-- > 0;) {
        write_image(&whole, f);
        assert_int_equal(truncate(f->path, (off_t)end), 0);
        enum pot_err err = sign_state_open(&s, f->path, &key, &chain);
        if (end < slot_end) {
            assert_int_equal(err, POT_ECORRUPT);
            continue;
        }
        if (end > slot_end + 3 && end < whole.stride) {
            end = slot_end + 3; /* nothing stands between the slots */
        }
        assert_int_equal(err, POT_OK);
        assert_record(s, memcmp(whole.slots[0] + SLOT_HEADER_SIZE,
                                "the votes of height 8", 21) == 0
                             ? "the votes of height 8"
                             : "the votes of height 7");
        save(s, "goes on");
        sign_state_close(s);
        s = open_it(f);
        assert_record(s, "goes on");
        sign_state_close(s);
    }
}

static void a_flipped_bit_never_makes_another_record(void **state)
{
    const struct fixture *f = *state;
    struct image whole;
    assert_int_equal(sign_state_create(f->path, &key, &chain), POT_OK);
    struct sign_state *s = open_it(f);
    save(s, "first");
    save(s, "second");
    sign_state_close(s);
    read_image(&whole, f);
    for (size_t bit = 0; bit < 8 * (SLOT_HEADER_SIZE + 6); bit++) {
        struct image one = whole;
        one.slots[0][bit / 8] ^= (uint8_t)(1 << bit % 8);
        write_image(&one, f);
        s = open_it(f);
        assert_record(s, "first");
        assert_true(sign_state_is_torn(s));
        sign_state_close(s);
        one.slots[1][bit / 8] ^= (uint8_t)(1 << bit % 8);
        write_image(&one, f);
        enum pot_err err = sign_state_open(&s, f->path, &key, &chain);
        assert_int_equal(err, bit / 8 < SLOT_HEADER_SIZE + 5 ? POT_ECORRUPT
                                                             : POT_OK);
        sign_state_close(s);
    }
}

static void an_empty_file_is_damage(void **state)
{
    const struct fixture *f = *state;
    struct sign_state *s;
    assert_int_equal(file_create(f->path, 0600, "", 0), POT_OK);
    assert_int_equal(sign_state_open(&s, f->path, &key, &chain), POT_ECORRUPT);
}

/* Runs in a child, whose file size limit it is. */
static int save_on_a_full_disk(const struct fixture *f)
{
    static uint8_t large[100000];
    struct rlimit limit = {.rlim_cur = 50000, .rlim_max = RLIM_INFINITY};
    struct sign_state *s = open_it(f);
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)setrlimit(RLIMIT_FSIZE, &limit);
    if (sign_state_save(s, large, sizeof(large)) != POT_EFULL) {
        return 1;
    }
    limit.rlim_cur = RLIM_INFINITY;
    (void)setrlimit(RLIMIT_FSIZE, &limit);
    if (sign_state_save(s, "later", 5) != POT_OK) {
        return 2;
    }
    sign_state_close(s);
    return 0;
}

static void a_full_disk_leaves_the_old_record(void **state)
{
    const struct fixture *f = *state;
    int status;
    assert_int_equal(sign_state_create(f->path, &key, &chain), POT_OK);
    pid_t child = fork();
    if (child == 0) {
        _exit(save_on_a_full_disk(f));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    struct sign_state *s = open_it(f);
    assert_record(s, "later");
    sign_state_close(s);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_missing_file_is_told_from_an_empty_record),
        CASE(the_last_saved_record_comes_back),
        CASE(the_longest_record_fits),
        CASE(another_key_or_chain_is_refused),
        CASE(an_open_file_is_in_use),
        CASE(a_write_torn_at_any_byte_leaves_the_old_record),
        CASE(b13_a_torn_tail_is_dropped_and_signing_goes_on),
        CASE(a_flipped_bit_never_makes_another_record),
        CASE(an_empty_file_is_damage),
        CASE(a_full_disk_leaves_the_old_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
