SELECT id FROM block_documents WHERE stores_results = 1
