#include "config.h"

#include "storage/store_page.h"

#include "base/bytes.h"
#include "base/check.h"

#include <string.h>

#define META_MAGIC   UINT32_C(0xbeefc0de)
#define META_VERSION 1
#define META_FLAGS   8 /* of the free tree: its keys are numbers */
#define KEY_MAX      511

enum page_flag {
    PAGE_BRANCH = 1,
    PAGE_LEAF = 2,
    PAGE_OVERFLOW = 4,
};

static void read_tree(struct page_tree *out, struct bytes_reader *r)
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

void page_read_tree(struct page_tree *out, const uint8_t *data)
{
    struct bytes_reader r;
    bytes_reader_init(&r, data, PAGE_TREE_SIZE);
    read_tree(out, &r);
    POT_ASSERT(bytes_is_done(&r));
}

uint64_t page_read_number(const uint8_t data[static 8])
{
    struct bytes_reader r;
    bytes_reader_init(&r, data, 8);
    return bytes_read_u64(&r);
}

bool page_read_meta(struct page_meta *out,
                    const uint8_t data[static PAGE_META_SIZE])
{
    struct bytes_reader r;
    bytes_reader_init(&r, data, PAGE_META_SIZE);
    (void)bytes_borrow(&r, PAGE_HEADER_SIZE);
    uint32_t magic = bytes_read_u32(&r);
    uint32_t version = bytes_read_u32(&r);
    (void)bytes_borrow(&r, 16);
    read_tree(&out->free, &r);
    read_tree(&out->main, &r);
    out->last = bytes_read_u64(&r);
    out->transaction = bytes_read_u64(&r);
    POT_ASSERT(bytes_is_done(&r));
    size_t size = out->free.pad;
    return magic == META_MAGIC && version == META_VERSION &&
           size >= PAGE_SIZE_MIN && size <= PAGE_SIZE_MAX &&
           (size & (size - 1)) == 0 && out->free.flags == META_FLAGS &&
           out->main.pad == 0 && out->main.flags == 0;
}

bool page_is_overflow(const uint8_t header[static PAGE_HEADER_SIZE],
                      uint64_t number, uint64_t count)
{
    struct bytes_reader r;
    bytes_reader_init(&r, header, PAGE_HEADER_SIZE);
    uint64_t self = bytes_read_u64(&r);
    (void)bytes_read_u16(&r);
    uint16_t flags = bytes_read_u16(&r);
    return self == number && flags == PAGE_OVERFLOW &&
           bytes_read_u32(&r) == count;
}

static size_t even(size_t size)
{
    return size + (size & 1);
}

/* Where a node begins. */
static size_t offset_of(const struct page *page, size_t index)
{
    const uint8_t *at = page->data + PAGE_HEADER_SIZE + 2 * index;
    return (size_t)(at[0] | at[1] << 8);
}

/* A node, if it lies within [upper, page size). */
static bool read_node(struct page_node *out, const struct page *page,
                      size_t index, size_t upper)
{
    struct bytes_reader r;
    size_t offset = offset_of(page, index);
    if (offset < upper || offset >= page->size || (offset & 1) != 0) {
        return false;
    }
    bytes_reader_init(&r, page->data + offset, page->size - offset);
    uint64_t low = bytes_read_u16(&r);
    uint64_t high = bytes_read_u16(&r);
    out->flags = bytes_read_u16(&r);
    out->key.size = bytes_read_u16(&r);
    out->key.data = bytes_borrow(&r, out->key.size);
    out->child = low | high << 16 | (uint64_t)out->flags << 32;
    out->value_size = (uint32_t)(low | high << 16);
    out->value = NULL;
    if (page->is_leaf) {
        bool is_big = (out->flags & PAGE_NODE_BIG) != 0;
        out->value =
            bytes_borrow(&r, is_big ? sizeof(uint64_t) : out->value_size);
    }
    out->size = even(r.offset);
    return !r.is_short && offset + out->size <= page->size &&
           out->key.size <= KEY_MAX;
}

struct page_node page_node_at(const struct page *page, size_t index)
{
    struct page_node node;
    bool is_there = read_node(&node, page, index, 0);
    POT_ASSERT(is_there);
    return node;
}

static int compare(enum page_kind kind, struct page_span a, struct page_span b)
{
    if (kind == PAGE_KIND_FREE) {
        uint64_t x = page_read_number(a.data);
        uint64_t y = page_read_number(b.data);
        return x < y ? -1 : x > y;
    }
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    if (order != 0) {
        return order;
    }
    return a.size < b.size ? -1 : a.size > b.size;
}

static bool is_key(enum page_kind kind, struct page_span key)
{
    return kind == PAGE_KIND_FREE ? key.size == 8 : key.size > 0;
}

/* The order of the keys; a branch's first node has none. */
static bool is_ordered(const struct page *page, size_t upper)
{
    struct page_node node;
    struct page_span last = page->low;
    for (size_t i = page->is_leaf ? 0 : 1; i < page->count; i++) {
        (void)read_node(&node, page, i, upper);
        if (!is_key(page->kind, node.key)) {
            return false;
        }
        if (last.data != NULL) {
            int order = compare(page->kind, last, node.key);
            bool may_equal = page->is_leaf && i == 0;
            if (order > 0 || (order == 0 && !may_equal)) {
                return false;
            }
        }
        if (page->high.data != NULL &&
            compare(page->kind, node.key, page->high) >= 0) {
            return false;
        }
        last = node.key;
    }
    return true;
}

/* The nodes fill the space from upper to the end, without overlap: a map
 * of the page's halfwords shows it. */
static bool is_tiled(const struct page *page, size_t upper)
{
    uint8_t map[PAGE_SIZE_MAX / 2 / 8] = {0};
    struct page_node node;
    size_t total = 0;
    for (size_t i = 0; i < page->count; i++) {
        if (!read_node(&node, page, i, upper)) {
            return false;
        }
        size_t first = offset_of(page, i) / 2;
        for (size_t half = first; half < first + node.size / 2; half++) {
            uint8_t bit = (uint8_t)(1 << (half & 7));
            if (map[half >> 3] & bit) {
                return false;
            }
            map[half >> 3] |= bit;
        }
        total += node.size;
    }
    return total == page->size - upper;
}

bool page_check(struct page *page, uint64_t number)
{
    struct bytes_reader r;
    bytes_reader_init(&r, page->data, page->size);
    uint64_t self = bytes_read_u64(&r);
    (void)bytes_read_u16(&r);
    uint16_t flags = bytes_read_u16(&r);
    size_t lower = bytes_read_u16(&r);
    size_t upper = bytes_read_u16(&r);
    size_t least = page->is_leaf || page->kind == PAGE_KIND_FREE ? 1 : 2;
    if (self != number || flags != (page->is_leaf ? PAGE_LEAF : PAGE_BRANCH) ||
        lower < PAGE_HEADER_SIZE || (lower & 1) != 0 || lower > upper ||
        upper > page->size) {
        return false;
    }
    page->count = (lower - PAGE_HEADER_SIZE) / 2;
    return page->count >= least && is_tiled(page, upper) &&
           is_ordered(page, upper);
}
