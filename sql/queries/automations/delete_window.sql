DELETE FROM automation_windows
WHERE automation_id = :automation_id AND trigger_id = :trigger_id AND labels = :labels
