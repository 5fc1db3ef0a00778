variables.id, variables.created, variables.updated, variables.name, variables.value, variables.tags
