# ledger/: executes blocks; deterministic, integers only, no input or output.
noinst_LIBRARIES += ledger/libledger.a

ledger_libledger_a_SOURCES = \
	ledger/account.c ledger/account.h \
	ledger/activation.c ledger/activation.h \
	ledger/aggregate.c ledger/aggregate.h \
	ledger/aggregate_grid.c ledger/aggregate_grid.h \
	ledger/aggregate_clip.c \
	ledger/aggregate_held.c ledger/aggregate_held.h \
	ledger/aggregate_krum.c \
	ledger/aggregate_mean.c ledger/aggregate_rule.h \
	ledger/aggregate_sorted.c ledger/aggregate_sorted.h \
	ledger/challenge.c ledger/challenge.h ledger/challenge_settle.c \
	ledger/challenge_count.c ledger/challenge_count.h \
	ledger/closed.c ledger/closed.h \
	ledger/draft.c ledger/draft.h \
	ledger/draws.c ledger/draws.h \
	ledger/epoch.c ledger/epoch.h \
	ledger/evaluate.c ledger/evaluate.h \
	ledger/execute.c \
	ledger/genesis.c \
	ledger/keys.c ledger/keys.h \
	ledger/ledger.h \
	ledger/list.c ledger/list.h \
	ledger/optimizer.c ledger/optimizer.h \
	ledger/optimizer_adam.c ledger/optimizer_rule.h \
	ledger/optimizer_rate.c ledger/optimizer_rate.h \
	ledger/plants.c ledger/plants.h \
	ledger/parameters.c ledger/parameters.h \
	ledger/parts.c ledger/parts.h \
	ledger/pay.c ledger/pay.h \
	ledger/read.c \
	ledger/record.c ledger/record.h \
	ledger/roster.c ledger/roster.h \
	ledger/round_lists.c ledger/round_lists.h \
	ledger/round_update.c ledger/round_update.h \
	ledger/row_sums.c ledger/row_sums.h \
	ledger/settle.c ledger/settle.h \
	ledger/settle_sum.c ledger/settle_sum.h \
	ledger/settle_write.c \
	ledger/slash.c ledger/slash.h \
	ledger/state.h \
	ledger/submission.c ledger/submission.h \
	ledger/task.c ledger/task.h \
	ledger/task_blobs.c ledger/task_blobs.h \
	ledger/tx.c ledger/tx.h \
	ledger/tx_challenge.c \
	ledger/tx_dataset.c \
	ledger/tx_kind.h \
	ledger/tx_stake.c \
	ledger/tx_task.c \
	ledger/tx_transfer.c \
	ledger/unbond.c ledger/unbond.h
ledger_libledger_a_CFLAGS = $(AM_CFLAGS) -fopenmp-simd
ledger_libledger_a_CPPFLAGS = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) \
	$(PROTOBUFC_CFLAGS)
