/* api_flood: more clients than an API can bear.
 *
 * api_flood PORT
 *
 * Until SIGTERM, and until MADE_MIN are made, it keeps connections coming, of
 * all bad kinds: that say nothing, that drip a request, whose head never ends,
 * that ask and never read, that hoard event streams, that come and go.  Prints
 * how many were made, and how many of them the node ended. */
#include "config.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HELD_MAX 400 /* at a time; the oldest goes for a new one */
#define A_TURN   20  /* new ones */
#define MADE_MIN 3000

enum kind { SILENT, DRIPPING, HEAD, DEAF, STREAM, GONE, KINDS };

static struct {
    int fd; /* 0: none */
    enum kind kind;
    unsigned sent;
} held[HELD_MAX];

static uint16_t port;
static unsigned made;
static unsigned ended;
static volatile sig_atomic_t is_over;

static void on_term(int signal)
{
    (void)signal;
    is_over = 1;
}

static int dial(void)
{
    int size = 4096; /* who does not read fills this soon */
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    POT_ASSERT(fd > 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0 &&
        errno != EINPROGRESS) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void drop(size_t i)
{
    char byte;
    if (held[i].fd > 0) {
        ssize_t n = recv(held[i].fd, &byte, 1, MSG_PEEK);
        ended += n == 0 || (n < 0 && errno == ECONNRESET) ? 1 : 0;
        (void)close(held[i].fd);
        held[i].fd = 0;
    }
}

static void add(size_t i)
{
    drop(i);
    int fd = dial();
    if (fd > 0) {
        held[i].fd = fd;
        held[i].kind = (enum kind)(made % KINDS);
        held[i].sent = 0;
        made++;
    }
}

static void put(int fd, const char *text, size_t size)
{
    (void)!send(fd, text, size, MSG_NOSIGNAL);
}

/* One more piece of what it has to say. */
static void go_on(size_t i)
{
    static const char slow[] = "GET /v1/status HTTP/1.1\r\nHost: localhost\r\n";
    static const char head[] = "X-More: and more and more and more\r\n";
    static const char many[] =
        "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static const char events[] =
        "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    unsigned n = held[i].sent++;
    int fd = held[i].fd;
    switch (held[i].kind) {
    case SILENT:
        break;
    case DRIPPING:
        put(fd, slow + n % (sizeof(slow) - 1), n < sizeof(slow) - 1);
        break;
    case HEAD:
        put(fd, n == 0 ? slow : head,
            n == 0 ? sizeof(slow) - 1 : sizeof(head) - 1);
        break;
    case DEAF:
        put(fd, many, sizeof(many) - 1);
        break;
    case STREAM:
        put(fd, events, n == 0 ? sizeof(events) - 1 : 0);
        break;
    case GONE:
        drop(i);
        break;
    case KINDS:
        POT_ASSERT(false);
    }
}

int main(int argc, char **argv)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    const struct rlimit files = {HELD_MAX + 64, HELD_MAX + 64};
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGTERM, on_term);
    if (argc != 2) {
        (void)fprintf(stderr, "usage: api_flood PORT\n");
        return 2;
    }
    (void)setrlimit(RLIMIT_NOFILE, &files);
    port = (uint16_t)strtoul(argv[1], NULL, 10);
    for (size_t next = 0; !is_over || made < MADE_MIN;) {
        for (unsigned i = 0; i < A_TURN; i++) {
            add(next);
            next = (next + 1) % HELD_MAX;
        }
        for (size_t i = 0; i < HELD_MAX; i++) {
            if (held[i].fd > 0) {
                go_on(i);
            }
        }
        (void)nanosleep(&pause, NULL); /* the node's turn */
    }
    for (size_t i = 0; i < HELD_MAX; i++) {
        drop(i);
    }
    (void)printf("%u connections, the node ended %u\n", made, ended);
    return 0;
}
