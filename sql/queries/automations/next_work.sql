SELECT w.place, w.id, w.number, w.due, w.tries, w.sent, f.automation_id, f.plan, f.firing, f.told
FROM automation_work AS w
JOIN automation_firings AS f ON f.id = w.firing_id
WHERE lower(hex(f.automation_id)) NOT IN (SELECT value FROM json_each(:busy))
ORDER BY w.due, w.place
LIMIT 1
