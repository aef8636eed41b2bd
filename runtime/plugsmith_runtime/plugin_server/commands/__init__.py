"""The commands that a production image needs: serve and health."""
