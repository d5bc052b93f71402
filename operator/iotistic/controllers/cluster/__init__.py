"""Controllers of the cluster: Apps as custom resources, run by Kubernetes' own workloads."""
