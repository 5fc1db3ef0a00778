INSERT OR IGNORE INTO event_related (resource_id, place) VALUES (?1, ?2)
