/* commands: one entry a command of potctl, by the file that holds it. */
#ifndef POT_CTL_COMMANDS_H
#define POT_CTL_COMMANDS_H

#include "ctl/cli.h"

/* ctl/cmd_status.c */
extern const struct cli_command cmd_status;

/* ctl/cmd_testnet_init.c */
extern const struct cli_command cmd_testnet_init;

/* ctl/cmd_testnet_up.c */
extern const struct cli_command cmd_testnet_up;

/* ctl/cmd_testnet.c */
extern const struct cli_command cmd_testnet_down;
extern const struct cli_command cmd_testnet_ps;

/* ctl/cmd_key.c */
extern const struct cli_command cmd_key_new;
extern const struct cli_command cmd_key_show;

/* ctl/cmd_account.c */
extern const struct cli_command cmd_balance;
extern const struct cli_command cmd_transfer;
extern const struct cli_command cmd_stake;
extern const struct cli_command cmd_unstake;

/* ctl/cmd_members.c */
extern const struct cli_command cmd_validators;
extern const struct cli_command cmd_miners;
extern const struct cli_command cmd_peers;

/* ctl/cmd_dataset.c */
extern const struct cli_command cmd_dataset_import;
extern const struct cli_command cmd_dataset_publish;
extern const struct cli_command cmd_dataset_show;

/* ctl/cmd_submit_task.c */
extern const struct cli_command cmd_submit_task;

/* ctl/cmd_tasks.c */
extern const struct cli_command cmd_tasks;
extern const struct cli_command cmd_task;
extern const struct cli_command cmd_watch;
extern const struct cli_command cmd_cancel_task;

/* ctl/cmd_rewards.c */
extern const struct cli_command cmd_rewards;

/* ctl/cmd_chain.c */
extern const struct cli_command cmd_block;
extern const struct cli_command cmd_blocks;
extern const struct cli_command cmd_tx;

/* ctl/cmd_verify_chain.c */
extern const struct cli_command cmd_verify_chain;

#endif
