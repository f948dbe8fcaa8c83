#include "config.h"

#include "tests/bench/swarm_traffic.h"

#include "ctl/client.h"

#include <stdlib.h>
#include <string.h>

#define RECEIVED "pot_p2p_receive_bytes_total{type=\""
#define BLOBS    "blob_piece\""

static void add_line(struct swarm_traffic *out, const char *line)
{
    const char *value = strchr(line, ' ');
    if (strncmp(line, RECEIVED, strlen(RECEIVED)) != 0 || value == NULL) {
        return;
    }
    double bytes = strtod(value, NULL);
    bool is_blobs = strncmp(line + strlen(RECEIVED), BLOBS, strlen(BLOBS)) == 0;
    out->bytes += bytes;
    out->blobs += is_blobs ? bytes : 0;
}

static void add_node(struct swarm_traffic *out, struct ctl *ctl)
{
    struct client_reply reply;
    if (client_ask(&reply, ctl, "GET", "/metrics", NULL, 0) != EXIT_CODE_DONE) {
        return;
    }
    const char *line = buf_text(&reply.body);
    while (line != NULL) {
        add_line(out, line);
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    client_reply_fini(&reply);
}

void swarm_traffic_read(struct swarm_traffic *out,
                        const struct potbench_net *net)
{
    struct ctl *ctl = &net->bench->ctl;
    const char *node = ctl->node;
    *out = (struct swarm_traffic){0};
    for (size_t i = 0; i < net->validators; i++) {
        ctl->node = net->testnet.nodes[i].url;
        add_node(out, ctl);
    }
    ctl->node = node;
}
