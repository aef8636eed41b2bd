"""The workshop: what plugin authors use and production images do without."""
