UPDATE flow_runs SET updated = :now, labels = :labels WHERE id = :id
