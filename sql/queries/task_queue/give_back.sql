UPDATE task_queue
SET holder = NULL, client = NULL, is_acknowledged = 0,
    due = CASE is_acknowledged WHEN 0 THEN :now ELSE :later END
WHERE holder = :holder
