INSERT INTO artifacts (id, created, updated, key, type, description, data, metadata, flow_run_id, task_run_id)
VALUES (:id, :now, :now, :key, :type, :description, :data, :metadata, :flow_run_id, :task_run_id)
