automations.id, automations.created, automations.updated, automations.plan
