/* A walk down the trees of the newer meta page: the free tree, the main tree,
 * and the tables that it names.  A page on the way down is kept, so that its
 * children's keys can be held to its own; a bit a page tells a second use. */
#include "config.h"

#include "storage/store_pages.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"
#include "storage/store_page.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 32
/* Pages given out and given back in one transaction are never written: the
 * file may end before its last page. */
#define UNWRITTEN_MAX (UINT64_C(1) << 20)

/* One page on the way from the root down. */
struct level {
    struct page page;
    size_t next; /* the node to look at next; next <= page.count */
};

struct check {
    int fd;
    size_t page_size;
    uint64_t file_pages;
    uint64_t last;
    uint8_t *used; /* a bit a page */
    const struct store_pages_options *options;
    char *why;
    size_t why_size;
};

struct walk {
    struct check *c;
    enum page_kind kind;
    struct page_span name;
    const struct page_tree *tree;
    struct level levels[DEPTH_MAX];
    size_t depth;
    struct page_tree seen;    /* counts so far */
    struct page_tree *tables; /* the main tree's: what it names */
    struct page_span *names;
    size_t table_count;
};

__attribute__((format(printf, 2, 3))) static enum pot_err damaged(
    struct check *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(c->why, c->why_size, format, args);
    va_end(args);
    return POT_ECORRUPT;
}

static enum pot_err read_at(struct check *c, void *out, size_t size,
                            uint64_t offset, size_t *count)
{
    *count = 0;
    while (*count < size) {
        ssize_t n = pread(c->fd, (char *)out + *count, size - *count,
                          (off_t)(offset + *count));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            (void)snprintf(c->why, c->why_size, "cannot read: %s",
                           strerror(errno));
            return err_from_errno(errno);
        }
        if (n == 0) {
            break;
        }
        *count += (size_t)n;
    }
    return POT_OK;
}

static enum pot_err read_meta(struct check *c, struct page_meta *out,
                              size_t index)
{
    uint8_t raw[PAGE_META_SIZE];
    size_t count;
    enum pot_err err =
        read_at(c, raw, sizeof(raw), index * c->page_size, &count);
    if (err != POT_OK) {
        return err;
    }
    if (count < sizeof(raw)) {
        return damaged(c, "the file is truncated");
    }
    if (!page_read_meta(out, raw) ||
        (index > 0 && out->free.pad != c->page_size)) {
        return damaged(c, "meta page %zu is damaged", index);
    }
    c->page_size = out->free.pad;
    return POT_OK;
}

/* Marks count pages from `first` on as used; false if one is already. */
static bool claim(struct check *c, uint64_t first, uint64_t count)
{
    if (first < 2 || first > c->last || count > c->last - first + 1) {
        return false;
    }
    for (uint64_t page = first; page < first + count; page++) {
        uint8_t bit = (uint8_t)(1 << (page & 7));
        if (c->used[page >> 3] & bit) {
            return false;
        }
        c->used[page >> 3] |= bit;
    }
    return true;
}

/* Reads page `number` as the next level down and checks it. */
static enum pot_err push(struct walk *w, uint64_t number, struct page_span low,
                         struct page_span high)
{
    struct check *c = w->c;
    size_t count;
    if (w->depth == DEPTH_MAX || w->depth == w->tree->depth) {
        return damaged(c, "page %llu is too deep", (unsigned long long)number);
    }
    if (!claim(c, number, 1)) {
        return damaged(c, "page %llu has two uses or is out of bounds",
                       (unsigned long long)number);
    }
    struct level *level = &w->levels[w->depth++];
    if (level->page.data == NULL) {
        level->page.data = pot_alloc(c->page_size);
    }
    enum pot_err err = read_at(c, level->page.data, c->page_size,
                               number * c->page_size, &count);
    if (err != POT_OK) {
        return err;
    }
    if (count < c->page_size) {
        return damaged(c, "the file is truncated before page %llu",
                       (unsigned long long)number);
    }
    level->next = 0;
    level->page.size = c->page_size;
    level->page.kind = w->kind;
    level->page.is_leaf = w->depth == w->tree->depth;
    level->page.low = low;
    level->page.high = high;
    if (!page_check(&level->page, number)) {
        return damaged(c, "page %llu is damaged", (unsigned long long)number);
    }
    *(level->page.is_leaf ? &w->seen.leaves : &w->seen.branches) += 1;
    return POT_OK;
}

