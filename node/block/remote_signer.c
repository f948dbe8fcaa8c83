#include "config.h"

#include "node/block/remote_signer.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "proto/sign_frame.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct remote_signer {
    struct sockaddr_un address;
    struct hash chain;
    struct public_key public_key;
    int fd;              /* -1: down */
    uint64_t paused_ms;  /* no attempt before */
    struct hash refused; /* the message refused last: it is told once */
    struct remote_signer_stats stats;
    uint8_t question[SIGN_QUESTION_MAX];
};

static void hang_up(struct remote_signer *s)
{
    if (s->fd >= 0) {
        (void)close(s->fd);
    }
    s->fd = -1;
}

static void lose(struct remote_signer *s, const char *why)
{
    if (s->stats.is_up) {
        LOG(LOG_ERROR, "signer", "no signer: this validator does not vote",
            log_text("socket", s->address.sun_path), log_text("why", why));
    }
    s->stats.is_up = false;
    hang_up(s);
}

/* Until fd is ready for what is awaited.  False: not by then. */
static bool await(int fd, short events, uint64_t deadline_ms)
{
    struct pollfd one = {fd, events, 0};
    for (;;) {
        uint64_t now_ms = clock_steady_ms();
        int left = now_ms < deadline_ms ? (int)(deadline_ms - now_ms) : 0;
        int rc = poll(&one, 1, left);
        if (rc >= 0 || errno != EINTR) {
            return rc > 0;
        }
    }
}

/* All of the question, then all of the answer.  False: errno says why;
 * ETIMEDOUT. */
static bool transfer(int fd, const uint8_t *question, size_t size,
                     uint8_t answer[static SIGN_ANSWER_SIZE])
{
    uint64_t deadline_ms = clock_steady_ms() + REMOTE_SIGNER_DEADLINE_MS;
    size_t sent = 0;
    size_t got = 0;
    while (got < SIGN_ANSWER_SIZE) {
        bool is_sending = sent < size;
        if (!await(fd, is_sending ? POLLOUT : POLLIN, deadline_ms)) {
            errno = ETIMEDOUT;
            return false;
        }
        ssize_t n = is_sending ? send(fd, question + sent, size - sent,
                                      MSG_NOSIGNAL | MSG_DONTWAIT)
                               : recv(fd, answer + got, SIGN_ANSWER_SIZE - got,
                                      MSG_DONTWAIT);
        if (n == 0) {
            errno = ECONNRESET;
            return false;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return false;
        }
        size_t moved = n > 0 ? (size_t)n : 0;
        sent += is_sending ? moved : 0;
        got += is_sending ? 0 : moved;
    }
    return true;
}

/* False: there is no answer, and no connection any more. */
static bool ask(struct remote_signer *s, enum sign_verdict *verdict,
                struct signature *out, const struct sign_question *question)
{
    uint8_t answer[SIGN_ANSWER_SIZE];
    uint64_t begun_us = clock_steady_us();
    size_t size = sign_question_write(s->question, question);
    bool is_answered = transfer(s->fd, s->question, size, answer);
    s->stats.waited_us += clock_steady_us() - begun_us;
    if (is_answered && sign_answer_read(verdict, out, answer)) {
        return true;
    }
    if (!is_answered && errno == ETIMEDOUT) {
        s->paused_ms = clock_steady_ms() + REMOTE_SIGNER_PAUSE_MS;
    }
    lose(s, is_answered ? "it speaks something else" : strerror(errno));
    return false;
}

/* Connects; key: whose signer answers.  Errors: as remote_signer_open. */
static enum pot_err greet(struct remote_signer *s, struct public_key *key)
{
    enum sign_verdict verdict;
    struct signature answer;
    struct sign_question hello = {.tag = SIGN_HELLO, .chain = s->chain};
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0 || connect(s->fd, (const struct sockaddr *)&s->address,
                             sizeof(s->address)) != 0) {
        enum pot_err err = err_from_errno(errno);
        hang_up(s);
        return err;
    }
    if (!ask(s, &verdict, &answer, &hello)) {
        return POT_EIO;
    }
    if (verdict != SIGN_DONE) {
        hang_up(s);
        return POT_EGUARD;
    }
    memcpy(key->b, answer.b, PUBLIC_KEY_SIZE);
    return POT_OK;
}

