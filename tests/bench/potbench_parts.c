#include "config.h"

#include "tests/bench/potbench_parts.h"

#include "ctl/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of a line of Prometheus' text, pot_cpu_seconds_total of the part;
 * 0: it is not there. */
static double part_of(const char *text, enum cpu_part part)
{
    char line[96];
    (void)snprintf(line, sizeof(line), "\npot_cpu_seconds_total{part=\"%s\"} ",
                   cpu_time_name(part));
    const char *at = strstr(text, line);
    return at != NULL ? strtod(at + strlen(line), NULL) : 0.0;
}

static void add_node(struct potbench_parts *out, struct ctl *ctl)
{
    struct client_reply reply;
    if (client_ask(&reply, ctl, "GET", "/metrics", NULL, 0) != EXIT_CODE_DONE) {
        return;
    }
    for (int i = CPU_OTHER + 1; i < CPU_PARTS; i++) {
        out->seconds[i] += part_of(buf_text(&reply.body), (enum cpu_part)i);
    }
    client_reply_fini(&reply);
}

void potbench_parts_read(struct potbench_parts *out,
                         const struct potbench_net *net)
{
    struct ctl *ctl = &net->bench->ctl;
    const char *node = ctl->node;
    *out = (struct potbench_parts){0};
    for (size_t i = 0; i < net->testnet.count; i++) {
        ctl->node = net->testnet.nodes[i].url;
        add_node(out, ctl);
    }
    ctl->node = node;
}

void potbench_parts_subtract(struct potbench_parts *parts,
                             const struct potbench_parts *before)
{
    for (int i = 0; i < CPU_PARTS; i++) {
        parts->seconds[i] -= before->seconds[i];
    }
}
