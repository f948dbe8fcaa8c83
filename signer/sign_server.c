/* One thread and blocking writes to disk: what is asked next must wait for
 * what was signed before anyway. */
#include "config.h"

#include "signer/sign_server.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "proto/sign_frame.h"
#include "signer/signer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 8
#define BACKLOG     8

struct client {
    int fd; /* -1: none */
    size_t size;
    uint8_t data[SIGN_QUESTION_MAX];
};

struct sign_server {
    struct signer *signer;
    char *path;
    int fd;
    sigset_t waiting; /* the signals that ppoll holds back */
    struct client clients[CLIENTS_MAX];
};

static volatile sig_atomic_t is_ending;

static void on_signal(int number)
{
    (void)number;
    is_ending = 1;
}

/* The two signals are heard inside ppoll only, where none is missed. */
static void hold_signals(sigset_t *waiting)
{
    sigset_t held;
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&held);
    (void)sigaddset(&held, SIGTERM);
    (void)sigaddset(&held, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &held, waiting);
    (void)sigdelset(waiting, SIGTERM);
    (void)sigdelset(waiting, SIGINT);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

/* ---- opening */

static enum pot_err check_folder(const char *path)
{
    struct stat info;
    char *folder = file_folder(path);
    enum pot_err err = file_stat(folder, &info);
    free(folder);
    if (err != POT_OK) {
        return err;
    }
    bool is_private = S_ISDIR(info.st_mode) && info.st_uid == geteuid() &&
                      (info.st_mode & (S_IRWXG | S_IRWXO)) == 0;
    return is_private ? POT_OK : POT_EACCESS;
}

/* What a signer that was killed has left. */
static enum pot_err clear(const struct sockaddr_un *address)
{
    struct stat info;
    if (lstat(address->sun_path, &info) != 0) {
        return errno == ENOENT ? POT_OK : POT_EIO;
    }
    if (!S_ISSOCK(info.st_mode)) {
        return POT_EEXIST;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return POT_EIO;
    }
    bool is_used =
        connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
        errno != ECONNREFUSED;
    (void)close(fd);
    if (is_used) {
        return POT_EBUSY;
    }
    return unlink(address->sun_path) == 0 ? POT_OK : POT_EIO;
}

static enum pot_err listen_at(int *out, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        return POT_ELIMIT;
    }
    memcpy(address.sun_path, path, strlen(path));
    enum pot_err err = check_folder(path);
    err = err == POT_OK ? clear(&address) : err;
    if (err != POT_OK) {
        return err;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return POT_EIO;
    }
    mode_t before = umask(S_IRWXG | S_IRWXO | S_IXUSR);
    int rc = bind(fd, (const struct sockaddr *)&address, sizeof(address));
    (void)umask(before);
    if (rc != 0 || listen(fd, BACKLOG) != 0) {
        (void)close(fd);
        return POT_EIO;
    }
    *out = fd;
    return POT_OK;
}

enum pot_err sign_server_open(struct sign_server **out, const char *path)
{
    int fd = -1;
    sigset_t waiting;
    *out = NULL;
    hold_signals(&waiting); /* whoever sees the socket may end us */
    enum pot_err err = listen_at(&fd, path);
    if (err != POT_OK) {
        return err;
    }
    struct sign_server *server = pot_calloc(1, sizeof(*server));
    server->path = pot_strdup(path);
    server->fd = fd;
    server->waiting = waiting;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        server->clients[i].fd = -1;
    }
    *out = server;
    return POT_OK;
}

static void drop(struct client *client)
{
    if (client->fd >= 0) {
        (void)close(client->fd);
    }
    client->fd = -1;
    client->size = 0;
}

void sign_server_close(struct sign_server *server)
{
    if (server == NULL) {
        return;
    }
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        drop(&server->clients[i]);
    }
    (void)close(server->fd);
    (void)unlink(server->path);
    free(server->path);
    free(server);
}

/* ---- answering */

/* False: the client does not take it. */
static bool answer(struct sign_server *server, const struct client *client,
                   const struct sign_question *question)
{
    uint8_t bytes[SIGN_ANSWER_SIZE];
    struct signature signature;
    enum sign_verdict verdict =
        signer_answer(server->signer, &signature, question);
    if (verdict != SIGN_DONE) {
        LOG(LOG_WARN, "signer", "refused",
            log_text("what", sign_tag_what(question->tag)),
            log_text("why", sign_verdict_text(verdict)));
    }
    sign_answer_write(bytes, verdict, &signature);
    return send(client->fd, bytes, sizeof(bytes),
                MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof(bytes);
}

/* All whole questions that are there.  False: it speaks something else. */
static bool answer_all(struct sign_server *server, struct client *client)
{
    struct sign_question question;
    size_t used;
    size_t at = 0;
    do {
        if (!sign_question_view(&question, &used, client->data + at,
                                client->size - at) ||
            (used > 0 && !answer(server, client, &question))) {
            return false;
        }
        at += used;
    } while (used > 0);
    memmove(client->data, client->data + at, client->size - at);
    client->size -= at;
    return true;
}

static void receive(struct sign_server *server, struct client *client)
{
    ssize_t got = recv(client->fd, client->data + client->size,
                       sizeof(client->data) - client->size, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got > 0) {
        client->size += (size_t)got;
    }
    if (got <= 0 || !answer_all(server, client)) {
        drop(client);
    }
}

static bool is_own_user(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           peer.uid == geteuid();
}

static void accept_one(struct sign_server *server)
{
    int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    for (size_t i = 0; i < CLIENTS_MAX && is_own_user(fd); i++) {
        if (server->clients[i].fd < 0) {
            server->clients[i].fd = fd;
            return;
        }
    }
    (void)close(fd);
}

/* ---- running */

void sign_server_run(struct sign_server *server, struct signer *signer)
{
    server->signer = signer;
    struct pollfd polls[CLIENTS_MAX + 1];
    while (!is_ending) {
        for (size_t i = 0; i < CLIENTS_MAX; i++) {
            polls[i] = (struct pollfd){server->clients[i].fd, POLLIN, 0};
        }
        polls[CLIENTS_MAX] = (struct pollfd){server->fd, POLLIN, 0};
        if (ppoll(polls, CLIENTS_MAX + 1, NULL, &server->waiting) < 0) {
            continue; /* a signal */
        }
        for (size_t i = 0; i < CLIENTS_MAX; i++) {
            if (polls[i].revents != 0) {
                receive(server, &server->clients[i]);
            }
        }
        if (polls[CLIENTS_MAX].revents != 0) {
            accept_one(server);
        }
    }
}
