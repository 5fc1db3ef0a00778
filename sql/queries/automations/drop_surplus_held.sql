DELETE FROM automation_held
WHERE (automation_id, trigger_id, labels, occurred, place) IN (
    SELECT automation_id, trigger_id, labels, occurred, place
    FROM automation_held
    WHERE automation_id = :automation_id AND trigger_id = :trigger_id AND labels = :labels
        AND occurred >= :from AND occurred < :to
    ORDER BY occurred, place
    LIMIT 1 OFFSET :threshold
)
