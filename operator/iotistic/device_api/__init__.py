"""The Device API: what iotctl, the dashboard and local programs speak with the agent."""
