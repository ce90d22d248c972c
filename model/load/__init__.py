"""Kubernetes objects read from text: `load_cluster` and its parts."""

from model.load.cluster import Located, cluster_of, load_cluster, read_objects
from model.load.walk import NotKubernetesObjects

__all__ = ["Located", "NotKubernetesObjects", "cluster_of", "load_cluster", "read_objects"]
