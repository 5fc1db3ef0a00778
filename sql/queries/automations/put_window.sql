INSERT INTO automation_windows
    (automation_id, trigger_id, labels, starts, ends, is_proactive, count, last_event)
VALUES (:automation_id, :trigger_id, :labels, :starts, :ends, :is_proactive, :count, :last_event)
ON CONFLICT DO UPDATE SET
    starts = excluded.starts, ends = excluded.ends, count = excluded.count,
    last_event = excluded.last_event
