# node/api/: the HTTP API and the metrics.
noinst_LIBRARIES += node/api/libapi.a
node_api_libapi_a_SOURCES = \
	node/api/api.c node/api/api.h \
	node/api/api_account.c \
	node/api/api_admit.c node/api/api_admit.h \
	node/api/api_block.c \
	node/api/api_chain.c \
	node/api/api_challenge.c \
	node/api/api_consensus.c \
	node/api/api_config.h \
	node/api/api_connection.c node/api/api_connection.h \
	node/api/api_dataset.c \
	node/api/api_document.c node/api/api_document.h \
	node/api/api_evidence.c \
	node/api/api_events.c node/api/api_events.h \
	node/api/api_health.c node/api/api_health.h \
	node/api/api_history.c node/api/api_history.h \
	node/api/api_json.c node/api/api_json.h \
	node/api/api_peer.c \
	node/api/api_progress.c node/api/api_progress.h \
	node/api/api_queue.c node/api/api_queue.h \
	node/api/api_record.c node/api/api_record.h \
	node/api/api_request.c node/api/api_request.h \
	node/api/api_reward.c \
	node/api/api_route.h \
	node/api/api_server.c node/api/api_server.h \
	node/api/api_spec.c node/api/api_spec.h \
	node/api/api_staker.c \
	node/api/api_static.c \
	node/api/api_status.c \
	node/api/api_streams.c node/api/api_streams.h \
	node/api/api_table.c node/api/api_table.h \
	node/api/api_task.c \
	node/api/api_tx.c \
	node/api/api_url.c node/api/api_url.h \
	node/api/api_workers.c node/api/api_workers.h \
	node/api/metrics.c \
	node/api/metrics_chain.c \
	node/api/metrics_net.c \
	node/api/metrics_parts.h \
	node/api/metrics_process.c node/api/metrics_process.h \
	node/api/metrics_store.c \
	node/api/metrics_text.c node/api/metrics_text.h \
	node/api/metrics_training.c
node_api_libapi_a_CPPFLAGS = $(node_cppflags)
