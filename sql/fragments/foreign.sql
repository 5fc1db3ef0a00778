EXISTS (SELECT 1 FROM deployments AS d JOIN block_documents AS b ON b.id = d.infrastructure_document_id
          JOIN block_types AS t ON t.id = b.block_type_id
          WHERE d.id = r.deployment_id AND t.slug NOT IN ('process', 'docker-container'))
