UPDATE work_pools SET told = :told, told_event = :event, told_at = :now WHERE id = :id
