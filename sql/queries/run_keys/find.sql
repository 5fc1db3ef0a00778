SELECT flow_run_id, claimed_at, revoked_at IS NOT NULL FROM run_keys WHERE digest = :digest
