SELECT {deployment_limit} FROM deployments WHERE id = :id AND concurrency_limit IS NOT NULL
