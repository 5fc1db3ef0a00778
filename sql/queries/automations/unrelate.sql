DELETE FROM automation_resources WHERE automation_id = :id AND is_owner = 0
