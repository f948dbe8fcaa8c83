#include "config.h"

#include "base/suggest.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 63

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: three rows of the table are enough. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);
    for (size_t j = 0; j <= b_size; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            bool is_same = a[i - 1] == b[j - 1];
            row[j] = least(least(above[j], row[j - 1]) + 1,
                           above[j - 1] + (is_same ? 0 : 1));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], above2[j - 2] + 1);
            }
        }
    }
    return rows[a_size % 3][b_size];
}

const char *suggest_nearest(const char *text, const char *const *words,
                            size_t count)
{
    const char *nearest = NULL;
    size_t size = strlen(text);
    size_t best = least(size / 3 + 1, 3) + 1;
    for (size_t i = 0; i < count && size <= WORD_MAX; i++) {
        if (strlen(words[i]) > WORD_MAX) {
            continue;
        }
        size_t d = distance(text, words[i]);
        if (d < best) {
            best = d;
            nearest = words[i];
        }
    }
    return nearest;
}

const char *suggest_text(char out[static SUGGEST_TEXT_SIZE], const char *prefix,
                         const char *text, const char *const *words,
                         size_t count)
{
    const char *nearest = suggest_nearest(text, words, count);
    out[0] = '\0';
    if (nearest != NULL) {
        (void)snprintf(out, SUGGEST_TEXT_SIZE, "; did you mean \"%s%s\"?",
                       prefix, nearest);
    }
    return out;
}
