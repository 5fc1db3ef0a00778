SELECT told_event, told_at FROM work_pools WHERE id = :id AND told_event IS NOT NULL
