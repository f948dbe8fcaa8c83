/* An LMDB 0.9 file (data version 1, 64-bit, little-endian), in pages:
 *
 *   page    u64 number | u16 0 | u16 flags | u16 lower | u16 upper | body
 *           an overflow page has u32 count in place of lower and upper
 *   meta    (pages 0 and 1) page header | u32 magic | u32 version |
 *           u64 address | u64 map size | tree free | tree main |
 *           u64 last page | u64 transaction
 *   tree    u32 page size (free) or 0 | u16 flags | u16 depth |
 *           u64 branches | u64 leaves | u64 overflows | u64 entries | u64 root
 *   branch, leaf
 *           from 16 to lower: u16 offsets of nodes, by ascending key;
 *           from upper to the end: the nodes
 *   node    u16 low | u16 high | u16 flags | u16 key size | key | value
 *           branch: low, high and flags are a page number of 48 bits
 *           leaf: low and high are the value's size; flag 1: the value is
 *           the number of its first overflow page; flag 2: it is a tree
 *
 * Of the two metas the one with the higher transaction counts.  Records of
 * the free tree: u64 transaction -> u64 count, then page numbers, descending.
 * Records of the main tree: table name -> tree. */
#include "config.h"

#include "storage/store_pages.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define META_MAGIC   UINT32_C(0xbeefc0de)
#define META_VERSION 1
#define META_SIZE    152 /* as far as we read */
#define PAGE_MIN     4096
#define PAGE_MAX     32768
#define PAGE_HEADER  16
#define NODE_HEADER  8
#define TREE_SIZE    48
#define DEPTH_MAX    32
#define KEY_MAX      511
#define NO_PAGE      UINT64_MAX
/* Pages given out and given back in one transaction are never written: the
 * file may end before its last page. */
#define UNWRITTEN_MAX (UINT64_C(1) << 20)

enum page_flag {
    PAGE_BRANCH = 1,
    PAGE_LEAF = 2,
    PAGE_OVERFLOW = 4,
};

enum node_flag {
    NODE_BIG = 1,
    NODE_TREE = 2,
};

enum kind {
    KIND_FREE,
    KIND_MAIN,
    KIND_TABLE,
};

struct tree {
    uint32_t pad;
    uint16_t flags;
    uint16_t depth;
    uint64_t branches;
    uint64_t leaves;
    uint64_t overflows;
    uint64_t entries;
    uint64_t root;
};

struct meta {
    struct tree free;
    struct tree main;
    uint64_t last;
    uint64_t transaction;
};

struct span {
    const uint8_t *data; /* NULL: no bound */
    size_t size;
};

struct node {
    struct span key;
    uint64_t child; /* branch */
    uint16_t flags; /* leaf: flags, value, and its bytes in the page */
    uint32_t value_size;
    const uint8_t *value;
    size_t size; /* of the whole node */
};