/* Whether there is a connection now. */
static bool be_up(struct remote_signer *s)
{
    struct public_key key;
    if (s->fd >= 0) {
        return true;
    }
    if (clock_steady_ms() < s->paused_ms || greet(s, &key) != POT_OK) {
        return false;
    }
    if (!public_key_equal(&key, &s->public_key)) {
        s->paused_ms = clock_steady_ms() + REMOTE_SIGNER_PAUSE_MS;
        LOG(LOG_ERROR, "signer", "it has another key now",
            log_text("socket", s->address.sun_path));
        hang_up(s);
        return false;
    }
    s->stats.is_up = true;
    LOG(LOG_INFO, "signer", "the signer is back",
        log_text("socket", s->address.sun_path));
    return true;
}

static void tell_refusal(struct remote_signer *s,
                         const struct sign_question *question,
                         enum sign_verdict verdict)
{
    struct hash message;
    hash_bytes(&message, "refused", question->message, question->size);
    if (!hash_equal(&message, &s->refused)) {
        s->refused = message;
        LOG(LOG_WARN, "signer", "it refused to sign",
            log_text("what", sign_tag_what(question->tag)),
            log_text("why", sign_verdict_text(verdict)));
    }
}

static bool sign(void *context, struct signature *out, const char *what,
                 const struct hash *chain, const void *message, size_t size)
{
    struct remote_signer *s = context;
    enum sign_verdict verdict;
    struct sign_question question = {
        .chain = *chain, .message = message, .size = size};
    bool is_fit =
        sign_tag_find(&question.tag, what) && size <= SIGN_MESSAGE_MAX;
    POT_ASSERT(is_fit); /* a validator's key signs nothing else */
    if (!be_up(s) || !ask(s, &verdict, out, &question)) {
        memset(out, 0, sizeof(*out));
        s->stats.failed++;
        return false;
    }
    if (verdict != SIGN_DONE) {
        memset(out, 0, sizeof(*out));
        s->stats.refused++;
        tell_refusal(s, &question, verdict);
        return false;
    }
    s->stats.signatures++;
    return true;
}

enum pot_err remote_signer_open(struct remote_signer **out, const char *path,
                                const struct hash *chain)
{
    struct remote_signer *s = pot_calloc(1, sizeof(*s));
    size_t size = strlen(path);
    *out = NULL;
    s->fd = -1;
    s->chain = *chain;
    s->address.sun_family = AF_UNIX;
    enum pot_err err = size < sizeof(s->address.sun_path) ? POT_OK : POT_ELIMIT;
    if (err == POT_OK) {
        memcpy(s->address.sun_path, path, size);
        err = greet(s, &s->public_key);
    }
    if (err != POT_OK) {
        remote_signer_close(s);
        return err;
    }
    s->stats.is_up = true;
    *out = s;
    return POT_OK;
}

void remote_signer_close(struct remote_signer *signer)
{
    if (signer != NULL) {
        hang_up(signer);
        free(signer);
    }
}

struct key *remote_signer_key(struct remote_signer *signer)
{
    const struct key_signer by = {signer, sign};
    return key_remote(&signer->public_key, &by);
}

/* Nothing is asked, so whatever comes is the end. */
void remote_signer_tick(struct remote_signer *signer)
{
    struct pollfd one = {signer->fd, POLLIN, 0};
    if (signer->fd >= 0 && poll(&one, 1, 0) > 0) {
        lose(signer, "it closed the connection");
    }
    (void)be_up(signer);
}

void remote_signer_stats(const struct remote_signer *signer,
                         struct remote_signer_stats *out)
{
    *out = signer->stats;
}
