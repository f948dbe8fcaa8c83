/* cpu_time: what this process spends its processor time on.
 *
 * A thread says which part it works for from now on; what it used since it last
 * said so is added to the part before.  A call reads the thread's clock, which
 * is a system call: around batches, not in loops over small things.
 * What no part is named for is CPU_OTHER, and is told by nobody: it is the rest
 * of the process's time. */
#ifndef POT_BASE_CPU_TIME_H
#define POT_BASE_CPU_TIME_H

#include <stdint.h>

/* X(part, name) */
#define CPU_PART_MAP(X)                                                        \
    X(CPU_OTHER, "other")                                                      \
    X(CPU_SIGNATURES, "signatures")                                            \
    X(CPU_DECODING, "decoding")                                                \
    X(CPU_LEDGER, "ledger")                                                    \
    X(CPU_HASHING, "hashing")                                                  \
    X(CPU_STORAGE, "storage")                                                  \
    X(CPU_NETWORK, "network")

enum cpu_part {
#define X(part, name) part,
    CPU_PART_MAP(X)
#undef X
        CPU_PARTS,
};

/* cpu_time_enter: from now on this thread works for part.  Returns the part
 * before, to go back to. */
enum cpu_part cpu_time_enter(enum cpu_part part);

/* cpu_time_sample: this thread goes from one small thing to the next.  Of the
 * spans that it does not spend on CPU_OTHER one in CPU_SAMPLE is measured,
 * drawn at random, and counts as so many. */
#define CPU_SAMPLE 16
void cpu_time_sample(void);

/* cpu_time_us: of all threads, for a part other than CPU_OTHER. */
uint64_t cpu_time_us(enum cpu_part part);

/* cpu_time_name: static. */
const char *cpu_time_name(enum cpu_part part);

#endif
