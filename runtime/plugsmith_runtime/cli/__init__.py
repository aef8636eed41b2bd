"""What the command lines share: colours, JSON input, differences."""
