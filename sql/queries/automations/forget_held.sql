DELETE FROM automation_held WHERE automation_id = :id
