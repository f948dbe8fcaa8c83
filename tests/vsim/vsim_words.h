/* vsim_words: what replicas say to each other, looked at as it leaves. */
#ifndef POT_TESTS_VSIM_WORDS_H
#define POT_TESTS_VSIM_WORDS_H

void vsim_words_init(void);
void vsim_words_fini(void);

#endif
