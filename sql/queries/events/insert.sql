INSERT INTO events (id, occurred, received, name, resource_id, resource, related, payload, follows)
VALUES (:id, :occurred, :now, :name, :resource_id, :resource, :related, :payload, :follows)
ON CONFLICT (id) DO NOTHING
