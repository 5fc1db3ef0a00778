UPDATE work_pools
SET updated = :now, description = :description, base_job_template = :base_job_template, is_paused = :is_paused,
    concurrency_limit = :concurrency_limit, storage = :storage
WHERE id = :id
