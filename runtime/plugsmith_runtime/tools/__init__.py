"""Tools of plugin authors, which production images do without."""
