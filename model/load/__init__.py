"""Kubernetes objects read from text: `load_cluster` and its parts."""

from model.load.cluster import Located, NotKubernetesObjects, cluster_of, load_cluster, read_objects

__all__ = ["Located", "NotKubernetesObjects", "cluster_of", "load_cluster", "read_objects"]
