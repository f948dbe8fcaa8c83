/* middleman: somebody on the path between two nodes.
 *
 * middleman relay|change|repeat|cut LISTEN_PORT PORT FILE
 *
 * stands between who dials LISTEN_PORT and the node at PORT until it is
 * killed.  relay passes all on and writes what the first dialler said to FILE;
 * the others let some frames pass, and then change a byte, say some bytes
 * twice, or end the connection.
 *
 * middleman replay|reflect|low-order|drip|version|chain|large PORT CHAIN_ID
 * FILE
 *
 * dials the node itself: with what FILE holds, with its own words, with a key
 * exchange that is none, a byte at a time, with another version or chain, with
 * a frame too large for one that has not said who it is.  Exits with 0 when
 * the node ended the connection. */
#include "config.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "p2p/handshake.h"
#include "proto/genesis.h"
#include "tests/byz/visit.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIRS_MAX  16
#define PASSED_MIN 2000 /* bytes: a handshake and some frames */
#define PATIENT_MS 20000
#define RECORD_MAX ((size_t)1 << 20)

/* ---- between two */

struct pair {
    int fds[2]; /* who dialled, and the node; < 0: none */
    uint64_t passed;
};

static const char *trick;
static struct pair pairs[PAIRS_MAX];
static FILE *record;

static bool is_trick(const char *name)
{
    return strcmp(trick, name) == 0;
}

static int listen_at(uint16_t port)
{
    int on = 1;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    POT_ASSERT(fd >= 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
        listen(fd, 16) != 0) {
        perror("middleman");
        exit(2);
    }
    return fd;
}

static void end(struct pair *pair)
{
    (void)close(pair->fds[0]);
    (void)close(pair->fds[1]);
    pair->fds[0] = -1;
    pair->fds[1] = -1;
}

static void begin(int listener, uint16_t port)
{
    int from = accept(listener, NULL, NULL);
    int to = from >= 0 ? visit_dial(port) : -1;
    for (size_t i = 0; i < PAIRS_MAX && to >= 0; i++) {
        if (pairs[i].fds[0] < 0) {
            pairs[i] = (struct pair){{from, to}, 0};
            return;
        }
    }
    if (from >= 0) {
        (void)close(from);
    }
    if (to >= 0) {
        (void)close(to);
    }
}

static bool give(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

/* What comes from one side goes to the other, or not as it came. */
static void pass(struct pair *pair, int side)
{
    uint8_t bytes[4096];
    ssize_t n = recv(pair->fds[side], bytes, sizeof(bytes), 0);
    bool is_due = pair->passed >= PASSED_MIN;
    if (n <= 0 || (is_due && is_trick("cut"))) {
        end(pair);
        return;
    }
    if (is_due && is_trick("change")) {
        bytes[n - 1] ^= 1;
    }
    if (is_trick("relay") && side == 0 && pair == &pairs[0]) {
        (void)fwrite(bytes, 1, (size_t)n, record);
        (void)fflush(record);
    }
    pair->passed += (uint64_t)n;
    bool is_well = give(pair->fds[1 - side], bytes, (size_t)n) &&
                   (!is_due || !is_trick("repeat") ||
                    give(pair->fds[1 - side], bytes, (size_t)n));
    if (!is_well) {
        end(pair);
    }
}

static void stand_between(uint16_t listen_port, uint16_t port)
{
    struct pollfd polls[1 + 2 * PAIRS_MAX];
    polls[0] = (struct pollfd){.fd = listen_at(listen_port), .events = POLLIN};
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        pairs[i].fds[0] = -1;
        pairs[i].fds[1] = -1;
    }
    while (true) {
        for (size_t i = 0; i < 2 * PAIRS_MAX; i++) {
            polls[1 + i] = (struct pollfd){.fd = pairs[i / 2].fds[i % 2],
                                           .events = POLLIN};
        }
        if (poll(polls, 1 + 2 * PAIRS_MAX, -1) < 0) {
            return;
        }
        for (size_t i = 0; i < 2 * PAIRS_MAX; i++) {
            /* It may have ended with its other half. */
            if (polls[1 + i].revents != 0 && pairs[i / 2].fds[i % 2] >= 0) {
                pass(&pairs[i / 2], (int)(i % 2));
            }
        }
        if (polls[0].revents != 0) {
            begin(polls[0].fd, port);
        }
    }
}

