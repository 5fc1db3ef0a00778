artifacts.id, artifacts.created, artifacts.updated, artifacts.key, artifacts.type, artifacts.description, artifacts.data, artifacts.metadata, artifacts.flow_run_id, artifacts.task_run_id
