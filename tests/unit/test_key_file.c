/* Key files, in plain and under a passphrase. */
#include "config.h"

#include "base/key_file.h"

#include "base/file.h"
#include "base/key_box.h"
#include "base/passphrase.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

static const struct key_box_cost cheap = {1, KEY_BOX_MEMORY_KIB_MIN};

struct folder {
    char *path;
    char *key;
    char *passphrase;
};

static int make_folder(void **state)
{
    struct folder *f = malloc(sizeof(*f));
    f->path = scratch_folder();
    f->key = file_join(f->path, "key");
    f->passphrase = file_join(f->path, "passphrase");
    *state = f;
    return 0;
}

static int remove_folder(void **state)
{
    struct folder *f = *state;
    scratch_remove(f->path);
    free(f->key);
    free(f->passphrase);
    free(f);
    return 0;
}

static void write_text(const char *path, const char *text)
{
    assert_int_equal(file_replace(path, 0600, text, strlen(text)), POT_OK);
}

static struct passphrase *say(const char *text)
{
    return passphrase_make(text, strlen(text));
}

/* A file that costs next to nothing to open. */
static void write_box(const char *path, const struct key *key, const char *word)
{
    char text[KEY_BOX_TEXT_SIZE];
    struct key_box box;
    struct passphrase *passphrase = say(word);
    assert_int_equal(key_box_seal(&box, key, passphrase, &cheap), POT_OK);
    write_text(path, key_box_format(text, &box));
    passphrase_free(passphrase);
}

static void expect(enum pot_err wanted, const char *path,
                   const char *passphrase_file, const char *words)
{
    char why[KEY_FILE_WHY_SIZE] = "";
    struct key *key = NULL;
    assert_int_equal(key_file_load(&key, path, passphrase_file, why), wanted);
    assert_true((key != NULL) == (wanted == POT_OK));
    if (strstr(why, words) == NULL) {
        fail_msg("\"%s\" lacks \"%s\"", why, words);
    }
    key_free(key);
}

static void a_key_file_is_private_and_survives(void **state)
{
    const struct folder *f = *state;
    char remedy[256];
    char why[KEY_FILE_WHY_SIZE];
    struct stat info;
    struct key *again = NULL;
    struct key *key = key_generate();
    expect(POT_ENOENT, f->key, NULL, "potctl key new");
    assert_int_equal(key_file_create(key, f->key, NULL), POT_OK);
    assert_int_equal(key_file_create(key, f->key, NULL), POT_EEXIST);
    assert_int_equal(file_stat(f->key, &info), POT_OK);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(key_file_load(&again, f->key, NULL, why), POT_OK);
    assert_memory_equal(key_public(key), key_public(again), 32);
    key_free(again);
    (void)snprintf(remedy, sizeof(remedy), "chmod 600 '%s'", f->key);
    static const mode_t modes[] = {0640, 0604, 0620, 0601};
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        assert_int_equal(chmod(f->key, modes[i]), 0);
        expect(POT_EACCESS, f->key, NULL, remedy);
    }
    write_text(f->key, "no key, which all may read");
    assert_int_equal(chmod(f->key, 0644), 0);
    expect(POT_EFORMAT, f->key, NULL, "one line");
    assert_int_equal(chmod(f->key, 0600), 0);
    write_text(f->key, "potsec1nonsense");
    expect(POT_EFORMAT, f->key, NULL, "one line");
    key_free(key);
}

/* Made by argon2(1) and PyNaCl of the seed 0, 1, ... 31. */
static const char vector[] = KEY_BOX_PREFIX
    "020000004000000003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664"
    "125531b86465666768696a6b6c6d6e6f70717273c8c9cacbcccdcecfd0d1d2d3d4d5d6d7"
    "d8d9dadbdcdddedfe853e01f82aadc0172e6586fb1f1259d68f1f37d04c1550e2fb29302"
    "7159c6cac6872affa9ae35aa93c2129687d704fdc73e2b1c46255ab3fd18096e505d1e63"
    "605c2ef163bb9b6359c18bcf9db17d16";

