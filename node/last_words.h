/* last_words: a program that ends because of what is on its disk says so, and
 * exits with code 8: LMDB trusts the pages that it maps, and faults or aborts
 * on damaged ones; a file that is cut short, or a disk that cannot be read,
 * raises SIGBUS; and the ledger, which cannot be told that a read failed, may
 * find that nothing holds any more. */
#ifndef POT_NODE_LAST_WORDS_H
#define POT_NODE_LAST_WORDS_H

struct store;

/* last_words_open: from now on; store outlives last_words_close. */
void last_words_open(struct store *store);
void last_words_close(void);

#endif
