UPDATE run_keys SET revoked_at = :now WHERE flow_run_id = :flow_run_id AND revoked_at IS NULL
