UPDATE flow_runs SET empirical_policy = :empirical_policy WHERE id = :id
