DELETE FROM schedules WHERE deployment_id = :deployment_id
