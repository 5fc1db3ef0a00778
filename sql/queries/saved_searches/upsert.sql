INSERT INTO saved_searches (id, created, updated, name, filters)
VALUES (:id, :now, :now, :name, :filters)
ON CONFLICT (name) DO UPDATE SET filters = excluded.filters, updated = excluded.updated
