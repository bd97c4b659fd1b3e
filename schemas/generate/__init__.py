"""What is published of the contract, made from the models: `python -m schemas.generate`."""
