"""What should happen: Kubernetes Services as an executable model of one node's view."""
