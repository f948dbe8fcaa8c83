#include "config.h"

#include "base/passphrase.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

struct passphrase {
    size_t size;
    char text[PASSPHRASE_MAX];
};

static struct passphrase *passphrase_new(void)
{
    int rc = sodium_init();
    POT_ASSERT(rc >= 0);
    struct passphrase *p = sodium_malloc(sizeof(*p));
    POT_ASSERT(p != NULL);
    p->size = 0;
    return p;
}

struct passphrase *passphrase_make(const char *text, size_t size)
{
    POT_ASSERT(size <= PASSPHRASE_MAX);
    struct passphrase *p = passphrase_new();
    memcpy(p->text, text, size);
    p->size = size;
    return p;
}

void passphrase_free(struct passphrase *passphrase)
{
    sodium_free(passphrase); /* wipes */
}

#define NO_STOP (-1)

/* Byte by byte: what stands behind the line may be another one's.  The byte
 * stop gives it up. */
static enum pot_err read_line(struct passphrase *p, int fd, int stop)
{
    for (;;) {
        unsigned char c;
        ssize_t n = read(fd, &c, 1);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_from_errno(errno);
        }
        if (n > 0 && c == stop) {
            return POT_ECANCELLED;
        }
        if (n == 0 || c == '\n') {
            break;
        }
        if (p->size == PASSPHRASE_MAX) {
            return POT_ELIMIT;
        }
        p->text[p->size++] = (char)c;
    }
    if (p->size > 0 && p->text[p->size - 1] == '\r') {
        p->size--;
    }
    return p->size > 0 ? POT_OK : POT_EFORMAT;
}

static enum pot_err take_line(struct passphrase **out, int fd, int stop)
{
    struct passphrase *p = passphrase_new();
    enum pot_err err = read_line(p, fd, stop);
    if (err != POT_OK) {
        passphrase_free(p);
        p = NULL;
    }
    *out = p;
    return err;
}

static enum pot_err check_mode(int fd)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return err_from_errno(errno);
    }
    bool is_open =
        S_ISREG(info.st_mode) && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    return is_open ? POT_EACCESS : POT_OK;
}

enum pot_err passphrase_read(struct passphrase **out, const char *path)
{
    *out = NULL;
    if (strcmp(path, "-") == 0) {
        return take_line(out, STDIN_FILENO, NO_STOP);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_from_errno(errno);
    }
    enum pot_err err = check_mode(fd);
    if (err == POT_OK) {
        err = take_line(out, fd, NO_STOP);
    }
    (void)close(fd);
    return err;
}

enum pot_err passphrase_ask(struct passphrase **out, const char *prompt)
{
    struct termios usual;
    *out = NULL;
    if (tcgetattr(STDIN_FILENO, &usual) != 0) {
        return POT_ELOCKED;
    }
    /* Control-C must not leave the terminal mute: here it is a character, one
     * that ends the line. */
    struct termios mute = usual;
    mute.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    mute.c_cc[VEOL] = usual.c_cc[VINTR];
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &mute) != 0) {
        return err_from_errno(errno);
    }
    (void)fputs(prompt, stderr);
    (void)fflush(stderr);
    enum pot_err err = take_line(out, STDIN_FILENO, usual.c_cc[VINTR]);
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &usual);
    (void)fputc('\n', stderr);
    return err;
}

const char *passphrase_text(const struct passphrase *passphrase, size_t *size)
{
    *size = passphrase->size;
    return passphrase->text;
}

bool passphrase_equal(const struct passphrase *a, const struct passphrase *b)
{
    return a->size == b->size && sodium_memcmp(a->text, b->text, a->size) == 0;
}
