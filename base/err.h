/* err: what can fail in the world, one code each.
 *
 * Three kinds of failure get three treatments: the world fails with an
 * enum pot_err; wrong input gets a verdict enum of its module; our own
 * mistakes abort through POT_ASSERT (base/check.h). */
#ifndef POT_BASE_ERR_H
#define POT_BASE_ERR_H

#define POT_MUST_USE __attribute__((warn_unused_result))

/* X(code, text): the text is for people, lower case, no full stop. */
#define POT_ERR_MAP(X)                                                         \
    X(POT_OK, "done")                                                          \
    X(POT_EIO, "input/output error")                                           \
    X(POT_ENOENT, "not found")                                                 \
    X(POT_EEXIST, "exists already")                                            \
    X(POT_EACCESS, "permission refused")                                       \
    X(POT_EFULL, "no space left")                                              \
    X(POT_ELIMIT, "limit exceeded")                                            \
    X(POT_EFORMAT, "malformed")                                                \
    X(POT_ECORRUPT, "stored data damaged")                                     \
    X(POT_ERANGE, "out of range")                                              \
    X(POT_ESHAPE, "shapes do not fit")                                         \
    X(POT_EBUSY, "in use")                                                     \
    X(POT_EAGAIN, "not without waiting")                                       \
    X(POT_ETIMEOUT, "timed out")                                               \
    X(POT_ECONNECT, "cannot connect")                                          \
    X(POT_ECLOSED, "closed")                                                   \
    X(POT_EGUARD, "refused by the double-sign guard")                          \
    X(POT_ECANCELLED, "cancelled")                                             \
    X(POT_EPRUNED, "not held any more")                                        \
    X(POT_ELOCKED, "a passphrase is needed")                                   \
    X(POT_EPASSPHRASE, "wrong passphrase")

enum pot_err {
#define X(code, text) code,
    POT_ERR_MAP(X)
#undef X
};

/* err_text: a short English text for err; static, never NULL. */
const char *err_text(enum pot_err err);

/* err_from_errno: the nearest code for an errno value; POT_EIO if none. */
enum pot_err err_from_errno(int errno_value);

#endif
