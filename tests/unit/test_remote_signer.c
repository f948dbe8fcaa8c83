/* A key that a real signer holds, in a process that is killed, stopped and
 * exchanged. */
#include "config.h"

#include "node/block/remote_signer.h"

#include "base/alloc.h"
#include "base/log.h"
#include "proto/vote.h"
#include "signer/sign_server.h"
#include "signer/signer.h"
#include "storage/sign_state.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct hash chain = {{7}};

struct fixture {
    char *folder;
    char *state;
    char *socket;
    struct key *key;
    pid_t child;
};

/* In a process of its own; returns once it listens. */
static void start(struct fixture *f, const struct key *key, const char *state)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    f->child = fork();
    if (f->child == 0) {
        struct signer *signer;
        struct sign_server *server;
        if (signer_open(&signer, key, state, &chain) != POT_OK ||
            sign_server_open(&server, f->socket) != POT_OK ||
            write(ready[1], "", 1) != 1) {
            _exit(1);
        }
        sign_server_run(server, signer);
        _exit(0);
    }
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
}

static void end(struct fixture *f)
{
    assert_int_equal(kill(f->child, SIGKILL), 0);
    assert_int_equal(waitpid(f->child, NULL, 0), f->child);
}

static int set_up(void **state)
{
    struct fixture *f = pot_calloc(1, sizeof(*f));
    assert_int_equal(log_open(LOG_ERROR, LOG_FORMAT_TEXT, "/dev/null"), POT_OK);
    f->folder = scratch_folder();
    f->state = file_join(f->folder, "signed");
    f->socket = file_join(f->folder, "socket");
    f->key = key_generate();
    assert_int_equal(sign_state_create(f->state, key_public(f->key), &chain),
                     POT_OK);
    start(f, f->key, f->state);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    end(f);
    (void)unlink(f->socket);
    key_free(f->key);
    scratch_remove(f->folder);
    free(f->state);
    free(f->socket);
    free(f);
    return 0;
}

static struct remote_signer *reach(const struct fixture *f)
{
    struct remote_signer *signer;
    assert_int_equal(remote_signer_open(&signer, f->socket, &chain), POT_OK);
    return signer;
}

static bool votes(const struct key *key, uint64_t height, uint8_t digest)
{
    struct signature signature;
    const struct vote vote = {
        POT__PHASE__PHASE_PREPARE, height, 0, {{digest}}, 0};
    bool is_signed = vote_sign(&signature, key, &chain, &vote);
    assert_int_equal(
        vote_verify_key(key_public(key), &chain, &vote, &signature), is_signed);
    return is_signed;
}

static bool is_up(const struct remote_signer *signer)
{
    struct remote_signer_stats stats;
    remote_signer_stats(signer, &stats);
    return stats.is_up;
}

static void it_signs_as_the_key_itself(void **state)
{
    struct fixture *f = *state;
    struct remote_signer *signer = reach(f);
    struct key *key = remote_signer_key(signer);
    struct key *copy = key_copy(key);
    struct signature here;
    struct signature there;
    assert_true(public_key_equal(key_public(copy), key_public(f->key)));
    assert_true(key_sign(&here, f->key, "peer-auth", &chain, "claim", 5));
    assert_true(key_sign(&there, copy, "peer-auth", &chain, "claim", 5));
    assert_memory_equal(&here, &there, sizeof(here));
    assert_true(votes(key, 5, 1));
    assert_false(votes(key, 5, 2));
    assert_true(is_up(signer)); /* a refusal is an answer */
    key_free(copy);
    key_free(key);
    remote_signer_close(signer);
}

static void of_two_nodes_one_gets_the_vote(void **state)
{
    struct fixture *f = *state;
    struct remote_signer *signers[] = {reach(f), reach(f)};
    struct key *keys[] = {remote_signer_key(signers[0]),
                          remote_signer_key(signers[1])};
    assert_true(votes(keys[0], 5, 1));
    assert_false(votes(keys[1], 5, 2));
    assert_true(votes(keys[1], 6, 2));
    assert_false(votes(keys[0], 6, 1));
    for (size_t i = 0; i < 2; i++) {
        key_free(keys[i]);
        remote_signer_close(signers[i]);
    }
}

static void one_that_was_killed_is_missed_and_found_again(void **state)
{
    struct fixture *f = *state;
    struct remote_signer *signer = reach(f);
    struct key *key = remote_signer_key(signer);
    assert_true(votes(key, 5, 1));
    end(f);
    remote_signer_tick(signer);
    assert_false(is_up(signer));
    assert_false(votes(key, 6, 1));
    start(f, f->key, f->state);
    remote_signer_tick(signer);
    assert_true(is_up(signer));
    assert_false(votes(key, 5, 2)); /* it remembers */
    assert_true(votes(key, 6, 1));
    end(f);
    assert_false(votes(key, 7, 1)); /* without a tick */
    start(f, f->key, f->state);
    assert_true(votes(key, 7, 1));
    key_free(key);
    remote_signer_close(signer);
}

static void one_that_hangs_is_given_up(void **state)
{
    struct fixture *f = *state;
    struct remote_signer *signer = reach(f);
    struct key *key = remote_signer_key(signer);
    struct remote_signer_stats before;
    struct remote_signer_stats after;
    assert_int_equal(kill(f->child, SIGSTOP), 0);
    assert_false(votes(key, 5, 1));
    assert_false(is_up(signer));
    remote_signer_stats(signer, &before);
    assert_false(votes(key, 5, 1)); /* and is not waited for at once again */
    remote_signer_stats(signer, &after);
    assert_int_equal(before.waited_us, after.waited_us);
    assert_int_equal(after.failed, 2);
    key_free(key);
    remote_signer_close(signer);
}

static void another_key_is_not_taken(void **state)
{
    struct fixture *f = *state;
    struct remote_signer *signer = reach(f);
    struct key *key = remote_signer_key(signer);
    struct key *other = key_generate();
    char *path = file_join(f->folder, "others");
    assert_int_equal(sign_state_create(path, key_public(other), &chain),
                     POT_OK);
    end(f);
    start(f, other, path);
    remote_signer_tick(signer);
    remote_signer_tick(signer);
    assert_false(is_up(signer));
    assert_false(votes(key, 5, 1));
    free(path);
    key_free(other);
    key_free(key);
    remote_signer_close(signer);
}

static void a_socket_is_private_and_of_its_chain(void **state)
{
    struct fixture *f = *state;
    struct remote_signer *signer;
    struct sign_server *server;
    const struct hash other = {{8}};
    struct stat info;
    assert_int_equal(remote_signer_open(&signer, f->socket, &other),
                     POT_EGUARD);
    assert_int_equal(remote_signer_open(&signer, f->state, &chain),
                     POT_ECONNECT);
    char *nothing = file_join(f->folder, "nothing");
    assert_int_equal(remote_signer_open(&signer, nothing, &chain), POT_ENOENT);
    free(nothing);
    assert_int_equal(stat(f->socket, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(sign_server_open(&server, f->socket), POT_EBUSY);
    assert_int_equal(sign_server_open(&server, f->state), POT_EEXIST);
    char *socket = file_join(f->folder, "second");
    assert_int_equal(chmod(f->folder, 0750), 0);
    assert_int_equal(sign_server_open(&server, socket), POT_EACCESS);
    free(socket);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_signs_as_the_key_itself),
        CASE(of_two_nodes_one_gets_the_vote),
        CASE(one_that_was_killed_is_missed_and_found_again),
        CASE(one_that_hangs_is_given_up),
        CASE(another_key_is_not_taken),
        CASE(a_socket_is_private_and_of_its_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
