#include "config.h"

#include "tests/byz/visit.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "p2p/handshake.h"
#include "proto/codec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUT_MAX ((size_t)64 << 20)

void visit_init(struct visit *v, const struct hash *chain, uint64_t visit_ms)
{
    *v = (struct visit){.fd = -1, .chain = *chain};
    v->until_ms = clock_steady_ms() + visit_ms;
    buf_init(&v->out, OUT_MAX);
}

void visit_fini(struct visit *v)
{
    if (v->is_in) {
        frame_cipher_fini(&v->sending);
        frame_reader_fini(&v->receiving);
    }
    buf_fini(&v->out);
    key_free(v->key);
    if (v->fd >= 0) {
        (void)close(v->fd);
    }
}

int visit_dial(uint16_t port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    POT_ASSERT(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static bool is_ready(const struct visit *v, short events, int wait_ms)
{
    struct pollfd p = {.fd = v->fd, .events = events};
    return poll(&p, 1, wait_ms) > 0 && (p.revents & events) != 0;
}

/* Sends what waits; a node that reads no more gets no more. */
void visit_flush(struct visit *v)
{
    while (!v->is_over && v->out.size > 0 && clock_steady_ms() < v->until_ms) {
        if (!is_ready(v, POLLOUT, PATIENCE_MS)) {
            continue;
        }
        ssize_t n =
            send(v->fd, v->out.data, v->out.size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            buf_consume(&v->out, (size_t)n);
        } else if (errno != EAGAIN && errno != EINTR) {
            v->is_over = true;
        }
    }
    buf_clear(&v->out);
}

size_t visit_read(struct visit *v, uint8_t *bytes, size_t size, int wait_ms)
{
    if (v->is_over || !is_ready(v, POLLIN, wait_ms)) {
        return 0;
    }
    ssize_t n = recv(v->fd, bytes, size, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        v->is_over = true;
    }
    return n > 0 ? (size_t)n : 0;
}

bool visit_shake_hands(struct visit *v)
{
    uint8_t bytes[4096];
    const struct handshake_config config = {
        .chain = v->chain, .key = v->key, .moniker = "stranger"};
    struct handshake *h = handshake_new(&config, &v->out);
    enum reason reason = REASON_NONE;
    visit_flush(v);
    while (!v->is_over && reason == REASON_NONE && !handshake_is_done(h) &&
           clock_steady_ms() < v->until_ms) {
        size_t size = visit_read(v, bytes, sizeof(bytes), PATIENCE_MS);
        if (size > 0) {
            reason = handshake_input(h, &v->out, bytes, size);
            visit_flush(v);
        }
    }
    v->is_in = !v->is_over && handshake_is_done(h);
    if (v->is_in) {
        handshake_take(h, &v->sending, &v->receiving);
        frame_reader_limit(&v->receiving, FRAME_BYTES_MAX + FRAME_OVERHEAD);
    }
    handshake_free(h);
    return v->is_in;
}

void visit_say(struct visit *v, uint8_t type, const void *body, size_t size)
{
    frame_seal(&v->sending, &v->out, type, body, size);
    if (v->out.size > OUT_MAX / 2) {
        visit_flush(v);
    }
}

void visit_say_message(struct visit *v, uint8_t type, const void *message)
{
    size_t size;
    uint8_t *data = codec_encode(&size, message);
    visit_say(v, type, data, size);
    free(data);
}
