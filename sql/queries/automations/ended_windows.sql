SELECT automation_id, trigger_id, labels, starts, ends, count, last_event
FROM automation_windows
WHERE is_proactive = 1 AND ends <= :now
ORDER BY ends
LIMIT :limit
