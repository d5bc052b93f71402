"""Whether the operator is well, for kubelet and Prometheus. It answers from a thread of its own: an event
loop that hangs can't say so itself.
"""
