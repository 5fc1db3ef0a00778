UPDATE block_documents SET stores_results = 0 WHERE stores_results = 1
