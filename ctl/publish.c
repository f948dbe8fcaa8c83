/* The order matters: the node is told what will come (POST /v1/datasets), is
 * given the chunks it lacks, and only then the transaction is sent, so that
 * validators find the data when they execute it. */
#include "config.h"

#include "ctl/publish.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "ctl/client.h"
#include "proto/codec.h"
#include "proto/spec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void hash_chunks(struct publish *publish)
{
    size_t count = (size_t)dataset_chunk_count(publish->size);
    publish->chunk_count = count;
    publish->chunks = pot_calloc(count, sizeof(*publish->chunks));
    publish->chunk_fields = pot_calloc(count, sizeof(*publish->chunk_fields));
    for (size_t i = 0; i < count; i++) {
        dataset_chunk_hash(&publish->chunks[i],
                           publish->data + i * DATASET_CHUNK_BYTES,
                           dataset_chunk_size(publish->size, i));
        publish->chunk_fields[i] = codec_bytes(publish->chunks[i].b, HASH_SIZE);
    }
    dataset_address(&publish->address, publish->chunks, count);
    (void)hash_format(&publish->address, publish->address_text);
}

enum exit_code publish_init(struct publish *publish, struct ctl *ctl,
                            const void *data, size_t size, const char *path,
                            const char *suffix)
{
    *publish = (struct publish){.data = data, .size = size};
    enum pot_err err = dataset_view(&publish->set, data, size);
    if (err != POT_OK) {
        return ctl_fail(ctl, EXIT_CODE_REJECTED,
                        "%s: not a data set (.pds): %s; `potctl dataset"
                        " import` makes one",
                        path, err_text(err));
    }
    if (size > (size_t)DATASET_CHUNKS_MAX * DATASET_CHUNK_BYTES) {
        return ctl_fail(ctl, EXIT_CODE_REJECTED, "%s: larger than %d MiB", path,
                        DATASET_CHUNKS_MAX);
    }
    hash_chunks(publish);
    Pot__PublishDataset *message = &publish->message;
    pot__publish_dataset__init(message);
    message->dataset = codec_bytes(publish->address.b, HASH_SIZE);
    message->size_bytes = size;
    message->n_chunks = publish->chunk_count;
    message->chunks = publish->chunk_fields;
    message->rows = publish->set.rows;
    message->features = publish->set.features;
    message->classes = publish->set.classes;
    publish_name(publish->name, path, suffix);
    message->name = publish->name;
    return EXIT_CODE_DONE;
}

void publish_fini(struct publish *publish)
{
    free(publish->chunks);
    free(publish->chunk_fields);
    *publish = (struct publish){0};
}

enum exit_code publish_look(struct publish *publish, struct ctl *ctl)
{
    char path[128];
    struct client_reply reply;
    (void)snprintf(path, sizeof(path), "/v1/datasets/%s",
                   publish->address_text);
    enum exit_code rc = client_ask(&reply, ctl, "GET", path, NULL, 0);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    publish->is_known = reply.status == 200;
    publish->is_held =
        publish->is_known && json_is_true(json_object_get(reply.json, "held"));
    if (reply.status != 200 && reply.status != 404) {
        rc = client_refused(ctl, &reply, path);
    }
    client_reply_fini(&reply);
    return rc;
}

static void make_body(Pot__TxBody *body, struct publish *publish)
{
    pot__tx_body__init(body);
    body->action_case = POT__TX_BODY__ACTION_PUBLISH_DATASET;
    body->publish_dataset = &publish->message;
}

uint64_t publish_fee(const struct publish *publish, struct sender *sender)
{
    Pot__TxBody body;
    struct publish copy = *publish;
    if (publish->is_known) {
        return 0;
    }
    make_body(&body, &copy);
    sender_prepare(sender, &body);
    return body.fee;
}

static void show_progress(struct ctl *ctl, const struct publish *publish,
                          size_t done, size_t all)
{
    if (ctl->has_live_stderr && !ctl->is_quiet) {
        (void)fprintf(stderr, "\r\033[K%s: %zu of %zu chunks sent%s",
                      publish->message.name, done, all,
                      done == all ? "\n" : "");
    }
}

