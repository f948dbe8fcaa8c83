/* ask: a GET of the API of a node on this machine.
 *
 * ask PORT PATH [FIELD]
 *
 * Prints what was answered, or one field of that object.  Exit status 1, and
 * what came on stderr: no answer, no status 2xx, no such field.  The scripts
 * ask ten times a second, and curl, jq and potctl take longer to be loaded than
 * the node takes to answer. */
#include "config.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_S     10
#define ANSWER_MAX ((size_t)64 << 20)

static int fail(const char *what)
{
    (void)fprintf(stderr, "ask: %s\n", what);
    return 1;
}

static int dial(uint16_t port)
{
    struct timeval wait = {.tv_sec = WAIT_S};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0 ||
        connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return -1;
    }
    return fd;
}

/* All that comes until the node hangs up; NULL: it did not. */
static char *read_all(int fd)
{
    size_t size = 0;
    size_t room = 1 << 16;
    char *text = malloc(room);
    ssize_t got = 1;
    while (text != NULL && got > 0) {
        if (size + 1 == room) {
            char *more = room < ANSWER_MAX ? realloc(text, 2 * room) : NULL;
            if (more == NULL) {
                free(text);
                return NULL;
            }
            text = more;
            room *= 2;
        }
        got = read(fd, text + size, room - size - 1);
        size += got > 0 ? (size_t)got : 0;
    }
    if (text == NULL || got < 0) {
        free(text);
        return NULL;
    }
    text[size] = '\0';
    return text;
}

static char *get(uint16_t port, const char *path)
{
    char request[1024];
    int fd = dial(port);
    if (fd < 0) {
        return NULL;
    }
    int length =
        snprintf(request, sizeof(request),
                 "GET %s HTTP/1.0\r\nHost: 127.0.0.1:%d\r\n\r\n", path, port);
    char *answer = NULL;
    if (length > 0 && (size_t)length < sizeof(request) &&
        send(fd, request, (size_t)length, MSG_NOSIGNAL) == length) {
        answer = read_all(fd);
    }
    (void)close(fd);
    return answer;
}

static int print_field(const char *body, const char *name)
{
    json_t *json = json_loads(body, 0, NULL);
    const json_t *field = json_object_get(json, name);
    int status = 0;
    if (json_is_string(field)) {
        (void)puts(json_string_value(field));
    } else if (json_is_integer(field)) {
        (void)printf("%" JSON_INTEGER_FORMAT "\n", json_integer_value(field));
    } else {
        status = fail(body);
    }
    json_decref(json);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4) {
        (void)fprintf(stderr, "usage: ask PORT PATH [FIELD]\n");
        return 2;
    }
    char *answer = get((uint16_t)strtoul(argv[1], NULL, 10), argv[2]);
    if (answer == NULL) {
        return fail("no answer");
    }
    const char *code = strchr(answer, ' ');
    const char *body = strstr(answer, "\r\n\r\n");
    int status = 0;
    if (code == NULL || strncmp(code, " 2", 2) != 0 || body == NULL) {
        status = fail(answer);
    } else if (argc == 4) {
        status = print_field(body + 4, argv[3]);
    } else {
        (void)fputs(body + 4, stdout);
    }
    free(answer);
    return status;
}
