"""The page of phones: a person chats with the bot as any number of users."""

from pathlib import Path

PAGE = Path(__file__).with_name("page.html").read_bytes()
