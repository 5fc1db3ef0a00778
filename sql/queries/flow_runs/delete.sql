DELETE FROM flow_runs WHERE id = :id
