INSERT OR IGNORE INTO removals (kind, id) VALUES (:kind, :id)
