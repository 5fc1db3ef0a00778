INSERT INTO automation_parts (automation_id, whole_id, part_id, triggered, firing)
VALUES (:automation_id, :whole_id, :part_id, :triggered, :firing)
ON CONFLICT DO UPDATE SET triggered = excluded.triggered, firing = excluded.firing
