"""absl scripts, one a published system."""
