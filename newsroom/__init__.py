"""Three small news sites of our own, served on loopback: the outside world of the demo and of the tests."""