static void others_make_the_same_box(void **state)
{
    (void)state;
    struct key_box box;
    struct key *key;
    uint8_t seed[KEY_SEED_SIZE];
    for (uint8_t i = 0; i < KEY_SEED_SIZE; i++) {
        seed[i] = i;
    }
    assert_int_equal(key_box_parse(&box, vector), POT_OK);
    struct passphrase *right = say("correct horse");
    struct passphrase *wrong = say("correct horses");
    assert_int_equal(key_box_open(&key, &box, wrong), POT_EPASSPHRASE);
    assert_null(key);
    assert_int_equal(key_box_open(&key, &box, right), POT_OK);
    assert_memory_equal(key_seed(key), seed, sizeof(seed));
    passphrase_free(right);
    passphrase_free(wrong);
    key_free(key);
}

static void any_change_of_a_box_is_damage(void **state)
{
    (void)state;
    char text[sizeof(vector)];
    struct key_box box;
    for (size_t i = 0; i < sizeof(vector) - 1; i++) {
        memcpy(text, vector, sizeof(text));
        text[i] = text[i] == '0' ? '1' : '0';
        enum pot_err err = key_box_parse(&box, text);
        assert_int_equal(err, i < strlen(KEY_BOX_PREFIX) ? POT_EFORMAT
                                                         : POT_ECORRUPT);
        memcpy(text, vector, sizeof(text));
        text[i] = '\0';
        assert_int_not_equal(key_box_parse(&box, text), POT_OK);
    }
}

/* Whoever changes a file can make its checksum right again. */
static void the_seal_holds_for_all_that_is_open(void **state)
{
    (void)state;
    char text[KEY_BOX_TEXT_SIZE];
    struct key_box box;
    struct key_box changed;
    struct key *key;
    struct passphrase *passphrase = say("correct horse");
    assert_int_equal(key_box_parse(&box, vector), POT_OK);
    for (size_t i = 0; i < sizeof(box); i++) {
        changed = box;
        ((uint8_t *)&changed)[i] ^= 1;
        if (key_box_parse(&changed, key_box_format(text, &changed)) == POT_OK) {
            assert_int_equal(key_box_open(&key, &changed, passphrase),
                             POT_EPASSPHRASE);
        }
    }
    passphrase_free(passphrase);
}

static void the_cost_is_bounded(void **state)
{
    (void)state;
    static const struct key_box_cost beyond[] = {
        {0, 64},
        {KEY_BOX_PASSES_MAX + 1, 64},
        {UINT32_MAX, 64},
        {1, KEY_BOX_MEMORY_KIB_MIN - 1},
        {1, KEY_BOX_MEMORY_KIB_MAX + 1},
        {1, UINT32_MAX},
    };
    char text[KEY_BOX_TEXT_SIZE];
    struct key_box box;
    struct key_box again;
    assert_int_equal(key_box_parse(&box, vector), POT_OK);
    for (size_t i = 0; i < sizeof(beyond) / sizeof(*beyond); i++) {
        box.cost = beyond[i];
        assert_int_equal(key_box_parse(&again, key_box_format(text, &box)),
                         POT_ERANGE);
    }
}

