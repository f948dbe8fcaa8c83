#include "config.h"

#include "p2p/listener.h"

#include "p2p/net_address.h"

#define BACKLOG 512

static enum pot_err err_from_uv(int rc)
{
    return rc == 0 ? POT_OK : err_from_errno(-rc);
}

static void on_connection(uv_stream_t *stream, int status)
{
    const struct listener *listener = stream->data;
    listener->on_connection(listener->context, status == 0 ? stream : NULL);
}

enum pot_err listener_open(struct listener *listener, uv_loop_t *loop,
                           const char *address)
{
    struct sockaddr_storage storage;
    enum pot_err err = net_address_listen(&storage, address);
    if (err != POT_OK) {
        return err;
    }
    int rc = uv_tcp_init(loop, &listener->tcp);
    if (rc != 0) {
        return err_from_uv(rc);
    }
    listener->tcp.data = listener;
    listener->is_open = true;
    rc = uv_tcp_bind(&listener->tcp, (const struct sockaddr *)&storage, 0);
    if (rc == 0) {
        rc = uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, on_connection);
    }
    return rc == UV_EADDRINUSE ? POT_EBUSY : err_from_uv(rc);
}

static void on_closed(uv_handle_t *handle)
{
    const struct listener *listener = handle->data;
    listener->closed(listener->context);
}

void listener_close(struct listener *listener)
{
    uv_close((uv_handle_t *)&listener->tcp, on_closed);
}

uint16_t listener_port(const struct listener *listener)
{
    struct sockaddr_storage storage;
    struct sockaddr *address = (struct sockaddr *)&storage;
    int size = sizeof(storage);
    if (!listener->is_open ||
        uv_tcp_getsockname(&listener->tcp, address, &size) != 0) {
        return 0;
    }
    return net_address_port(address);
}
