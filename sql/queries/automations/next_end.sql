SELECT ends FROM automation_windows WHERE is_proactive = 1 ORDER BY ends LIMIT 1