static void a_passphrase_opens_its_file_alone(void **state)
{
    const struct folder *f = *state;
    struct key *key = key_generate();
    struct key *again;
    struct public_key public_key;
    char why[KEY_FILE_WHY_SIZE];
    bool is_encrypted = false;
    write_box(f->key, key, "a good one");
    assert_int_equal(key_file_peek(&public_key, &is_encrypted, f->key, why),
                     POT_OK);
    assert_true(is_encrypted);
    assert_memory_equal(&public_key, key_public(key), sizeof(public_key));
    expect(POT_ENOENT, f->key, f->passphrase, "its passphrase file ");
    write_text(f->passphrase, "a good two\n");
    expect(POT_EPASSPHRASE, f->key, f->passphrase, "wrong passphrase");
    expect(POT_EPASSPHRASE, f->key, f->passphrase, f->passphrase);
    write_text(f->passphrase, "\nsecond line\n");
    expect(POT_EFORMAT, f->key, f->passphrase, "must hold the passphrase");
    write_text(f->passphrase, "a good one\r\nand more\n");
    assert_int_equal(key_file_load(&again, f->key, f->passphrase, why), POT_OK);
    assert_memory_equal(key_seed(again), key_seed(key), KEY_SEED_SIZE);
    assert_int_equal(chmod(f->passphrase, 0644), 0);
    expect(POT_EACCESS, f->key, f->passphrase, "chmod 600");
    key_free(again);
    key_free(key);
}

static void a_file_can_change_its_form(void **state)
{
    const struct folder *f = *state;
    char why[KEY_FILE_WHY_SIZE];
    char text[KEY_BOX_TEXT_SIZE + 2];
    size_t size;
    struct stat info;
    struct key *key = key_generate();
    struct key *again;
    struct passphrase *passphrase = say("of some length");
    char *left = file_join(f->path, "key.new");
    write_text(f->passphrase, "of some length");
    assert_int_equal(key_file_create(key, f->key, NULL), POT_OK);
    /* What a crash left behind must not hand its mode on. */
    write_text(left, "old");
    assert_int_equal(chmod(left, 0666), 0);
    assert_int_equal(key_file_replace(key, f->key, passphrase), POT_OK);
    assert_int_equal(file_stat(f->key, &info), POT_OK);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(file_stat(left, &info), POT_ENOENT);
    assert_int_equal(file_read_into(f->key, text, sizeof(text), &size), POT_OK);
    assert_memory_equal(text, KEY_BOX_PREFIX "0300000000000400", 24);
    assert_int_equal(key_file_load(&again, f->key, f->passphrase, why), POT_OK);
    assert_int_equal(key_file_replace(again, f->key, NULL), POT_OK);
    key_free(again);
    assert_int_equal(key_file_load(&again, f->key, NULL, why), POT_OK);
    assert_memory_equal(key_seed(again), key_seed(key), KEY_SEED_SIZE);
    passphrase_free(passphrase);
    key_free(again);
    key_free(key);
    free(left);
}

static void a_pipe_brings_a_line_a_key(void **state)
{
    (void)state;
    static const char lines[] = "first one\nsecond one\n";
    char name[32];
    int ends[2];
    struct passphrase *first;
    struct passphrase *second;
    size_t size;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], lines, sizeof(lines) - 1),
                     sizeof(lines) - 1);
    (void)close(ends[1]);
    (void)snprintf(name, sizeof(name), "/dev/fd/%d", ends[0]);
    assert_int_equal(passphrase_read(&first, name), POT_OK);
    assert_int_equal(passphrase_read(&second, name), POT_OK);
    assert_memory_equal(passphrase_text(first, &size), "first one", 9);
    assert_int_equal(size, 9);
    assert_memory_equal(passphrase_text(second, &size), "second one", 10);
    assert_false(passphrase_equal(first, second));
    passphrase_free(first);
    assert_int_equal(passphrase_read(&first, name), POT_EFORMAT);
    passphrase_free(second);
    (void)close(ends[0]);
}

#define WITH_FOLDER(test)                                                      \
    cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_key_file_is_private_and_survives),
        cmocka_unit_test(others_make_the_same_box),
        cmocka_unit_test(any_change_of_a_box_is_damage),
        cmocka_unit_test(the_seal_holds_for_all_that_is_open),
        cmocka_unit_test(the_cost_is_bounded),
        WITH_FOLDER(a_passphrase_opens_its_file_alone),
        WITH_FOLDER(a_file_can_change_its_form),
        cmocka_unit_test(a_pipe_brings_a_line_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
