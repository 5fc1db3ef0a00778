DELETE FROM automation_firings
WHERE id = :id AND NOT EXISTS (SELECT 1 FROM automation_work AS w WHERE w.firing_id = :id)
