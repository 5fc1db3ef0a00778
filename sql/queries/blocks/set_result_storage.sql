UPDATE block_documents SET stores_results = 1 WHERE id = :id
