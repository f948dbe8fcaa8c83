# The HTTP API and the metrics of potd.
api_sources = \
	node/api.c node/api.h \
	node/api_account.c \
	node/api_chain.c \
	node/api_connection.c \
	node/api_dataset.c \
	node/api_events.c node/api_events.h \
	node/api_health.c node/api_health.h \
	node/api_job.c node/api_job.h \
	node/api_json.c node/api_json.h \
	node/api_record.c node/api_record.h \
	node/api_request.c node/api_request.h \
	node/api_route.c node/api_route.h \
	node/api_server.h \
	node/api_static.c \
	node/api_status.c \
	node/api_task.c \
	node/api_tx.c \
	node/api_url.c node/api_url.h \
	node/metrics.c node/metrics.h \
	node/metrics_process.c node/metrics_process.h \
	node/metrics_text.c node/metrics_text.h
