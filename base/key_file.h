/* key_file: a key on disk, one line, readable by its owner alone: in plain,
 * the seed as bech32m with the prefix "potsec", or under a passphrase
 * (base/key_box.h). */
#ifndef POT_BASE_KEY_FILE_H
#define POT_BASE_KEY_FILE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/key.h"

#define KEY_FILE_WHY_SIZE 512

struct passphrase;

/* key_file_create: a new file of mode 0600, synced; in plain if passphrase is
 * NULL.  Errors: POT_EEXIST, POT_EIO...; POT_ELIMIT not enough memory to
 * encrypt it. */
POT_MUST_USE enum pot_err key_file_create(const struct key *key,
                                          const char *path,
                                          const struct passphrase *passphrase);

/* key_file_replace: the same in place of an old file, at once, for the same
 * owner. */
POT_MUST_USE enum pot_err key_file_replace(const struct key *key,
                                           const char *path,
                                           const struct passphrase *passphrase);

/* key_file_load: the key; key_free.  The passphrase of an encrypted one is read
 * from passphrase_file (base/passphrase.h), or asked for if that is NULL or
 * "".  why says on failure what is wrong and what to do, the file's name in
 * front.
 *
 * Errors: POT_ENOENT      no such file
 *         POT_EACCESS     others can read it, or we cannot
 *         POT_EFORMAT     not a key file
 *         POT_ECORRUPT    an encrypted key file that was damaged
 *         POT_ERANGE      one that asks for more memory than it may
 *         POT_ELOCKED     no passphrase is to be had
 *         POT_EPASSPHRASE it is the wrong one
 *         POT_ELIMIT, POT_EIO; *out is NULL then */
POT_MUST_USE enum pot_err key_file_load(struct key **out, const char *path,
                                        const char *passphrase_file,
                                        char why[static KEY_FILE_WHY_SIZE]);

/* key_file_peek: whose key it is, without a passphrase.  Errors: as
 * key_file_load but for what comes of passphrases. */
POT_MUST_USE enum pot_err key_file_peek(struct public_key *out,
                                        bool *is_encrypted, const char *path,
                                        char why[static KEY_FILE_WHY_SIZE]);

#endif
