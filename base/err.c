#include "config.h"

#include "base/err.h"

#include <errno.h>

const char *err_text(enum pot_err err)
{
    switch (err) {
#define X(code, text)                                                          \
    case code:                                                                 \
        return text;
        POT_ERR_MAP(X)
#undef X
    }
    return "unknown error";
}

enum pot_err err_from_errno(int errno_value)
{
    switch (errno_value) {
    case 0:
        return POT_OK;
    case ENOENT:
    case ENOTDIR:
    case EADDRNOTAVAIL:
        return POT_ENOENT;
    case EEXIST:
        return POT_EEXIST;
    case EACCES:
    case EPERM:
    case EROFS:
        return POT_EACCESS;
    case ENOSPC:
    case EDQUOT:
        return POT_EFULL;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EFBIG:
        return POT_ELIMIT;
    case EBUSY:
    case EAGAIN:
    case EADDRINUSE:
        return POT_EBUSY;
    case ETIMEDOUT:
        return POT_ETIMEOUT;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
        return POT_ECONNECT;
    case EISDIR:
        return POT_EFORMAT; /* see file_err_text */
    case EPIPE:
    case ECONNRESET:
        return POT_ECLOSED;
    default:
        return POT_EIO;
    }
}
