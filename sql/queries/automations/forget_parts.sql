DELETE FROM automation_parts WHERE automation_id = :id
