"""The local stand-in for two SMS gateways, AWS End User Messaging and a Twilio-compatible one.

It takes texts over their own protocols, shows them, and misbehaves when it is asked to.
"""
