DELETE FROM event_related
WHERE place = :place
  AND resource_id IN (
    SELECT one.value ->> '$."prefect.resource.id"' FROM events, json_each(events.related) AS one
    WHERE events.place = :place
  )
