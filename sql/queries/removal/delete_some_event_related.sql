DELETE FROM event_related
WHERE (resource_id, place) IN (SELECT resource_id, place FROM event_related LIMIT :limit)
