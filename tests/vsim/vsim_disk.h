/* vsim_disk: what nodes write goes to real files, and is remembered until it
 * is synced, so that a crash can take it back: all of it, or sector by sector.
 *
 * Stands in place of the system's pwrite, write, writev, rename, fsync,
 * fdatasync and fstatvfs for files below the homes of nodes; LMDB calls them
 * too.  A node's files are its own: who writes is vsim.current. */
#ifndef POT_TESTS_VSIM_DISK_H
#define POT_TESTS_VSIM_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/vsim/vsim_world.h"

/* vsim_disk_open: where the files lie; homes are folders below it. */
bool vsim_disk_open(const char *folder);

/* vsim_disk_freeze: nothing of the node's reaches its disk any more.
 * vsim_disk_crash: takes back what the crash loses; the node is down.
 * vsim_disk_forget: no file of the node's is known any more. */
void vsim_disk_freeze(struct vsim_node *node);
void vsim_disk_crash(struct vsim_node *node, enum vsim_crash crash);
void vsim_disk_forget(struct vsim_node *node);

/* vsim_disk_is_synced: nothing that was written to the file of this name is
 * at risk. */
bool vsim_disk_is_synced(const struct vsim_node *node, const char *name);

/* vsim_disk_rot: turns bits in a file of a node that is down; false when
 * there is no such file. */
bool vsim_disk_rot(const struct vsim_node *node, const char *name);

#endif
