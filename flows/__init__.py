"""Prefect and the command line: when things run, in what order, and what a person sees."""
