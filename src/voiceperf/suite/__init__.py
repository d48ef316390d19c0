"""The suite: a call's workloads, measured in pairs under several profiles and judged by the criteria."""
