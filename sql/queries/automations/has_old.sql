SELECT 1
WHERE EXISTS (SELECT 1 FROM automation_windows WHERE is_proactive = 0 AND ends <= :ended)
    OR EXISTS (SELECT 1 FROM automation_held WHERE held <= :held)
