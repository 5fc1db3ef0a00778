SELECT kind, id FROM removals ORDER BY kind, id
