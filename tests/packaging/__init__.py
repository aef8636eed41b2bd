"""Containers and Kubernetes: what a rendered repository ships, checked without an engine and without a cluster."""
