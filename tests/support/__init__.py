"""What the tests stand on: real servers, real certificates, real processes."""