/* A value on pages of its own: claims them; its first `want` bytes to out. */
static enum pot_err read_big(struct walk *w, const struct page_node *node,
                             uint8_t *out, size_t want)
{
    struct check *c = w->c;
    uint8_t header[PAGE_HEADER_SIZE];
    size_t count;
    uint64_t number = page_read_number(node->value);
    uint64_t pages =
        (PAGE_HEADER_SIZE - 1 + (uint64_t)node->value_size) / c->page_size + 1;
    if (!claim(c, number, pages)) {
        return damaged(c, "page %llu has two uses or is out of bounds",
                       (unsigned long long)number);
    }
    if (number + pages > c->file_pages) {
        return damaged(c, "the file is truncated within page %llu",
                       (unsigned long long)number);
    }
    enum pot_err err =
        read_at(c, header, sizeof(header), number * c->page_size, &count);
    if (err == POT_OK) {
        err = read_at(c, out, want, number * c->page_size + PAGE_HEADER_SIZE,
                      &count);
    }
    if (err != POT_OK) {
        return err;
    }
    if (count != want || !page_is_overflow(header, number, pages)) {
        return damaged(c, "page %llu is damaged", (unsigned long long)number);
    }
    w->seen.overflows += pages;
    return POT_OK;
}

static enum pot_err visit_free(struct walk *w, const struct page_node *node)
{
    struct check *c = w->c;
    struct bytes_reader r;
    uint8_t *list = pot_alloc((size_t)node->value_size + 1);
    enum pot_err err = POT_OK;
    if (node->flags & PAGE_NODE_BIG) {
        err = read_big(w, node, list, node->value_size);
    } else if (node->value_size > 0) {
        memcpy(list, node->value, node->value_size);
    }
    bytes_reader_init(&r, list, node->value_size);
    uint64_t count = err == POT_OK ? bytes_read_u64(&r) : 0;
    uint64_t above = PAGE_NONE;
    if (err == POT_OK && (r.is_short || count > bytes_left(&r) / 8)) {
        err = damaged(c, "a list of free pages is damaged");
    }
    for (uint64_t i = 0; err == POT_OK && i < count; i++) {
        uint64_t page = bytes_read_u64(&r);
        if (page >= above || !claim(c, page, 1)) {
            err = damaged(c, "a list of free pages is damaged");
        }
        above = page;
    }
    free(list);
    return err;
}

static enum pot_err visit_main(struct walk *w, const struct page_node *node)
{
    struct page_tree tree;
    if (node->value_size != PAGE_TREE_SIZE) {
        return damaged(w->c, "a table's record is damaged");
    }
    page_read_tree(&tree, node->value);
    if (tree.pad != 0 || tree.flags != 0) {
        return damaged(w->c, "a table's record is damaged");
    }
    size_t count = w->table_count + 1;
    w->tables = pot_realloc(w->tables, count, sizeof(*w->tables));
    w->names = pot_realloc(w->names, count, sizeof(*w->names));
    w->tables[w->table_count] = tree;
    w->names[w->table_count] = (struct page_span){
        .data = pot_memdup(node->key.data, node->key.size),
        .size = node->key.size,
    };
    w->table_count = count;
    return POT_OK;
}

static enum pot_err visit_record(struct walk *w, const struct page_node *node)
{
    struct store_pages_record record = {
        .table = (const char *)w->name.data,
        .table_size = w->name.size,
        .key = node->key.data,
        .key_size = node->key.size,
    };
    size_t want = node->value_size < STORE_PAGES_HEAD ? node->value_size
                                                      : STORE_PAGES_HEAD;
    if (node->flags & PAGE_NODE_BIG) {
        enum pot_err err = read_big(w, node, record.head, want);
        if (err != POT_OK) {
            return err;
        }
    } else if (want > 0) {
        memcpy(record.head, node->value, want);
    }
    w->c->options->on_record(w->c->options->context, &record);
    return POT_OK;
}

