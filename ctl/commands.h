/* commands: one entry a command of potctl, by the file that holds it and in
 * the order of its help. */
#ifndef POT_CTL_COMMANDS_H
#define POT_CTL_COMMANDS_H

#include "ctl/cli.h"

#define COMMAND_MAP(X)                                                         \
    /* ctl/cmd_status.c */                                                     \
    X(cmd_status)                                                              \
    /* ctl/cmd_testnet_init.c */                                               \
    X(cmd_testnet_init)                                                        \
    /* ctl/cmd_testnet_up.c */                                                 \
    X(cmd_testnet_up)                                                          \
    /* ctl/cmd_testnet.c */                                                    \
    X(cmd_testnet_down)                                                        \
    X(cmd_testnet_ps)                                                          \
    /* ctl/cmd_key.c */                                                        \
    X(cmd_key_new)                                                             \
    X(cmd_key_encrypt)                                                         \
    X(cmd_key_decrypt)                                                         \
    X(cmd_key_show)                                                            \
    /* ctl/cmd_recover.c */                                                    \
    X(cmd_recover)                                                             \
    X(cmd_unsafe_vote_now)                                                     \
    /* ctl/cmd_account.c */                                                    \
    X(cmd_balance)                                                             \
    X(cmd_transfer)                                                            \
    X(cmd_stake)                                                               \
    X(cmd_unstake)                                                             \
    /* ctl/cmd_members.c */                                                    \
    X(cmd_validators)                                                          \
    X(cmd_miners)                                                              \
    X(cmd_peers)                                                               \
    /* ctl/cmd_dataset.c */                                                    \
    X(cmd_dataset_import)                                                      \
    X(cmd_dataset_publish)                                                     \
    X(cmd_dataset_show)                                                        \
    /* ctl/cmd_submit_task.c */                                                \
    X(cmd_submit_task)                                                         \
    /* ctl/cmd_tasks.c */                                                      \
    X(cmd_tasks)                                                               \
    X(cmd_task)                                                                \
    X(cmd_watch)                                                               \
    X(cmd_cancel_task)                                                         \
    /* ctl/cmd_rewards.c */                                                    \
    X(cmd_rewards)                                                             \
    /* ctl/cmd_challenge.c */                                                  \
    X(cmd_challenge)                                                           \
    X(cmd_challenges)                                                          \
    /* ctl/cmd_replay.c */                                                     \
    X(cmd_replay)                                                              \
    /* ctl/cmd_evidence.c */                                                   \
    X(cmd_evidence)                                                            \
    /* ctl/cmd_chain.c */                                                      \
    X(cmd_blocks)                                                              \
    X(cmd_block)                                                               \
    X(cmd_tx)                                                                  \
    /* ctl/cmd_verify_chain.c */                                               \
    X(cmd_verify_chain)                                                        \
    /* ctl/cmd_store.c */                                                      \
    X(cmd_store_verify)                                                        \
    X(cmd_store_backup)                                                        \
    X(cmd_store_compact)                                                       \
    X(cmd_rollback)                                                            \
    X(cmd_resync)                                                              \
    /* ctl/cmd_debug.c */                                                      \
    X(cmd_debug_compare)                                                       \
    X(cmd_debug_dump)

#define X(command) extern const struct cli_command command;
COMMAND_MAP(X)
#undef X

#endif
