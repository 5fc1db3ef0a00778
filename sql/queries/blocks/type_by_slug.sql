SELECT {block_type} FROM block_types WHERE slug = :slug
