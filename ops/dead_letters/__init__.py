"""What nobody could handle: seen without the person, and handled again once the cause is mended."""
