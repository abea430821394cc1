"""What the calendars hold in the days to come, in the terminal and on a page."""
