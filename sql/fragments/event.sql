events.place, events.received, events.id, events.occurred, events.name, events.resource, events.related, events.payload, events.follows
