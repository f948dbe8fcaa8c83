/* debug dump: what is needed to explain why a node stands still, in a folder
 * to send to somebody.  No secrets are in it: the API tells none. */
#include "config.h"

#include "base/alloc.h"
#include "base/file.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/json_text.h"
#include "ctl/process.h"

#include <stdlib.h>
#include <string.h>

#define LOG_TAIL   ((size_t)256 << 10)
#define CONFIG_MAX ((size_t)1 << 20)

static const struct {
    const char *path;
    const char *file;
} parts[] = {
    {"/v1/status", "status.json"},         {"/readyz", "readyz.json"},
    {"/metrics", "metrics.txt"},           {"/v1/peers", "peers.json"},
    {"/v1/validators", "validators.json"}, {"/v1/blocks", "blocks.json"},
    {"/v1/blocks/raw", "blocks-raw.json"}, {"/v1/tasks", "tasks.json"},
    {"/v1/consensus", "consensus.json"},   {"/v1/params", "params.json"},
};

static enum exit_code save(struct ctl *ctl, const char *folder,
                           const char *name, const void *data, size_t size)
{
    char *path = file_join(folder, name);
    enum pot_err err = file_create(path, 0600, data, size);
    enum exit_code rc = err == POT_OK
                            ? EXIT_CODE_DONE
                            : ctl_fail_err(ctl, err, "cannot write", path);
    free(path);
    return rc;
}

/* What a node does not answer is told in its file: that may be the reason. */
static enum exit_code save_part(struct ctl *ctl, const char *folder, size_t i)
{
    struct client_reply reply;
    enum exit_code rc = client_ask(&reply, ctl, "GET", parts[i].path, NULL, 0);
    if (rc == EXIT_CODE_DONE) {
        rc = save(ctl, folder, parts[i].file, reply.body.data, reply.body.size);
        client_reply_fini(&reply);
    }
    return rc;
}

/* All of them; without an answer at all there is one file that says so. */
static enum exit_code save_parts(struct ctl *ctl, const char *folder,
                                 bool may_be_stopped)
{
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        enum exit_code rc = save_part(ctl, folder, i);
        if (rc == EXIT_CODE_CONNECT && may_be_stopped && i == 0) {
            rc = save(ctl, folder, "not-running.txt", ctl->error,
                      strlen(ctl->error));
            ctl->error[0] = '\0';
            return rc;
        }
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
    }
    return EXIT_CODE_DONE;
}

/* The settings in force, as potd itself reads them, or what is wrong with
 * them; and what versions these are. */
static enum exit_code save_config(struct ctl *ctl, const struct cli_args *args,
                                  const char *folder, const char *config)
{
    struct buf out;
    char *potd;
    enum exit_code rc = process_find_potd(&potd, ctl, cli_value(args, "potd"));
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    const char *const calls[][4] = {
        {potd, "--version", NULL},
        {potd, "--config", config, "--check-config"},
    };
    buf_init(&out, CONFIG_MAX);
    for (size_t i = 0; rc == EXIT_CODE_DONE && i < 2; i++) {
        rc = process_collect(&out, ctl, calls[i], 4);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = save(ctl, folder, "config.txt", out.data, out.size);
    }
    buf_fini(&out);
    free(potd);
    return rc;
}

static enum exit_code save_log(struct ctl *ctl, const char *folder,
                               const char *log)
{
    char *data;
    size_t size;
    enum pot_err err = file_read(&data, &size, log, SIZE_MAX / 2);
    if (err != POT_OK) {
        return ctl_fail_read(ctl, err, log);
    }
    size_t from = size > LOG_TAIL ? size - LOG_TAIL : 0;
    enum exit_code rc = save(ctl, folder, "log.txt", data + from, size - from);
    free(data);
    return rc;
}

static enum exit_code run(struct ctl *ctl, const struct cli_args *args)
{
    const char *out;
    const char *log = cli_value(args, "log");
    struct stat info;
    enum exit_code rc = cli_required(&out, ctl, args, "out");
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    enum pot_err err = file_stat(out, &info) == POT_ENOENT
                           ? file_make_folder(out, 0700)
                           : POT_EEXIST;
    if (err != POT_OK) {
        return ctl_fail_err(ctl, err, "cannot make", out);
    }
    const char *config = cli_value(args, "config");
    rc = save_parts(ctl, out, config != NULL);
    if (rc == EXIT_CODE_DONE && config != NULL) {
        rc = save_config(ctl, args, out, config);
    }
    if (rc == EXIT_CODE_DONE && log != NULL) {
        rc = save_log(ctl, out, log);
    }
    if (rc == EXIT_CODE_DONE) {
        ctl_print(ctl, "%s\n", out);
        ctl_print_json(ctl, json_pack("{so}", "folder", json_text(out)));
    }
    return rc;
}

const struct cli_command cmd_debug_dump = {
    .name = "debug dump",
    .arguments = "",
    .summary = "save what explains why a node stands still",
    .details = "Status, readiness, metrics, peers, validators, the replica's"
               " votes and timers,\nthe latest blocks and certificates, tasks,"
               " the end of a log file, and with\n--config settings and"
               " versions; then the node may be stopped too.  When state\nroots"
               " differ, the log says which, and `potctl debug compare`"
               " where.\n",
    .examples = "  potctl debug dump --out dump --log potd.log\n"
                "  potctl debug dump --out dump --config node.toml\n",
    .options = {{"out", "DIR", "a folder that is not there"},
                {"log", "FILE", "the node's log, its end is taken"},
                {"config", "FILE", "the node's node.toml"},
                {"potd", "FILE", "the node's program"}},
    .run = run,
};