static enum exit_code put_chunk(struct ctl *ctl, const struct publish *publish,
                                size_t index)
{
    char path[160];
    struct client_reply reply;
    (void)snprintf(path, sizeof(path), "/v1/datasets/%s/chunks/%zu",
                   publish->address_text, index);
    enum exit_code rc = client_ask(&reply, ctl, "PUT", path,
                                   publish->data + index * DATASET_CHUNK_BYTES,
                                   dataset_chunk_size(publish->size, index));
    if (rc == EXIT_CODE_DONE && (reply.status < 200 || reply.status > 299)) {
        rc = client_refused(ctl, &reply, "a chunk of the data set");
    }
    client_reply_fini(&reply);
    return rc;
}

static enum exit_code put_missing(struct ctl *ctl, struct publish *publish,
                                  const json_t *missing)
{
    size_t i;
    json_t *index;
    size_t count = json_array_size(missing);
    if (!ctl->has_live_stderr && count > 0) {
        ctl_note(ctl, "%s: sending %zu chunk%s", publish->message.name, count,
                 count == 1 ? "" : "s");
    }
    json_array_foreach(missing, i, index)
    {
        json_int_t at = json_integer_value(index);
        if (at < 0 || (uint64_t)at >= publish->chunk_count) {
            return ctl_fail(ctl, EXIT_CODE_FAILED,
                            "the node asks for chunk %" JSON_INTEGER_FORMAT
                            " of %zu",
                            at, publish->chunk_count);
        }
        enum exit_code rc = put_chunk(ctl, publish, (size_t)at);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
        show_progress(ctl, publish, i + 1, count);
    }
    return EXIT_CODE_DONE;
}

static enum exit_code upload(struct ctl *ctl, struct publish *publish)
{
    size_t size;
    struct client_reply reply;
    uint8_t *data = codec_encode(&size, &publish->message);
    enum exit_code rc =
        client_ask(&reply, ctl, "POST", "/v1/datasets", data, size);
    free(data);
    if (rc == EXIT_CODE_DONE && (reply.status < 200 || reply.status > 299)) {
        rc = client_refused(ctl, &reply, "the data set");
    }
    if (rc == EXIT_CODE_DONE) {
        rc = put_missing(ctl, publish, json_object_get(reply.json, "missing"));
    }
    client_reply_fini(&reply);
    return rc;
}

enum exit_code publish_run(struct hash *out_tx, struct publish *publish,
                           struct sender *sender)
{
    Pot__TxBody body;
    uint64_t height;
    enum exit_code rc = EXIT_CODE_DONE;
    *out_tx = (struct hash){{0}};
    if (!publish->is_held) {
        rc = upload(sender->ctl, publish);
    }
    if (rc != EXIT_CODE_DONE || publish->is_known) {
        return rc;
    }
    make_body(&body, publish);
    rc = sender_send(out_tx, sender, &body, 0);
    if (rc == EXIT_CODE_DONE) {
        rc = sender_wait(&height, sender, out_tx);
    }
    if (rc == EXIT_CODE_DONE) {
        ctl_note(sender->ctl, "data set %s published at height %" PRIu64,
                 publish->address_text, height);
    }
    publish->is_known = rc == EXIT_CODE_DONE;
    return rc;
}

void publish_name(char out[static TX_TEXT_MAX + 1], const char *path,
                  const char *suffix)
{
    static const char *const endings[] = {".gz", ".pds", ".csv", ".npy",
                                          ".idx"};
    const char *slash = strrchr(path, '/');
    char *stem = pot_strdup(slash != NULL ? slash + 1 : path);
    size_t size = strlen(stem);
    for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
        size_t ending = strlen(endings[i]);
        if (size > ending && strcmp(stem + size - ending, endings[i]) == 0) {
            size -= ending;
            stem[size] = '\0';
        }
    }
    spec_make_name(out, stem, suffix);
    free(stem);
}
