"""The live call: the engines as services that speak the Wyoming protocol, and the replay of a call through them."""
