INSERT INTO automation_work (id, firing_id, number, due) VALUES (:id, :firing_id, :number, :now)
