#include "config.h"

#include "tests/bench/swarm.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "base/key_file.h"
#include "base/log.h"
#include "tests/bench/swarm_miners.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whom miners connect to: the aggregators, or else the validators. */
static size_t read_hosts(const struct swarm *s, struct net_address *out)
{
    bool is_gathered = s->bench->aggregators > 0;
    size_t first = is_gathered ? s->net.validators : 0;
    size_t count =
        is_gathered ? (size_t)s->bench->aggregators : s->net.validators;
    for (size_t i = 0; i < count; i++) {
        const struct testnet_node *node = &s->net.testnet.nodes[first + i];
        char *path = file_join(node->folder, "key");
        bool is_encrypted;
        char why[KEY_FILE_WHY_SIZE];
        enum pot_err err = key_file_peek(&out[i].key, &is_encrypted, path, why);
        POT_ASSERT(err == POT_OK);
        (void)snprintf(out[i].host, sizeof(out[i].host), "127.0.0.1");
        out[i].port = (uint16_t)(s->bench->base_port + 2 * (first + i));
        free(path);
    }
    return count;
}

static void be_miners(struct swarm *s, size_t index, int fd)
{
    static struct net_address hosts[POTBENCH_NODES_MAX];
    char *dataset = file_join(s->bench->folder, "train.pds");
    size_t count = (size_t)s->bench->miners;
    size_t first = count * index / s->process_count;
    size_t end = count * (index + 1) / s->process_count;
    struct swarm_miners_config config = {
        .chain = s->accounts.sender.chain,
        .task = s->task,
        .secret = s->secret,
        .params = &s->accounts.sender.params,
        .stake = SWARM_STAKE,
        .first = (uint32_t)first,
        .count = (uint32_t)(end - first),
        .hosts = hosts,
        .host_count = read_hosts(s, hosts),
        .dataset = dataset,
        .rows = SWARM_ROWS,
    };
    enum pot_err err = log_open(LOG_ERROR, LOG_FORMAT_TEXT, NULL);
    POT_ASSERT(err == POT_OK);
    err = model_shape_init(&config.shape, s->model->widths, 3);
    POT_ASSERT(err == POT_OK);
    swarm_miners_run(&config, fd);
}

/* A process ends when its socket's other end does. */
void swarm_crowd_start(struct swarm *s)
{
    for (size_t i = 0; i < s->process_count; i++) {
        int pair[2];
        int rc = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
        POT_ASSERT(rc == 0);
        s->processes[i].pid = fork();
        POT_ASSERT(s->processes[i].pid >= 0);
        if (s->processes[i].pid == 0) {
            for (size_t k = 0; k < i; k++) {
                (void)close(s->processes[k].fd);
            }
            (void)close(pair[0]);
            be_miners(s, i, pair[1]);
            _exit(0);
        }
        (void)close(pair[1]);
        s->processes[i].fd = pair[0];
    }
}

void swarm_crowd_stop(struct swarm *s)
{
    for (size_t i = 0; i < s->process_count; i++) {
        if (s->processes[i].pid > 0) {
            (void)close(s->processes[i].fd);
            (void)waitpid(s->processes[i].pid, NULL, 0);
        }
    }
}

static bool read_all(int fd, void *out, size_t size)
{
    char *at = out;
    while (size > 0) {
        ssize_t n = read(fd, at, size);
        if (n <= 0) {
            return false;
        }
        at += n;
        size -= (size_t)n;
    }
    return true;
}

enum exit_code swarm_crowd_order(struct swarm *s)
{
    bool is_well = true;
    s->bytes_in = 0;
    s->bytes_out = 0;
    for (size_t i = 0; i < s->process_count; i++) {
        is_well = is_well && file_write_all(s->processes[i].fd, &s->order,
                                            sizeof(s->order)) == POT_OK;
    }
    for (size_t i = 0; is_well && i < s->process_count; i++) {
        struct swarm_answer *answer = &s->processes[i].answer;
        is_well = read_all(s->processes[i].fd, answer, sizeof(*answer));
        s->bytes_in += answer->bytes_in;
        s->bytes_out += answer->bytes_out;
    }
    return is_well ? EXIT_CODE_DONE
                   : ctl_fail(&s->bench->ctl, EXIT_CODE_FAILED,
                              "a process of miners ended early");
}
