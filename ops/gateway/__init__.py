"""The local stand-in for AWS End User Messaging SMS: takes texts over AWS's own protocol and shows them."""
