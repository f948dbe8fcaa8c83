/* The handshake of the next version of the protocol: what a later build would
 * say, made of this one. */
#include "config.h"

#include "base/limits.h"

#undef PROTOCOL_VERSION
#define PROTOCOL_VERSION 2
#include "p2p/handshake.c"
