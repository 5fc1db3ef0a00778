INSERT INTO automation_firings (id, automation_id, plan, firing, told)
VALUES (:id, :automation_id, :plan, :firing, :told)
