#include "config.h"

#include "base/key_file.h"

#include "base/bech32.h"
#include "base/file.h"
#include "base/key_box.h"
#include "base/passphrase.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_PREFIX "potsec"
#define LINE_SIZE     (KEY_BOX_TEXT_SIZE + 2)

/* What a file holds: a box, or the key itself. */
struct content {
    struct key *key; /* NULL: in the box */
    struct key_box box;
};

/* ---- what went wrong, for people */

static const struct {
    enum pot_err err;
    const char *advice;
} remedies[] = {
    {POT_ENOENT, "make one with `potctl key new FILE`"},
    {POT_EFORMAT, "it must hold one line, potsec1... or potkey1:..."},
    {POT_ECORRUPT, "take a copy of it from elsewhere"},
    {POT_ERANGE, "it asks for more memory or time than a key file may"},
    {POT_ELIMIT, "256 MiB must be free to open it"},
    {POT_EPASSPHRASE, "nothing but the passphrase opens it"},
};

/* Why the file at path is not taken, which name names. */
static void explain_access(char why[static KEY_FILE_WHY_SIZE], const char *name,
                           const char *path)
{
    struct stat info;
    const char *text = err_text(POT_EACCESS);
    if (stat(path, &info) != 0) {
        (void)snprintf(why, KEY_FILE_WHY_SIZE,
                       "%s: %s: a folder on its way is closed to you", name,
                       text);
    } else if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        (void)snprintf(why, KEY_FILE_WHY_SIZE,
                       "%s: %s: others can read it: chmod 600 '%s'", name, text,
                       path);
    } else if (info.st_uid == geteuid()) {
        (void)snprintf(why, KEY_FILE_WHY_SIZE,
                       "%s: %s: you cannot read it: chmod 600 '%s'", name, text,
                       path);
    } else {
        (void)snprintf(why, KEY_FILE_WHY_SIZE,
                       "%s: %s: it is another user's, who alone can read it",
                       name, text);
    }
}

static enum pot_err fail(char why[static KEY_FILE_WHY_SIZE], enum pot_err err,
                         const char *path)
{
    struct public_key address;
    const char *advice = "check the file and the disk";
    for (size_t i = 0; i < sizeof(remedies) / sizeof(*remedies); i++) {
        if (remedies[i].err == err) {
            advice = remedies[i].advice;
        }
    }
    if (err == POT_ENOENT && address_parse(&address, path) == POT_OK) {
        advice = "that is an address: name the file that has its key";
    }
    if (err == POT_EACCESS) {
        explain_access(why, path, path);
    } else {
        (void)snprintf(why, KEY_FILE_WHY_SIZE, "%s: %s: %s", path,
                       file_err_text(err, path), advice);
    }
    return err;
}

/* ---- reading */

/* The line without its end; *is_open: others may do something with it. */
static enum pot_err read_line(char line[static LINE_SIZE], bool *is_open,
                              const char *path)
{
    struct stat info;
    size_t size = 0;
    enum pot_err err = file_stat(path, &info);
    if (err != POT_OK) {
        return err;
    }
    if (!S_ISREG(info.st_mode)) {
        return POT_EFORMAT;
    }
    *is_open = (info.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    err = file_read_into(path, line, LINE_SIZE - 1, &size);
    if (err != POT_OK) {
        return err == POT_ELIMIT ? POT_EFORMAT : err;
    }
    while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r')) {
        size--;
    }
    line[size] = '\0';
    return strlen(line) == size ? POT_OK : POT_EFORMAT;
}

static enum pot_err parse_plain(struct key **out, const char *line)
{
    uint8_t seed[KEY_SEED_SIZE];
    enum pot_err err = bech32_parse(seed, SECRET_PREFIX, line);
    if (err == POT_OK) {
        *out = key_from_seed(seed);
    }
    sodium_memzero(seed, sizeof(seed));
    return err;
}

static enum pot_err read_content(struct content *out, const char *path)
{
    char line[LINE_SIZE];
    bool is_open = false;
    out->key = NULL;
    enum pot_err err = read_line(line, &is_open, path);
    if (err == POT_OK) {
        size_t prefix = strlen(KEY_BOX_PREFIX);
        err = strncmp(line, KEY_BOX_PREFIX, prefix) == 0
                  ? key_box_parse(&out->box, line)
                  : parse_plain(&out->key, line);
    }
    sodium_memzero(line, sizeof(line));
    if (err == POT_OK &&
        is_open) { /* what is no key is not told to be hidden */
        key_free(out->key);
        err = POT_EACCESS;
    }
    return err;
}

static bool is_named(const char *passphrase_file)
{
    return passphrase_file != NULL && passphrase_file[0] != '\0';
}

/* Of the file with the passphrase of the key file at path. */
static void fail_passphrase(char why[static KEY_FILE_WHY_SIZE],
                            enum pot_err err, const char *path,
                            const char *passphrase_file)
{
    char name[KEY_FILE_WHY_SIZE];
    (void)snprintf(name, sizeof(name), "%.180s: its passphrase file %.180s",
                   path, passphrase_file);
    if (err == POT_EACCESS) {
        explain_access(why, name, passphrase_file);
    } else {
        (void)snprintf(why, KEY_FILE_WHY_SIZE,
                       "%.380s: %s: it must hold the passphrase in a line of at"
                       " most %d bytes",
                       name, err_text(err), PASSPHRASE_MAX);
    }
}

