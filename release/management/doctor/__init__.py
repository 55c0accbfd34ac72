"""What `manage.py doctor` looks at, a file for each place it looks."""
