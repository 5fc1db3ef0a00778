INSERT INTO work_pools (id, created, updated, name, description, type, base_job_template, is_paused,
                        concurrency_limit, storage, default_queue_id)
VALUES (:id, :now, :now, :name, :description, :type, :base_job_template, :is_paused,
        :concurrency_limit, :storage, :default_queue_id)