static enum pot_err obtain(struct passphrase **out, const char *path,
                           const char *passphrase_file,
                           char why[static KEY_FILE_WHY_SIZE])
{
    if (is_named(passphrase_file)) {
        enum pot_err err = passphrase_read(out, passphrase_file);
        if (err != POT_OK) {
            fail_passphrase(why, err, path, passphrase_file);
        }
        return err;
    }
    char prompt[KEY_FILE_WHY_SIZE];
    (void)snprintf(prompt, sizeof(prompt), "passphrase of %s: ", path);
    enum pot_err err = passphrase_ask(out, prompt);
    if (err != POT_OK) {
        (void)snprintf(why, KEY_FILE_WHY_SIZE,
                       "%s: %s: it is encrypted; type the passphrase at a "
                       "terminal, or name a file with it",
                       path, err_text(err));
    }
    return err;
}

enum pot_err key_file_load(struct key **out, const char *path,
                           const char *passphrase_file,
                           char why[static KEY_FILE_WHY_SIZE])
{
    struct content content;
    struct passphrase *passphrase;
    *out = NULL;
    enum pot_err err = read_content(&content, path);
    if (err != POT_OK) {
        return fail(why, err, path);
    }
    if (content.key != NULL) {
        *out = content.key;
        return POT_OK;
    }
    err = obtain(&passphrase, path, passphrase_file, why);
    if (err != POT_OK) {
        return err;
    }
    err = key_box_open(out, &content.box, passphrase);
    passphrase_free(passphrase);
    if (err == POT_EPASSPHRASE && is_named(passphrase_file)) {
        (void)snprintf(why, KEY_FILE_WHY_SIZE,
                       "%.180s: %s: that of the file %.180s does not open it",
                       path, err_text(err), passphrase_file);
        return err;
    }
    return err == POT_OK ? POT_OK : fail(why, err, path);
}

enum pot_err key_file_peek(struct public_key *out, bool *is_encrypted,
                           const char *path, char why[static KEY_FILE_WHY_SIZE])
{
    struct content content;
    enum pot_err err = read_content(&content, path);
    if (err != POT_OK) {
        return fail(why, err, path);
    }
    *is_encrypted = content.key == NULL;
    *out = *is_encrypted ? content.box.public_key : *key_public(content.key);
    key_free(content.key);
    return POT_OK;
}

/* ---- writing */

/* The line with its end, for the caller to wipe. */
static enum pot_err make_line(char line[static LINE_SIZE],
                              const struct key *key,
                              const struct passphrase *passphrase)
{
    if (passphrase == NULL) {
        char text[BECH32_TEXT_SIZE];
        bech32_format(text, SECRET_PREFIX, key_seed(key));
        (void)snprintf(line, LINE_SIZE, "%s\n", text);
        sodium_memzero(text, sizeof(text));
        return POT_OK;
    }
    struct key_box box;
    char text[KEY_BOX_TEXT_SIZE];
    enum pot_err err = key_box_seal(&box, key, passphrase, &key_box_cost_usual);
    if (err == POT_OK) {
        (void)snprintf(line, LINE_SIZE, "%s\n", key_box_format(text, &box));
    }
    return err;
}

enum pot_err key_file_create(const struct key *key, const char *path,
                             const struct passphrase *passphrase)
{
    char line[LINE_SIZE];
    enum pot_err err = make_line(line, key, passphrase);
    if (err == POT_OK) {
        err = file_create(path, 0600, line, strlen(line));
    }
    sodium_memzero(line, sizeof(line));
    return err;
}

/* Before the secret is in it: an old file of this name may have had another
 * mode, and root must not take the file away from its owner. */
static enum pot_err keep_private(int fd, const struct stat *old)
{
    bool is_kept = fchown(fd, old->st_uid, old->st_gid) == 0 &&
                   fchmod(fd, S_IRUSR | S_IWUSR) == 0;
    return is_kept ? POT_OK : err_from_errno(errno);
}

enum pot_err key_file_replace(const struct key *key, const char *path,
                              const struct passphrase *passphrase)
{
    char line[LINE_SIZE];
    struct stat old;
    struct file_replacement replacement;
    enum pot_err err = file_stat(path, &old);
    if (err == POT_OK) {
        err = make_line(line, key, passphrase);
    }
    if (err == POT_OK) {
        err = file_replace_begin(&replacement, path, S_IRUSR | S_IWUSR);
        if (err == POT_OK) {
            err = keep_private(replacement.fd, &old);
            if (err == POT_OK) {
                err = file_write_all(replacement.fd, line, strlen(line));
            }
            err = file_replace_end(&replacement, err);
        }
    }
    sodium_memzero(line, sizeof(line));
    return err;
}
