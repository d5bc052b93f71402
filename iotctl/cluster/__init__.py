"""iotctl on a cluster: what the Device API answers on a device, answered from custom resources."""
