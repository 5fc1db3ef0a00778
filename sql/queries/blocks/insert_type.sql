INSERT INTO block_types (id, created, updated, name, slug, logo_url, documentation_url, description, code_example, is_protected)
VALUES (:id, :now, :now, :name, :slug, :logo_url, :documentation_url, :description, :code_example, :is_protected)
