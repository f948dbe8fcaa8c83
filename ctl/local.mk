# ctl/: potctl, what a person does with a network.  All but main stands in a
# library, which the unit tests link too.
noinst_LIBRARIES += ctl/libctl.a
ctl_libctl_a_SOURCES = \
	ctl/answer.c ctl/answer.h \
	ctl/chain_check.c ctl/chain_check.h \
	ctl/challenges.c ctl/challenges.h \
	ctl/cli.c ctl/cli.h \
	ctl/client.c ctl/client.h \
	ctl/data_head.c ctl/data_head.h \
	ctl/ctl.c ctl/ctl.h \
	ctl/follow.c ctl/follow.h \
	ctl/given.c ctl/given.h \
	ctl/json_text.c ctl/json_text.h \
	ctl/process.c ctl/process.h \
	ctl/publish.c ctl/publish.h \
	ctl/replay_links.c ctl/replay_links.h \
	ctl/replay_source.c ctl/replay_source.h \
	ctl/sender.c ctl/sender.h \
	ctl/reward_why.c ctl/reward_why.h \
	ctl/safetensors.c ctl/safetensors.h \
	ctl/show.c ctl/show.h \
	ctl/slashed.c ctl/slashed.h \
	ctl/state_compare.c ctl/state_compare.h \
	ctl/state_source.c ctl/state_source.h \
	ctl/state_text.c ctl/state_text.h \
	ctl/table.c ctl/table.h \
	ctl/task_check.c ctl/task_check.h \
	ctl/task_data.c ctl/task_data.h \
	ctl/task_file.c ctl/task_file.h \
	ctl/task_print.c ctl/task_print.h \
	ctl/task_read.c ctl/task_read.h \
	ctl/task_warn.c ctl/task_warn.h \
	ctl/task_value.c ctl/task_value.h \
	ctl/testnet.c ctl/testnet.h \
	ctl/testnet_write.c ctl/testnet_write.h \
	ctl/tx_reply.c ctl/tx_reply.h \
	ctl/waiting.c ctl/waiting.h
ctl_cppflags = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) $(PROTOBUFC_CFLAGS) \
	$(JANSSON_CFLAGS) $(CURL_CFLAGS)
ctl_libctl_a_CPPFLAGS = $(ctl_cppflags)
ctl_libs = ctl/libctl.a training/libtraining.a base/libtoml.a \
	storage/libstorage.a \
	proto/libproto.a proto/libformats.a base/libbase.a $(CURL_LIBS) \
	$(JANSSON_LIBS) $(BASE_LIBS) $(PROTOBUFC_LIBS) $(ZLIB_LIBS) $(LMDB_LIBS) \
	-lpthread -lm

bin_PROGRAMS += potctl
potctl_SOURCES = ctl/main.c ctl/commands.h \
	ctl/cmd_account.c \
	ctl/cmd_chain.c \
	ctl/cmd_dataset.c \
	ctl/cmd_challenge.c \
	ctl/cmd_evidence.c \
	ctl/cmd_debug.c \
	ctl/cmd_debug_compare.c \
	ctl/cmd_key.c \
	ctl/cmd_members.c \
	ctl/cmd_recover.c \
	ctl/cmd_replay.c \
	ctl/cmd_rewards.c \
	ctl/cmd_status.c \
	ctl/cmd_store.c \
	ctl/cmd_submit_task.c \
	ctl/cmd_tasks.c \
	ctl/cmd_testnet.c \
	ctl/cmd_testnet_init.c \
	ctl/cmd_testnet_up.c \
	ctl/cmd_verify_chain.c
# toml++ is C++: link as such.
nodist_EXTRA_potctl_SOURCES = dummy.cxx
potctl_CPPFLAGS = $(ctl_cppflags)
potctl_LDADD = $(replay_libs) $(ctl_libs)

bashcompdir = $(datadir)/bash-completion/completions
dist_bashcomp_DATA = ctl/potctl.bash
