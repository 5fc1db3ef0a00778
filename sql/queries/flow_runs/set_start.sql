UPDATE flow_runs SET start_time = :start_time WHERE id = :id
