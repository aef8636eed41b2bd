"""`demo`: the inputs and answers of resources/demo.yaml, shown on every transport."""
