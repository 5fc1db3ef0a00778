block_schemas.id, block_schemas.created, block_schemas.updated, block_schemas.checksum, block_schemas.fields, block_schemas.block_type_id, block_schemas.capabilities, block_schemas.version
