"""Pure rollout: what a release's services have reached, and when failing ones are tried again."""
