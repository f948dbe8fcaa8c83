/* sign_server: answers questions (proto/sign_frame.h) on a Unix socket, to
 * processes of the same user, one question after the other. */
#ifndef POT_SIGNER_SIGN_SERVER_H
#define POT_SIGNER_SIGN_SERVER_H

#include "base/err.h"

struct signer;
struct sign_server; /* opaque: signer/sign_server.c */

/* sign_server_open: listens at path, mode 0600, in a folder that is its
 * owner's alone.  A socket there on which nobody listens is taken away.
 *
 * Errors: POT_ENOENT  there is no such folder
 *         POT_EACCESS it is another's, or others may enter it
 *         POT_EBUSY   somebody listens there
 *         POT_EEXIST  it is a file and no socket
 *         POT_ELIMIT  the path is too long for a socket
 *         POT_EIO; *out is NULL then */
POT_MUST_USE enum pot_err sign_server_open(struct sign_server **out,
                                           const char *path);

/* sign_server_close: the socket's name goes too; NULL is fine. */
void sign_server_close(struct sign_server *server);

/* sign_server_run: signer answers, until SIGTERM or SIGINT, which wait for it
 * since the opening; so do those who ask. */
void sign_server_run(struct sign_server *server, struct signer *signer);

#endif