static enum pot_err visit_leaf(struct walk *w, const struct page_node *node)
{
    unsigned allowed =
        w->kind == PAGE_KIND_MAIN ? PAGE_NODE_TREE : PAGE_NODE_BIG;
    unsigned required = w->kind == PAGE_KIND_MAIN ? PAGE_NODE_TREE : 0;
    w->seen.entries++;
    if ((node->flags & ~allowed) != 0 || (node->flags & required) != required) {
        return damaged(w->c, "a record has unknown flags");
    }
    switch (w->kind) {
    case PAGE_KIND_FREE:
        return visit_free(w, node);
    case PAGE_KIND_MAIN:
        return visit_main(w, node);
    case PAGE_KIND_TABLE:
        break;
    }
    return visit_record(w, node);
}

/* One step: a child down, a record on, or a level up. */
static enum pot_err step(struct walk *w)
{
    struct level *level = &w->levels[w->depth - 1];
    const struct page *page = &level->page;
    if (level->next == page->count) {
        w->depth--;
        return POT_OK;
    }
    size_t index = level->next++;
    struct page_node node = page_node_at(page, index);
    if (page->is_leaf) {
        return visit_leaf(w, &node);
    }
    struct page_span low = index > 0 ? node.key : page->low;
    struct page_span high = page->high;
    if (level->next < page->count) {
        high = page_node_at(page, level->next).key;
    }
    return push(w, node.child, low, high);
}

static enum pot_err walk_tree(struct walk *w)
{
    const struct page_tree *tree = w->tree;
    enum pot_err err = POT_OK;
    if (tree->root != PAGE_NONE) {
        struct page_span none = {.data = NULL};
        err = push(w, tree->root, none, none);
        while (err == POT_OK && w->depth > 0) {
            err = step(w);
        }
    }
    for (size_t i = 0; i < DEPTH_MAX; i++) {
        free(w->levels[i].page.data);
    }
    if (err == POT_OK &&
        (w->seen.entries != tree->entries ||
         w->seen.branches != tree->branches || w->seen.leaves != tree->leaves ||
         w->seen.overflows != tree->overflows ||
         (tree->root == PAGE_NONE && tree->depth != 0))) {
        err = damaged(w->c, "a table does not hold what its record says");
    }
    return err;
}

static enum pot_err walk_all(struct check *c, const struct page_meta *meta)
{
    struct walk free_walk = {
        .c = c, .kind = PAGE_KIND_FREE, .tree = &meta->free};
    struct walk main_walk = {
        .c = c, .kind = PAGE_KIND_MAIN, .tree = &meta->main};
    enum pot_err err = walk_tree(&free_walk);
    if (err == POT_OK) {
        err = walk_tree(&main_walk);
    }
    for (size_t i = 0; i < main_walk.table_count; i++) {
        struct walk w = {
            .c = c,
            .kind = PAGE_KIND_TABLE,
            .name = main_walk.names[i],
            .tree = &main_walk.tables[i],
        };
        if (err == POT_OK) {
            err = walk_tree(&w);
        }
    }
    for (size_t i = 0; i < main_walk.table_count; i++) {
        free((void *)(uintptr_t)main_walk.names[i].data);
    }
    free(main_walk.names);
    free(main_walk.tables);
    return err;
}

enum pot_err store_pages_check(int fd,
                               const struct store_pages_options *options,
                               uint64_t *transaction, char *why,
                               size_t why_size)
{
    struct check c = {
        .fd = fd, .options = options, .why = why, .why_size = why_size};
    struct page_meta metas[2];
    struct stat info;
    *transaction = 0;
    if (fstat(fd, &info) != 0) {
        return err_from_errno(errno);
    }
    if (info.st_size == 0) {
        return POT_OK;
    }
    for (size_t i = 0; i < 2; i++) {
        enum pot_err err = read_meta(&c, &metas[i], i);
        if (err != POT_OK) {
            return err;
        }
    }
    const struct page_meta *meta =
        &metas[metas[0].transaction < metas[1].transaction];
    c.file_pages = (uint64_t)info.st_size / c.page_size;
    c.last = meta->last;
    if (c.file_pages < 2) {
        return damaged(&c, "the file is truncated");
    }
    if (c.last < 1 || c.last - 1 > c.file_pages + UNWRITTEN_MAX) {
        return damaged(&c, "the file is truncated: it has %llu pages of %llu",
                       (unsigned long long)c.file_pages,
                       (unsigned long long)c.last);
    }
    c.used = pot_calloc((size_t)(c.last / 8 + 1), 1);
    enum pot_err err = walk_all(&c, meta);
    free(c.used);
    *transaction = meta->transaction;
    return err;
}
