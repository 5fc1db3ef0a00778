deployments.id, deployments.created, deployments.updated,
'deployment:' || lower(format('%s-%s-%s-%s-%s', substr(hex(deployments.id), 1, 8), substr(hex(deployments.id), 9, 4),
    substr(hex(deployments.id), 13, 4), substr(hex(deployments.id), 17, 4), substr(hex(deployments.id), 21))),
deployments.concurrency_limit, 1, 0.0, 0, 0, deployments.updated, 2.0
