INSERT INTO block_schemas (id, created, updated, checksum, fields, block_type_id, capabilities, version)
VALUES (:id, :now, :now, :checksum, :fields, :block_type_id, :capabilities, :version)
