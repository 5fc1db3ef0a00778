logs.id, logs.created, logs.name, logs.level, logs.message, logs.timestamp, logs.flow_run_id, logs.task_run_id, logs.stream
