DELETE FROM automation_windows
WHERE (automation_id, trigger_id, labels) IN (
    SELECT automation_id, trigger_id, labels FROM automation_windows WHERE automation_id = :id LIMIT :limit
)
