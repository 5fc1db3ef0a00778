DELETE FROM automation_held
WHERE (automation_id, trigger_id, labels, occurred, place) IN (
    SELECT automation_id, trigger_id, labels, occurred, place FROM automation_held WHERE automation_id = :id LIMIT :limit
)
