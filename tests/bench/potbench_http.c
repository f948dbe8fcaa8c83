/* A stream of events is asked for as HTTP/1.0, so that it comes without
 * chunks around it. */
#include "config.h"

#include "tests/bench/potbench_http.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_BYTES_MAX ((size_t)16 << 20)
#define READ_BYTES       65536
#define SEND_DEADLINE_MS 10000

static bool split_url(char host[static 128], char port[static 8],
                      const char *url)
{
    static const char scheme[] = "http://";
    size_t skip = sizeof(scheme) - 1;
    if (strncmp(url, scheme, skip) != 0) {
        return false;
    }
    const char *colon = strrchr(url + skip, ':');
    size_t size = colon != NULL ? (size_t)(colon - url) - skip : 0;
    if (size == 0 || size >= 128 || strlen(colon + 1) >= 8) {
        return false;
    }
    memcpy(host, url + skip, size);
    host[size] = '\0';
    (void)snprintf(port, 8, "%.*s", (int)strcspn(colon + 1, "/"), colon + 1);
    return true;
}

static int connect_to(const char *host, const char *port)
{
    struct addrinfo *list = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    if (getaddrinfo(host, port, &hints, &list) != 0) {
        return -1;
    }
    int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, list->ai_addr, list->ai_addrlen) != 0) {
        (void)close(fd);
        fd = -1;
    }
    freeaddrinfo(list);
    if (fd >= 0) {
        const int on = 1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    return fd;
}

enum exit_code potbench_http_open(struct potbench_http *http, struct ctl *ctl,
                                  const char *url)
{
    char host[128];
    char port[8];
    *http = (struct potbench_http){.fd = -1};
    buf_init(&http->in, ANSWER_BYTES_MAX);
    if (!split_url(host, port, url)) {
        return ctl_fail(ctl, EXIT_CODE_USAGE, "%s: not http://host:port", url);
    }
    http->fd = connect_to(host, port);
    return http->fd >= 0
               ? EXIT_CODE_DONE
               : ctl_fail(ctl, EXIT_CODE_CONNECT, "cannot connect to %s: %s",
                          url, strerror(errno));
}

void potbench_http_close(struct potbench_http *http)
{
    if (http->fd >= 0) {
        (void)close(http->fd);
    }
    buf_fini(&http->in);
    http->fd = -1;
}

/* Requests are small; the socket's buffer takes them at once. */
static bool send_all(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent > 0) {
            at += sent;
            size -= (size_t)sent;
            continue;
        }
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        bool may_wait = errno == EAGAIN || errno == EINTR;
        if (!may_wait || poll(&wait, 1, SEND_DEADLINE_MS) <= 0) {
            return false;
        }
    }
    return true;
}

bool potbench_http_post(struct potbench_http *http, const char *path,
                        const void *data, size_t size)
{
    struct buf out;
    POT_ASSERT(!http->is_busy);
    buf_clear(&http->in);
    buf_init(&out, ANSWER_BYTES_MAX);
    buf_printf(&out,
               "POST %s HTTP/1.1\r\nHost: localhost\r\n"
               "Content-Type: application/octet-stream\r\n"
               "Content-Length: %zu\r\n\r\n",
               path, size);
    buf_append(&out, data, size);
    POT_ASSERT(!out.is_overflown);
    bool is_sent = send_all(http->fd, out.data, out.size);
    buf_fini(&out);
    http->is_busy = is_sent;
    return is_sent;
}

/* false: the peer is gone. */
static bool receive(struct potbench_http *http)
{
    static _Thread_local uint8_t data[READ_BYTES];
    for (;;) {
        ssize_t size = recv(http->fd, data, sizeof(data), 0);
        if (size > 0) {
            buf_append(&http->in, data, (size_t)size);
        } else if (size < 0 && errno == EINTR) {
            continue;
        } else {
            return size < 0 && errno == EAGAIN;
        }
        if (http->in.is_overflown) {
            return false;
        }
        if ((size_t)size < sizeof(data)) {
            return true;
        }
    }
}

static size_t content_length(const char *head, const char *end)
{
    static const char name[] = "Content-Length:";
    const char *at = strstr(head, "\r\n");
    while (at != NULL && at < end) {
        at += 2;
        if (strncasecmp(at, name, sizeof(name) - 1) == 0) {
            return strtoul(at + sizeof(name) - 1, NULL, 10);
        }
        at = strstr(at, "\r\n");
    }
    return 0;
}

int potbench_http_read(struct potbench_http *http,
                       struct potbench_answer *answer)
{
    bool is_open = receive(http);
    const char *text = buf_text(&http->in);
    const char *end = strstr(text, "\r\n\r\n");
    if (end == NULL) {
        return is_open ? 0 : -1;
    }
    size_t head = (size_t)(end - text) + 4;
    size_t size = content_length(text, end);
    if (http->in.size < head + size) {
        return is_open ? 0 : -1;
    }
    answer->status = head > 12 ? (int)strtol(text + 9, NULL, 10) : 0;
    answer->body = text + head;
    answer->size = size;
    http->is_busy = false;
    return 1;
}

bool potbench_http_get(struct potbench_http *http, const char *path)
{
    char text[256];
    int size = snprintf(text, sizeof(text),
                        "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path);
    POT_ASSERT(size > 0 && (size_t)size < sizeof(text));
    http->is_busy = true;
    return send_all(http->fd, text, (size_t)size);
}

/* The value of "field: value" in an event's lines; NULL if there is none. */
static const char *field(const char *event, const char *end, const char *name,
                         size_t *size)
{
    size_t name_size = strlen(name);
    const char *line = event;
    while (line < end) {
        size_t line_size = strcspn(line, "\n");
        if (line_size > name_size && strncmp(line, name, name_size) == 0) {
            *size = line_size - name_size;
            return line + name_size;
        }
        line += line_size + 1;
    }
    return NULL;
}

int potbench_http_event(struct potbench_http *http, char name[static 16],
                        struct buf *data)
{
    bool is_open = receive(http);
    for (;;) {
        size_t size;
        const char *text = buf_text(&http->in);
        const char *end = strstr(text, "\n\n");
        if (end == NULL) {
            return is_open ? 0 : -1;
        }
        const char *value = field(text, end, "event: ", &size);
        if (value != NULL) {
            (void)snprintf(name, 16, "%.*s", (int)size, value);
            value = field(text, end, "data: ", &size);
        }
        if (value != NULL) {
            buf_clear(data);
            buf_append(data, value, size);
        }
        buf_consume(&http->in, (size_t)(end - text) + 2);
        if (value != NULL) {
            return 1;
        }
    }
}
