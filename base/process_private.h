/* process_private: what a process that holds keys does first. */
#ifndef POT_BASE_PROCESS_PRIVATE_H
#define POT_BASE_PROCESS_PRIVATE_H

/* process_private: from now on no dump of this process's memory is written,
 * and other processes of its user cannot look into it; root can.  Under
 * AddressSanitizer, whose leak check looks in from outside, only the first. */
void process_private(void);

#endif
