DELETE FROM automation_held
WHERE (automation_id, trigger_id, labels, occurred, place) IN (
    SELECT h.automation_id, h.trigger_id, h.labels, h.occurred, h.place
    FROM automation_held AS h
    WHERE h.held <= :before AND NOT EXISTS (
        SELECT 1
        FROM automation_windows AS w
        WHERE w.automation_id = h.automation_id AND w.trigger_id = h.trigger_id
            AND w.labels = h.labels AND w.ends > :now
    )
    LIMIT :limit
)
