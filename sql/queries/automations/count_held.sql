SELECT count(*)
FROM automation_held
WHERE automation_id = :automation_id AND trigger_id = :trigger_id AND labels = :labels
    AND occurred >= :from AND occurred < :to