/* One page on the way from the root down. */
struct level {
    uint8_t *page;
    size_t count;    /* of nodes */
    size_t next;     /* the node to look at next; next <= count */
    struct span low; /* its keys k: low <= k < high */
    struct span high;
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
    enum kind kind;
    struct span name;
    const struct tree *tree;
    struct level levels[DEPTH_MAX];
    size_t depth;
    struct tree seen;    /* counts so far */
    struct tree *tables; /* KIND_MAIN: the trees met, with their names */
    struct span *names;
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

static void read_tree(struct tree *out, struct bytes_reader *r)
{
    out->pad = bytes_read_u32(r);
    out->flags = bytes_read_u16(r);
    out->depth = bytes_read_u16(r);
    out->branches = bytes_read_u64(r);
    out->leaves = bytes_read_u64(r);
    out->overflows = bytes_read_u64(r);
    out->entries = bytes_read_u64(r);
    out->root = bytes_read_u64(r);
}

static enum pot_err read_meta(struct check *c, struct meta *out, size_t index)
{
    uint8_t raw[META_SIZE];
    struct bytes_reader r;
    size_t count;
    enum pot_err err =
        read_at(c, raw, sizeof(raw), index * c->page_size, &count);
    if (err != POT_OK) {
        return err;
    }
    if (count < sizeof(raw)) {
        return damaged(c, "the file is truncated");
    }
    bytes_reader_init(&r, raw, sizeof(raw));
    (void)bytes_borrow(&r, PAGE_HEADER);
    uint32_t magic = bytes_read_u32(&r);
    uint32_t version = bytes_read_u32(&r);
    (void)bytes_borrow(&r, 16);
    read_tree(&out->free, &r);
    read_tree(&out->main, &r);
    out->last = bytes_read_u64(&r);
    out->transaction = bytes_read_u64(&r);
    POT_ASSERT(!r.is_short);
    if (magic != META_MAGIC || version != META_VERSION) {
        return damaged(c, "page %zu is no meta page", index);
    }
    if (index == 0) {
        c->page_size = out->free.pad;
    }
    if (out->free.pad != c->page_size || c->page_size < PAGE_MIN ||
        c->page_size > PAGE_MAX || (c->page_size & (c->page_size - 1)) != 0 ||
        out->free.flags != 8 || out->main.pad != 0 || out->main.flags != 0) {
        return damaged(c, "meta page %zu is damaged", index);
    }
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

static size_t even(size_t size)
{
    return size + (size & 1);
}

/* The node at offset, if it lies within [upper, page size). */
static bool read_node(struct node *out, const struct check *c,
                      const uint8_t *page, size_t offset, size_t upper,
                      bool is_leaf)
{
    struct bytes_reader r;
    if (offset < upper || offset >= c->page_size || (offset & 1) != 0) {
        return false;
    }
    bytes_reader_init(&r, page + offset, c->page_size - offset);
    uint64_t low = bytes_read_u16(&r);
    uint64_t high = bytes_read_u16(&r);
    out->flags = bytes_read_u16(&r);
    out->key.size = bytes_read_u16(&r);
    out->key.data = bytes_borrow(&r, out->key.size);
    out->child = low | high << 16 | (uint64_t)out->flags << 32;
    out->value_size = (uint32_t)(low | high << 16);
    if (is_leaf) {
        out->value = bytes_borrow(&r, out->flags & NODE_BIG ? sizeof(uint64_t)
                                                            : out->value_size);
    }
    out->size = even(r.offset);
    return !r.is_short && offset + out->size <= c->page_size &&
           out->key.size <= KEY_MAX;
}

static int compare(enum kind kind, struct span a, struct span b)
{
    if (kind == KIND_FREE) {
        struct bytes_reader ra;
        struct bytes_reader rb;
        bytes_reader_init(&ra, a.data, a.size);
        bytes_reader_init(&rb, b.data, b.size);
        uint64_t x = bytes_read_u64(&ra);
        uint64_t y = bytes_read_u64(&rb);
        return x < y ? -1 : x > y;
    }
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    if (order != 0) {
        return order;
    }
    return a.size < b.size ? -1 : a.size > b.size;
}

/* The nodes of a page: their places, their sizes, their order. */
static bool check_nodes(struct walk *w, const struct level *level, size_t upper,
                        bool is_leaf)
{
    const struct check *c = w->c;
    struct node node;
    struct span last = level->low;
    size_t total = 0;
    for (size_t i = 0; i < level->count; i++) {
        const uint8_t *at = level->page + PAGE_HEADER + 2 * i;
        size_t offset = (size_t)(at[0] | at[1] << 8);
        if (!read_node(&node, c, level->page, offset, upper, is_leaf)) {
            return false;
        }
        total += node.size;
        bool has_key = is_leaf || i > 0; /* a branch's first has none */
        if (!has_key) {
            continue;
        }
        if (node.key.size == 0 ||
            (w->kind == KIND_FREE && node.key.size != 8)) {
            return false;
        }
        if (last.data != NULL) {
            int order = compare(w->kind, last, node.key);
            bool is_first = is_leaf && i == 0;
            if (order > 0 || (order == 0 && !is_first)) {
                return false;
            }
        }
        if (level->high.data != NULL &&
            compare(w->kind, node.key, level->high) >= 0) {
            return false;
        }
        last = node.key;
    }
    return total == c->page_size - upper;
}

/* Nodes that fill their space in total may still overlap; that two of them
 * begin inside one another shows in a map of the page. */
static bool has_overlap(const struct check *c, const struct level *level,
                        size_t upper, bool is_leaf)
{
    uint8_t map[PAGE_MAX / 2 / 8] = {0};
    struct node node;
    for (size_t i = 0; i < level->count; i++) {
        const uint8_t *at = level->page + PAGE_HEADER + 2 * i;
        size_t offset = (size_t)(at[0] | at[1] << 8);
        (void)read_node(&node, c, level->page, offset, upper, is_leaf);
        for (size_t half = offset / 2; half < (offset + node.size) / 2;
             half++) {
            uint8_t bit = (uint8_t)(1 << (half & 7));
            if (map[half >> 3] & bit) {
                return true;
            }
            map[half >> 3] |= bit;
        }
    }
    return false;
}

/* Reads page `number` as the next level down and checks it. */
static enum pot_err push(struct walk *w, uint64_t number, struct span low,
                         struct span high)
{
    struct check *c = w->c;
    struct bytes_reader r;
    size_t count;
    if (w->depth == DEPTH_MAX || w->depth == w->tree->depth) {
        return damaged(c, "page %llu is too deep", (unsigned long long)number);
    }
    if (!claim(c, number, 1)) {
        return damaged(c, "page %llu has two uses or is out of bounds",
                       (unsigned long long)number);
    }
    struct level *level = &w->levels[w->depth];
    if (level->page == NULL) {
        level->page = pot_alloc(c->page_size);
    }
    enum pot_err err =
        read_at(c, level->page, c->page_size, number * c->page_size, &count);
    if (err != POT_OK) {
        return err;
    }
    if (count < c->page_size) {
        return damaged(c, "the file is truncated before page %llu",
                       (unsigned long long)number);
    }
    bytes_reader_init(&r, level->page, c->page_size);
    uint64_t self = bytes_read_u64(&r);
    (void)bytes_read_u16(&r);
    uint16_t flags = bytes_read_u16(&r);
    size_t lower = bytes_read_u16(&r);
    size_t upper = bytes_read_u16(&r);
    w->depth++;
    bool is_leaf = w->depth == w->tree->depth;
    level->count = lower < PAGE_HEADER ? 0 : (lower - PAGE_HEADER) / 2;
    level->next = 0;
    level->low = low;
    level->high = high;
    size_t least = is_leaf || w->kind == KIND_FREE ? 1 : 2;
    if (self != number || flags != (is_leaf ? PAGE_LEAF : PAGE_BRANCH) ||
        (lower & 1) != 0 || lower > upper || upper > c->page_size ||
        level->count < least || !check_nodes(w, level, upper, is_leaf) ||
        has_overlap(c, level, upper, is_leaf)) {
        return damaged(c, "page %llu is damaged", (unsigned long long)number);
    }
    *(is_leaf ? &w->seen.leaves : &w->seen.branches) += 1;
    return POT_OK;
}

/* The node that a level's `next` stands at. */
static struct node node_at(const struct walk *w, const struct level *level,
                           size_t index, bool is_leaf)
{
    struct node node;
    const uint8_t *at = level->page + PAGE_HEADER + 2 * index;
    bool is_there = read_node(&node, w->c, level->page,
                              (size_t)(at[0] | at[1] << 8), 0, is_leaf);
    POT_ASSERT(is_there);
    return node;
}

static uint64_t read_number(const uint8_t *data)
{
    struct bytes_reader r;
    bytes_reader_init(&r, data, 8);
    return bytes_read_u64(&r);
}

/* A value on pages of its own: claims them; its first `want` bytes to out. */
static enum pot_err read_big(struct walk *w, const struct node *node,
                             uint8_t *out, size_t want)
{
    struct check *c = w->c;
    uint8_t header[PAGE_HEADER];
    struct bytes_reader r;
    size_t count;
    uint64_t number = read_number(node->value);
    uint64_t pages =
        (PAGE_HEADER - 1 + (uint64_t)node->value_size) / c->page_size + 1;
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
        err =
            read_at(c, out, want, number * c->page_size + PAGE_HEADER, &count);
    }
    if (err != POT_OK) {
        return err;
    }
    bytes_reader_init(&r, header, sizeof(header));
    uint64_t self = bytes_read_u64(&r);
    (void)bytes_read_u16(&r);
    uint16_t flags = bytes_read_u16(&r);
    if (self != number || flags != PAGE_OVERFLOW ||
        bytes_read_u32(&r) != pages || count != want) {
        return damaged(c, "page %llu is damaged", (unsigned long long)number);
    }
    w->seen.overflows += pages;
    return POT_OK;
}

static enum pot_err visit_free(struct walk *w, const struct node *node)
{
    struct check *c = w->c;
    struct bytes_reader r;
    uint8_t *list = pot_alloc((size_t)node->value_size + 1);
    enum pot_err err = POT_OK;
    if (node->flags & NODE_BIG) {
        err = read_big(w, node, list, node->value_size);
    } else if (node->value_size > 0) {
        memcpy(list, node->value, node->value_size);
    }
    bytes_reader_init(&r, list, node->value_size);
    uint64_t count = err == POT_OK ? bytes_read_u64(&r) : 0;
    uint64_t above = NO_PAGE;
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

static enum pot_err visit_main(struct walk *w, const struct node *node)
{
    struct bytes_reader r;
    if (node->value_size != TREE_SIZE) {
        return damaged(w->c, "a table's record is damaged");
    }
    struct tree tree;
    bytes_reader_init(&r, node->value, TREE_SIZE);
    read_tree(&tree, &r);
    if (tree.pad != 0 || tree.flags != 0) {
        return damaged(w->c, "a table's record is damaged");
    }
    size_t count = w->table_count + 1;
    w->tables = pot_realloc(w->tables, count, sizeof(*w->tables));
    w->names = pot_realloc(w->names, count, sizeof(*w->names));
    w->tables[w->table_count] = tree;
    w->names[w->table_count] = (struct span){
        .data = pot_memdup(node->key.data, node->key.size),
        .size = node->key.size,
    };
    w->table_count = count;
    return POT_OK;
}

static enum pot_err visit_record(struct walk *w, const struct node *node)
{
    struct store_pages_record record = {
        .table = (const char *)w->name.data,
        .table_size = w->name.size,
        .key = node->key.data,
        .key_size = node->key.size,
        .value_size = node->value_size,
    };
    size_t want = node->value_size < STORE_PAGES_HEAD ? node->value_size
                                                      : STORE_PAGES_HEAD;
    if (node->flags & NODE_BIG) {
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

static enum pot_err visit_leaf(struct walk *w, const struct node *node)
{
    unsigned allowed = w->kind == KIND_MAIN ? NODE_TREE : NODE_BIG;
    unsigned required = w->kind == KIND_MAIN ? NODE_TREE : 0;
    w->seen.entries++;
    if ((node->flags & ~allowed) != 0 || (node->flags & required) != required) {
        return damaged(w->c, "a record has unknown flags");
    }
    switch (w->kind) {
    case KIND_FREE:
        return visit_free(w, node);
    case KIND_MAIN:
        return visit_main(w, node);
    case KIND_TABLE:
        break;
    }
    return visit_record(w, node);
}

/* One step: a child down, a record on, or a level up. */
static enum pot_err step(struct walk *w)
{
    struct level *level = &w->levels[w->depth - 1];
    bool is_leaf = w->depth == w->tree->depth;
    if (level->next == level->count) {
        w->depth--;
        return POT_OK;
    }
    size_t index = level->next++;
    struct node node = node_at(w, level, index, is_leaf);
    if (is_leaf) {
        return visit_leaf(w, &node);
    }
    struct span low = index > 0 ? node.key : level->low;
    struct span high = level->high;
    if (level->next < level->count) {
        high = node_at(w, level, level->next, false).key;
    }
    return push(w, node.child, low, high);
}

static enum pot_err walk_tree(struct walk *w)
{
    const struct tree *tree = w->tree;
    enum pot_err err = POT_OK;
    if (tree->root != NO_PAGE) {
        struct span none = {.data = NULL};
        err = push(w, tree->root, none, none);
        while (err == POT_OK && w->depth > 0) {
            err = step(w);
        }
    }
    for (size_t i = 0; i < DEPTH_MAX; i++) {
        free(w->levels[i].page);
    }
    if (err == POT_OK &&
        (w->seen.entries != tree->entries ||
         w->seen.branches != tree->branches || w->seen.leaves != tree->leaves ||
         w->seen.overflows != tree->overflows ||
         (tree->root == NO_PAGE && tree->depth != 0))) {
        err = damaged(w->c, "a table does not hold what its record says");
    }
    return err;
}

static enum pot_err walk_all(struct check *c, const struct meta *meta)
{
    struct walk free_walk = {.c = c, .kind = KIND_FREE, .tree = &meta->free};
    struct walk main_walk = {.c = c, .kind = KIND_MAIN, .tree = &meta->main};
    enum pot_err err = walk_tree(&free_walk);
    if (err == POT_OK) {
        err = walk_tree(&main_walk);
    }
    for (size_t i = 0; i < main_walk.table_count; i++) {
        struct walk w = {
            .c = c,
            .kind = KIND_TABLE,
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
    struct meta metas[2];
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
    const struct meta *meta =
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
