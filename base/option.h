/* option: options of the command line, by their whole names only.
 *
 * getopt_long takes every beginning of a name that is no other's: what works
 * today means something else, or nothing, once another option begins so. */
#ifndef POT_BASE_OPTION_H
#define POT_BASE_OPTION_H

#include <getopt.h>

/* option_next: as getopt_long, with its optarg, optind and opterr, but a name
 * that is not whole is an unknown one.  *index, unless NULL, stays as it is for
 * an option of one letter.  Behind '?' and ':' argv[optind - 1] is the option
 * at fault. */
int option_next(int argc, char **argv, const char *shorts,
                const struct option *longs, int *index);

#endif
