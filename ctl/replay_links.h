/* replay_links: finds what tells a planted gradient (proto/plant.h) from a
 * false one: secrets that challenges showed, and links of later submissions. */
#ifndef POT_CTL_REPLAY_LINKS_H
#define POT_CTL_REPLAY_LINKS_H

#include "base/hash.h"
#include "ctl/ctl.h"
#include "proto/chain.pb-c.h"
#include "replay/task_replay.h"

/* replay_links_tell: tells the replay what there is for the miners that update,
 * the next round of the task, counts; nothing in a task without plants.  What a
 * node makes up here shows as a difference. */
POT_MUST_USE enum exit_code replay_links_tell(struct task_replay *replay,
                                              struct ctl *ctl,
                                              const struct hash *task,
                                              const Pot__RoundUpdate *update);

#endif
