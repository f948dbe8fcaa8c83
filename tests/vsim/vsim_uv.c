/* What a node asks of libuv beside loops and sockets: plain functions, and what
 * a node without miner, API and names of hosts has no use for. */
#include "config.h"

#include "base/check.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <uv.h>

uv_buf_t uv_buf_init(char *base, unsigned size)
{
    return (uv_buf_t){.base = base, .len = size};
}

const char *uv_strerror(int code)
{
    return strerror(-code);
}

unsigned uv_available_parallelism(void)
{
    return 1;
}

int uv_ip4_addr(const char *ip, int port, struct sockaddr_in *out)
{
    memset(out, 0, sizeof(*out));
    out->sin_family = AF_INET;
    out->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, ip, &out->sin_addr) == 1 ? 0 : UV_EINVAL;
}

int uv_ip6_addr(const char *ip, int port, struct sockaddr_in6 *out)
{
    memset(out, 0, sizeof(*out));
    out->sin6_family = AF_INET6;
    out->sin6_port = htons((uint16_t)port);
    return inet_pton(AF_INET6, ip, &out->sin6_addr) == 1 ? 0 : UV_EINVAL;
}

int uv_ip4_name(const struct sockaddr_in *from, char *out, size_t size)
{
    return inet_ntop(AF_INET, &from->sin_addr, out, (socklen_t)size) != NULL
               ? 0
               : UV_ENOSPC;
}

int uv_ip6_name(const struct sockaddr_in6 *from, char *out, size_t size)
{
    return inet_ntop(AF_INET6, &from->sin6_addr, out, (socklen_t)size) != NULL
               ? 0
               : UV_ENOSPC;
}

int uv_mutex_init(uv_mutex_t *mutex)
{
    return -pthread_mutex_init(mutex, NULL);
}

void uv_mutex_destroy(uv_mutex_t *mutex)
{
    (void)pthread_mutex_destroy(mutex);
}

void uv_mutex_lock(uv_mutex_t *mutex)
{
    (void)pthread_mutex_lock(mutex);
}

void uv_mutex_unlock(uv_mutex_t *mutex)
{
    (void)pthread_mutex_unlock(mutex);
}

/* ---- names of hosts: peers have addresses here */

int uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *request,
                   uv_getaddrinfo_cb done, const char *host, const char *port,
                   const struct addrinfo *hints)
{
    (void)loop;
    (void)request;
    (void)done;
    (void)host;
    (void)port;
    (void)hints;
    return UV_EAI_NONAME;
}

void uv_freeaddrinfo(struct addrinfo *list)
{
    POT_ASSERT(list == NULL);
}

int uv_cancel(uv_req_t *request)
{
    (void)request;
    return UV_EBUSY;
}

/* ---- workers and the API are off: a node that wants one is wrong */

int uv_pipe_init(uv_loop_t *loop, uv_pipe_t *pipe, int is_ipc)
{
    (void)loop;
    (void)pipe;
    (void)is_ipc;
    POT_ASSERT(false);
    return UV_ENOSYS;
}

int uv_spawn(uv_loop_t *loop, uv_process_t *process,
             const uv_process_options_t *options)
{
    (void)loop;
    (void)process;
    (void)options;
    POT_ASSERT(false);
    return UV_ENOSYS;
}

int uv_process_kill(uv_process_t *process, int number)
{
    (void)process;
    (void)number;
    POT_ASSERT(false);
    return UV_ENOSYS;
}

int uv_fileno(const uv_handle_t *handle, uv_os_fd_t *fd)
{
    (void)handle;
    (void)fd;
    POT_ASSERT(false);
    return UV_ENOSYS;
}

int uv_poll_init(uv_loop_t *loop, uv_poll_t *poll, int fd)
{
    (void)loop;
    (void)poll;
    (void)fd;
    POT_ASSERT(false);
    return UV_ENOSYS;
}

int uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb done)
{
    (void)poll;
    (void)events;
    (void)done;
    POT_ASSERT(false);
    return UV_ENOSYS;
}

int uv_poll_stop(uv_poll_t *poll)
{
    (void)poll;
    POT_ASSERT(false);
    return UV_ENOSYS;
}
