SELECT firing FROM automation_parts WHERE automation_id = :automation_id AND whole_id = :whole_id
