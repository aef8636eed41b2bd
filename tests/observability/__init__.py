"""What a server tells about itself: metrics, health, logs and traces."""
