"""The protocol of custom resources: a request is begun, polled and answered, once."""
