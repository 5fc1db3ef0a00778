DELETE FROM automation_windows WHERE automation_id = :id
