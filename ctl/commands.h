/* commands: one entry a command of potctl; each stands in the file of its
 * name. */
#ifndef POT_CTL_COMMANDS_H
#define POT_CTL_COMMANDS_H

#include "ctl/cli.h"

extern const struct cli_command cmd_status;
extern const struct cli_command cmd_testnet_init;
extern const struct cli_command cmd_testnet_up;
extern const struct cli_command cmd_testnet_down;
extern const struct cli_command cmd_testnet_ps;
extern const struct cli_command cmd_key_new;
extern const struct cli_command cmd_key_show;
extern const struct cli_command cmd_balance;
extern const struct cli_command cmd_transfer;
extern const struct cli_command cmd_stake;
extern const struct cli_command cmd_unstake;
extern const struct cli_command cmd_validators;
extern const struct cli_command cmd_miners;
extern const struct cli_command cmd_peers;
extern const struct cli_command cmd_dataset_import;
extern const struct cli_command cmd_dataset_publish;
extern const struct cli_command cmd_dataset_show;
extern const struct cli_command cmd_submit_task;
extern const struct cli_command cmd_tasks;
extern const struct cli_command cmd_task;
extern const struct cli_command cmd_watch;
extern const struct cli_command cmd_cancel_task;
extern const struct cli_command cmd_rewards;
extern const struct cli_command cmd_block;
extern const struct cli_command cmd_blocks;
extern const struct cli_command cmd_tx;
extern const struct cli_command cmd_verify_chain;

#endif
