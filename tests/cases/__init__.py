"""Data on which losses are compared with their true values, a module a family."""
