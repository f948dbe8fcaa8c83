/* vsim_fault: what goes wrong, of the kinds that the seed has drawn. */
#ifndef POT_TESTS_VSIM_FAULT_H
#define POT_TESTS_VSIM_FAULT_H

/* vsim_fault_open: faults come from now on, until vsim_fault_heal: the network
 * is whole, disks are well, clocks are right, all nodes are up. */
void vsim_fault_open(void);
void vsim_fault_heal(void);

#endif
