"""The protocol of custom resources: begin, poll and answer each request once."""
