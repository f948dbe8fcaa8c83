/* store_page: a page of an LMDB 0.9 file, decoded and checked by itself.
 *
 * Data version 1, 64-bit, little-endian:
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
#ifndef POT_STORAGE_STORE_PAGE_H
#define POT_STORAGE_STORE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE_MIN    4096
#define PAGE_SIZE_MAX    32768
#define PAGE_HEADER_SIZE 16
#define PAGE_META_SIZE   152 /* as far as we read */
#define PAGE_TREE_SIZE   48
#define PAGE_NONE        UINT64_MAX

enum page_node_flag {
    PAGE_NODE_BIG = 1,
    PAGE_NODE_TREE = 2,
};

/* Which tree a page belongs to. */
enum page_kind {
    PAGE_KIND_FREE,
    PAGE_KIND_MAIN,
    PAGE_KIND_TABLE,
};

struct page_tree {
    uint32_t pad;
    uint16_t flags;
    uint16_t depth;
    uint64_t branches;
    uint64_t leaves;
    uint64_t overflows;
    uint64_t entries;
    uint64_t root;
};

struct page_meta {
    struct page_tree free;
    struct page_tree main;
    uint64_t last;
    uint64_t transaction;
};

struct page_span {
    const uint8_t *data; /* NULL: no bound */
    size_t size;
};

struct page_node {
    struct page_span key;
    uint64_t child; /* branch */
    uint16_t flags; /* leaf: flags, value, and its bytes in the page */
    uint32_t value_size;
    const uint8_t *value;
    size_t size; /* of the whole node */
};

/* A branch or leaf page. */
struct page {
    uint8_t *data;
    size_t size;
    enum page_kind kind;
    bool is_leaf;
    size_t count;         /* of nodes */
    struct page_span low; /* its keys k: low <= k < high */
    struct page_span high;
};

/* page_read_tree: of PAGE_TREE_SIZE bytes. */
void page_read_tree(struct page_tree *out, const uint8_t *data);

/* page_read_meta: false if these bytes are no meta page. */
bool page_read_meta(struct page_meta *out,
                    const uint8_t data[static PAGE_META_SIZE]);

/* page_check: whether the page is what its size, kind, is_leaf, low and high
 * say, under this number; counts its nodes. */
bool page_check(struct page *page, uint64_t number);

/* page_node_at: a node of a page that was checked. */
struct page_node page_node_at(const struct page *page, size_t index);

/* page_is_overflow: whether header begins a run of count overflow pages. */
bool page_is_overflow(const uint8_t header[static PAGE_HEADER_SIZE],
                      uint64_t number, uint64_t count);

uint64_t page_read_number(const uint8_t data[static 8]);

#endif
