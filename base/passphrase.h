/* passphrase: what opens an encrypted key file, in locked memory. */
#ifndef POT_BASE_PASSPHRASE_H
#define POT_BASE_PASSPHRASE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define PASSPHRASE_MAX 1024 /* bytes */

struct passphrase; /* opaque: base/passphrase.c */

/* passphrase_make: of size bytes, which the caller wipes. */
struct passphrase *passphrase_make(const char *text, size_t size);

/* passphrase_free: wipes and frees; NULL is fine. */
void passphrase_free(struct passphrase *passphrase);

/* passphrase_read: a line of a file, the first one, or of standard input, "-",
 * the next one.  A plain file must be its owner's alone; a pipe may be named
 * too, as /dev/fd/N.
 *
 * Errors: POT_ENOENT, POT_EACCESS others can read it, or we cannot;
 *         POT_EFORMAT the line is empty; POT_ELIMIT too long; POT_EIO.
 *         *out is NULL then. */
POT_MUST_USE enum pot_err passphrase_read(struct passphrase **out,
                                          const char *path);

/* passphrase_ask: asks at the terminal, which does not show what is typed.
 *
 * Errors: POT_ELOCKED standard input is no terminal; POT_ECANCELLED;
 *         POT_EFORMAT, POT_ELIMIT, POT_EIO as above */
POT_MUST_USE enum pot_err passphrase_ask(struct passphrase **out,
                                         const char *prompt);

const char *passphrase_text(const struct passphrase *passphrase, size_t *size);
bool passphrase_equal(const struct passphrase *a, const struct passphrase *b);

#endif
