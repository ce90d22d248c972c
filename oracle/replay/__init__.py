"""Scripted histories of a cluster, with questions asked in between."""
