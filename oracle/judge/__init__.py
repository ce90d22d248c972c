"""Other implementations of Services, driven through drawn histories and held to the contract."""
