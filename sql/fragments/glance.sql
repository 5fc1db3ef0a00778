flow_runs.id, flow_runs.flow_id, flow_runs.name, flow_runs.state_type, flow_runs.state_name, s.timestamp,
       flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time,
       flow_runs.total_run_time
