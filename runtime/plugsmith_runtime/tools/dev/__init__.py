"""What helps while a plugin is being written: reload on save, and warnings about what a gateway will drop."""
