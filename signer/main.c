/* pot-signer: holds a validator's key and signs for its potd. */
#include "config.h"

#include "base/exit_code.h"
#include "base/key_file.h"
#include "base/log.h"
#include "base/option.h"
#include "base/process_private.h"
#include "proto/genesis.h"
#include "signer/sign_server.h"
#include "signer/signer.h"
#include "storage/sign_state.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>

static const char usage_text[] =
    "Usage: pot-signer --key FILE --chain ID --state FILE --socket PATH\n"
    "                  [--passphrase-file FILE] [--new]\n"
    "Holds a validator's key and signs for its potd (validator.signer), but\n"
    "never two things for one height, view and phase.\n"
    "\n"
    "  -k, --key FILE       the validator's key\n"
    "  -c, --chain ID       the chain_id of genesis.json\n"
    "  -s, --state FILE     what was signed; without it nothing is signed\n"
    "  -l, --socket PATH    where potd asks, in a folder of mode 0700\n"
    "  -p, --passphrase-file FILE\n"
    "                       of an encrypted key; without it it is asked for\n"
    "      --new            make the state: this signer never signed yet\n"
    "  -h, --help           this text\n"
    "  -V, --version        version\n"
    "\n"
    "Example: pot-signer --key validator.key --chain pot-1 --state signed\n"
    "             --socket /run/pot-signer/socket --new\n";

struct job {
    const char *key;
    const char *chain;
    const char *state;
    const char *socket;
    const char *passphrase_file;
    bool is_new;
};

static enum exit_code fail(enum exit_code code, const char *what,
                           enum pot_err err, const char *remedy)
{
    fprintf(stderr, "pot-signer: %s: %s: %s\n", what, err_text(err), remedy);
    return code;
}

static enum exit_code state_error(const char *path, enum pot_err err)
{
    static const struct {
        enum pot_err err;
        enum exit_code code;
        const char *remedy;
    } known[] = {
        {POT_ENOENT, EXIT_CODE_GUARD,
         "if no signer ever signed with this key, start with --new"},
        {POT_EEXIST, EXIT_CODE_GUARD,
         "start without --new: it says what was signed"},
        {POT_EGUARD, EXIT_CODE_GUARD, "it is another key's or another chain's"},
        {POT_EBUSY, EXIT_CODE_LOCKED, "another pot-signer is running"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (known[i].err == err) {
            return fail(known[i].code, path, err, known[i].remedy);
        }
    }
    return fail(EXIT_CODE_STORE, path, err, "check the file and the disk");
}

/* The last thing to go wrong: a state that is new was made for good. */
static enum exit_code answer(const struct job *job, const struct key *key,
                             struct sign_server *server)
{
    char address[ADDRESS_TEXT_SIZE];
    struct hash chain;
    struct signer *signer = NULL;
    chain_id_hash(&chain, job->chain);
    enum pot_err err =
        job->is_new ? sign_state_create(job->state, key_public(key), &chain)
                    : POT_OK;
    err = err == POT_OK ? signer_open(&signer, key, job->state, &chain) : err;
    if (err != POT_OK) {
        return state_error(job->state, err);
    }
    LOG(LOG_INFO, "signer", "ready",
        log_text("address", address_format(key_public(key), address)),
        log_text("socket", job->socket));
    sign_server_run(server, signer);
    signer_close(signer);
    return EXIT_CODE_DONE;
}

static enum exit_code serve(const struct job *job, const struct key *key)
{
    struct sign_server *server;
    enum pot_err err = sign_server_open(&server, job->socket);
    if (err != POT_OK) {
        return fail(err == POT_EBUSY ? EXIT_CODE_LOCKED : EXIT_CODE_CONFIG,
                    job->socket, err,
                    err == POT_EACCESS || err == POT_ENOENT
                        ? "its folder must be there, yours, and of mode 0700"
                        : "choose another socket");
    }
    enum exit_code code = answer(job, key, server);
    sign_server_close(server);
    return code;
}

static enum exit_code run(const struct job *job)
{
    char why[KEY_FILE_WHY_SIZE];
    struct key *key;
    if (key_file_load(&key, job->key, job->passphrase_file, why) != POT_OK) {
        fprintf(stderr, "pot-signer: %s\n", why);
        return EXIT_CODE_CONFIG;
    }
    enum exit_code code = serve(job, key);
    key_free(key);
    return code;
}

/* False: it was told. */
static bool is_whole(const struct job *job, bool has_more)
{
    const char *missing = job->key == NULL      ? "--key FILE"
                          : job->chain == NULL  ? "--chain ID"
                          : job->state == NULL  ? "--state FILE"
                          : job->socket == NULL ? "--socket PATH"
                                                : NULL;
    if (missing != NULL) {
        fprintf(stderr, "pot-signer: %s is missing\n", missing);
    } else if (has_more) {
        fprintf(stderr, "pot-signer: there are too many arguments\n");
    }
    return missing == NULL && !has_more;
}

/* False: no such option. */
static bool take(struct job *job, int option, const char *value)
{
    switch (option) {
    case 'k':
        job->key = value;
        return true;
    case 'c':
        job->chain = value;
        return true;
    case 's':
        job->state = value;
        return true;
    case 'l':
        job->socket = value;
        return true;
    case 'p':
        job->passphrase_file = value;
        return true;
    case 'n':
        job->is_new = true;
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"key", required_argument, NULL, 'k'},
        {"chain", required_argument, NULL, 'c'},
        {"state", required_argument, NULL, 's'},
        {"socket", required_argument, NULL, 'l'},
        {"passphrase-file", required_argument, NULL, 'p'},
        {"new", no_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    struct job job = {0};
    (void)signal(SIGXFSZ, SIG_IGN); /* the write fails, as on a full disk */
    process_private();
    if (sodium_init() < 0) {
        fprintf(stderr, "pot-signer: libsodium does not start\n");
        return EXIT_CODE_FAILED;
    }
    for (int c;
         (c = option_next(argc, argv, "k:c:s:l:p:hV", options, NULL)) != -1;) {
        if (c == 'h') {
            printf("%s", usage_text);
            return EXIT_CODE_DONE;
        }
        if (c == 'V') {
            printf("pot-signer %s\n", PACKAGE_VERSION);
            return EXIT_CODE_DONE;
        }
        if (!take(&job, c, optarg)) {
            fprintf(stderr, "Try `pot-signer --help`.\n");
            return EXIT_CODE_USAGE;
        }
    }
    if (!is_whole(&job, optind < argc)) {
        fprintf(stderr, "Try `pot-signer --help`.\n");
        return EXIT_CODE_USAGE;
    }
    return (int)run(&job);
}
