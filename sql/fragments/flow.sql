flows.id, flows.created, flows.updated, flows.name, flows.tags, flows.labels
