"""What is connected to with stored secrets: cameras and webhooks."""
