"""The command line of Iotistic Edge: speaks with an agent's Device API, plans without one."""
