WITH first (id) AS (
    SELECT (SELECT flow_runs.id FROM flow_runs INDEXED BY flow_runs_awaiting_slot
            WHERE flow_runs.deployment_id = deployments.id AND flow_runs.state_type = 'SCHEDULED'
              AND flow_runs.state_name = 'AwaitingConcurrencySlot' AND flow_runs.next_scheduled_start_time > :now
            ORDER BY flow_runs.expected_start_time LIMIT 1)
    FROM deployments WHERE deployments.shared_limit_id = :limit_id
)
SELECT flow_runs.id FROM first CROSS JOIN flow_runs ON flow_runs.id = first.id
ORDER BY flow_runs.expected_start_time LIMIT 1
