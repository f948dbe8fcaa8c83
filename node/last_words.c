#include "config.h"

#include "node/last_words.h"

#include "base/check.h"
#include "base/exit_code.h"
#include "storage/store.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static struct store *_Atomic watched;

/* Safe in a signal handler. */
static _Noreturn void end(const char *why)
{
    static const char what[] = ": run `potctl store verify --config FILE`, and "
                               "if that finds damage `potctl resync --config "
                               "FILE`\n";
    (void)!write(STDERR_FILENO, "potd: ", 6);
    (void)!write(STDERR_FILENO, why, strlen(why));
    (void)!write(STDERR_FILENO, what, sizeof(what) - 1);
    _exit(EXIT_CODE_STORE);
}

/* An assertion that fails when stored data could not be read is not ours. */
static void excuse(void)
{
    const struct store *store = watched;
    if (store != NULL && store_health(store) >= STORE_FAILED) {
        end("stored data is damaged or cannot be read, and nothing holds "
            "without it");
    }
}

static void on_signal(int number)
{
    if (number == SIGBUS) {
        end("a mapped file was cut short, or its disk cannot be read");
    }
    if (store_is_at_work()) {
        end("LMDB fails on a damaged page of the store");
    }
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

void last_words_open(struct store *store)
{
    static const int numbers[] = {SIGBUS, SIGSEGV, SIGABRT};
    watched = store;
    check_set_excuse(excuse);
#ifndef __SANITIZE_ADDRESS__ /* it has handlers of its own */
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        (void)signal(numbers[i], on_signal);
    }
#else
    (void)numbers;
    (void)on_signal;
#endif
}

void last_words_close(void)
{
    watched = NULL;
}