/* ---- alone */

static struct visit v;

/* An honest hello of a key of no account. */
static void put_hello(const char *chain_id)
{
    struct hash chain;
    struct handshake *h;
    chain_id_hash(&chain, chain_id);
    v.key = key_generate();
    const struct handshake_config config = {
        .chain = chain, .key = v.key, .moniker = "middleman"};
    h = handshake_new(&config, &v.out);
    handshake_free(h);
}

static void put_record(const char *path)
{
    char *data;
    size_t size;
    enum pot_err err = file_read(&data, &size, path, RECORD_MAX);
    POT_ASSERT(err == POT_OK && size > HANDSHAKE_HELLO_SIZE);
    buf_append(&v.out, data, size);
    free(data);
}

/* What the node says, back to it. */
static void reflect(void)
{
    uint8_t bytes[4096];
    size_t size = visit_read(&v, bytes, sizeof(bytes), PATIENCE_MS);
    buf_append(&v.out, bytes, size);
    visit_flush(&v);
}

static void drip(void)
{
    static size_t dripped;
    uint8_t byte;
    if (dripped < HANDSHAKE_HELLO_SIZE - 1) {
        (void)give(v.fd, v.out.data + dripped++, 1);
    }
    (void)visit_read(&v, &byte, 1, PATIENCE_MS);
}

static void put_words(const char *chain_id, const char *path)
{
    uint8_t *hello;
    if (is_trick("replay")) {
        put_record(path);
        return;
    }
    put_hello(is_trick("chain") ? "another-chain" : chain_id);
    hello = v.out.data;
    if (is_trick("reflect")) {
        buf_clear(&v.out);
    } else if (is_trick("low-order")) {
        memset(hello + HANDSHAKE_HELLO_SIZE - 32, 0, 32);
    } else if (is_trick("version")) {
        hello[4] ^= 0x55;
    } else if (is_trick("large")) {
        static const uint8_t size[] = {0, 0, 16, 0};
        buf_append(&v.out, size, sizeof(size));
    }
}

static int dial_alone(uint16_t port, const char *chain_id, const char *path)
{
    uint8_t bytes[4096];
    const struct hash none = {{0}};
    visit_init(&v, &none, PATIENT_MS);
    v.fd = visit_dial(port);
    if (v.fd < 0) {
        return 2;
    }
    put_words(chain_id, path);
    if (!is_trick("drip")) {
        visit_flush(&v);
    }
    while (!v.is_over && clock_steady_ms() < v.until_ms) {
        if (is_trick("reflect")) {
            reflect();
        } else if (is_trick("drip")) {
            drip();
        } else {
            (void)visit_read(&v, bytes, sizeof(bytes), PATIENCE_MS);
        }
    }
    bool is_over = v.is_over;
    visit_fini(&v);
    return is_over ? 0 : 1;
}

int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc != 5 || sodium_init() < 0) {
        (void)fprintf(stderr, "usage: middleman TRICK ..., see its source\n");
        return 2;
    }
    trick = argv[1];
    uint16_t first = (uint16_t)strtoul(argv[2], NULL, 10);
    if (is_trick("relay") || is_trick("change") || is_trick("repeat") ||
        is_trick("cut")) {
        record = fopen(argv[4], "ab");
        POT_ASSERT(record != NULL);
        stand_between(first, (uint16_t)strtoul(argv[3], NULL, 10));
        return 1;
    }
    return dial_alone(first, argv[3], argv[4]);
}
