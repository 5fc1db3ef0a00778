INSERT INTO automation_held (automation_id, trigger_id, labels, occurred, place, held)
VALUES (:automation_id, :trigger_id, :labels, :occurred, :place, :now)
ON CONFLICT DO NOTHING
