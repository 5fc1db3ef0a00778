SELECT t.slug FROM flow_runs AS r JOIN deployments AS d ON d.id = r.deployment_id
JOIN block_documents AS b ON b.id = d.infrastructure_document_id JOIN block_types AS t ON t.id = b.block_type_id
WHERE r.id = :id AND t.slug NOT IN ('process', 'docker-container')
